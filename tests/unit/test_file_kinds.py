"""What a file's name tells beforehand is what the worker says of a file whose content says no more."""

import pytest

from app.file_kinds import BINARY_ENDINGS, OLD_KINDS, TEXT_TYPES, objection
from ingest.extractors.errors import Unsupported
from ingest.extractors.kinds import kind_of

TEXT = b"A text that could be anything."


@pytest.mark.parametrize("ending", TEXT_TYPES)
def test_a_text_is_read(ending: str) -> None:
    name = f"folder.d/a.{ending}" if ending else "folder.d/readme"
    assert objection(name) is None
    assert kind_of(TEXT, filename=name).value == TEXT_TYPES[ending]


@pytest.mark.parametrize("ending", BINARY_ENDINGS)
def test_a_name_of_a_binary_kind_promises_nothing_and_is_no_objection(ending: str) -> None:
    assert objection(f"a.{ending.upper()}") is None


@pytest.mark.parametrize("name", [*(f"a.{ending}" for ending in OLD_KINDS), "a.exe", "a.tar.gz", "b/c.odt"])
def test_what_is_not_read_is_said_in_the_words_of_the_worker(name: str) -> None:
    with pytest.raises(Unsupported) as refused:
        kind_of(TEXT, filename=name)
    assert objection(name) == refused.value.reason
