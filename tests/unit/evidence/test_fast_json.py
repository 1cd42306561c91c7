"""What reads most texts fast gives what the standard library gives, and leaves to it what it is not sure of."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.evidence import fast_json, merkle
from app.evidence.fast_json import UNSURE, FastReader, ascii_json, read_line
from app.evidence.records import unique_keys
from app.evidence.verify import verify
from tests.support.environment import REPOSITORY
from tests.support.exported_log import write
from tests.support.json_parts import PARTS
from tests.support.tampered_logs import HEAD, LOG

READER = FastReader(merkle.MAX_INTEGER)
# Without what is opened, which the standard library reads.
LINES = [json.dumps({k: v for k, v in each.items() if k != "opened"}, separators=(",", ":")) for each in LOG]
scalars = (
    st.none() | st.booleans() | st.text(max_size=6) | st.floats() | st.sampled_from([0, -1, 2**53 - 1, 2**53, -(2**53)])
)
values = st.recursive(
    scalars, lambda e: st.lists(e, max_size=4) | st.dictionaries(st.text(max_size=3), e, max_size=4), max_leaves=12
)


def by_standard_library(text: str) -> Any:
    try:
        return merkle.parse_by_standard_library(text)
    except merkle.NotCanonical:
        return merkle.NotCanonical


def parsed(text: str) -> Any:
    try:
        return merkle.parse(text)
    except merkle.NotCanonical:
        return merkle.NotCanonical


def spelled(value: object) -> str:
    """A value with the types that `==` takes for one, such as True and 1, told apart."""
    return repr(value)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """JSON that is canonical, or nearly, or none at all."""
    wide, ordered, ascii_alone = (draw(st.booleans()) for _ in range(3))
    separators = (", ", ": ") if wide else (",", ":")
    text = json.dumps(draw(values), sort_keys=ordered, ensure_ascii=ascii_alone, separators=separators)
    for _ in range(draw(st.integers(0, 2))):
        here = draw(st.integers(0, len(text)))
        text = text[:here] + draw(st.sampled_from(PARTS)) + text[here + draw(st.integers(0, 2)) :]
    return text


@settings(max_examples=1_500)
@given(texts() | st.lists(st.sampled_from(PARTS), max_size=8).map("".join))
def test_each_text_is_read_as_by_the_standard_library(text: str) -> None:
    assert spelled(parsed(text)) == spelled(by_standard_library(text))


@pytest.mark.parametrize("number", range(0x80))
def test_each_character_is_spelled_alike(number: int) -> None:
    """As a string writes it, as it stands, and as an escape of either case."""
    for spelling in (json.dumps(chr(number)), f'"{chr(number)}"', f'"\\u{number:04x}"', f'"\\u{number:04X}"'):
        for text in (spelling, f"{{{spelling}:[{spelling}]}}"):
            assert spelled(parsed(text)) == spelled(by_standard_library(text))


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", [0, 1, fast_json._DEPTH, fast_json._DEPTH + 1, 16, 17, 5_000])
def test_each_depth_is_read_alike(depth: int) -> None:
    for text in (nested(depth), f'{{"a":{nested(depth)}}}'):
        assert spelled(parsed(text)) == spelled(by_standard_library(text))


def test_records_are_read_fast() -> None:
    for each, line in zip(LOG, LINES, strict=True):
        assert READER.read(each["record"]) == json.loads(each["record"])
        assert read_line(line.encode() + b"\n") == json.loads(line)


@settings(max_examples=1_500)
@given(st.sampled_from(LINES), st.data())
def test_a_line_is_read_as_by_the_standard_library_or_not_at_all(line: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 2))):
        here = data.draw(st.integers(0, len(line)))
        part = data.draw(st.sampled_from([*PARTS, '","record":"', '"seq":1,', "}\n", "\r\n"]) | st.characters())
        line = line[:here] + part + line[here + data.draw(st.integers(0, 2)) :]
    raw = line.encode(errors="surrogatepass")
    if (found := read_line(raw)) is not None:
        assert spelled(found) == spelled(json.loads(raw.decode(), object_pairs_hook=unique_keys))


@pytest.mark.parametrize(
    "line",
    [
        '{"seq":1,"leaf_hash":"","record":"a","record":"b"}',
        '{"seq":1,"leaf_hash":"","record":"a","opened":"b"}',
        '{"seq":01,"leaf_hash":"","record":"a"}',
        '{"seq":1,"leaf_hash":"","record":"\\ud800"}',
        '{"seq":1,"leaf_hash":"","record":"a\x01"}',
        '{"seq":1,"leaf_hash":"","record":null}',
        '{"seq":1,"leaf_hash":"é","record":"a"}',
        '{"seq":1,"leaf_hash":"","record":"é"}',
    ],
)
def test_a_line_of_another_form_is_left_to_the_standard_library(line: str) -> None:
    assert read_line(line.encode()) is None


whole = st.recursive(
    st.none() | st.booleans() | st.text(max_size=6) | st.integers(),
    lambda e: st.lists(e, max_size=4) | st.dictionaries(st.text(max_size=3), e, max_size=4),
    max_leaves=12,
)


def by_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@settings(max_examples=500)
@given(whole)
def test_what_it_writes_the_standard_library_writes(value: object) -> None:
    assert ascii_json(value) in (None, by_json(value))


def test_each_character_is_written_alike_or_left_to_the_standard_library() -> None:
    left = [n for n in range(0x120) if (text := ascii_json({chr(n): [chr(n)]})) is None or text != by_json(
        {chr(n): [chr(n)]})]  # fmt: skip
    assert left == list(range(0x7F, 0x120))
    assert [ascii_json(value) for value in ("\x7f", "\ud800", "é")] == [None] * 3


def test_it_is_read_alike_where_it_is_not_installed(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", LOG)
    program = f"""
import sys
sys.modules["msgspec"] = None
from pathlib import Path
from app.evidence.fast_json import HAS_MSGSPEC
from app.evidence.verify import verify
print(HAS_MSGSPEC, verify(Path({str(path)!r})).lines)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"False {verify(path).lines}"
    assert verify(path, head=HEAD).ok


def test_what_is_no_json_is_not_sure() -> None:
    assert [READER.read(text) for text in ("", "{", '{"a":1}}', "nul", '"')] == [UNSURE] * 5
