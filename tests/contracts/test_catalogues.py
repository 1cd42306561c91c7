"""Every word of the console is in every catalogue, and no other."""

import pytest

from tests.contracts.catalogues import CONSOLE, FRAME, LANGUAGES, ROOMS, untranslated, up_to_date

BRING = "python -m tests.contracts.catalogues brings the files up to date"


@pytest.mark.parametrize("room", [FRAME, *ROOMS])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_has_what_is_said(language: str, room: str) -> None:
    assert (CONSOLE / "locale" / language / f"{room}.po").read_bytes() == up_to_date(language, room), BRING


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated(language: str) -> None:
    assert untranslated(language) == []
