"""CEF: whatever a name says, each entry is one line, of one header and of the fields that we wrote."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.events import KINDS
from app.audit.events.answers import AnswerClosed
from app.audit.events.base import Actor
from app.audit.export_forms.cef import cef_lines
from app.audit.export_forms.row import ExportedEntry
from app.evidence.merkle import leaf_hash
from tests.support.every_kind import ACTORS, AT, ONE, entries_of_every_kind, entry_of, record_of

# What some reader takes for the end of a line.
BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
ATTACKS = [
    "Ada|10|src=10.0.0.1", "Ada act=granted suser=root", "Ada\\", "Ada\\=", "\\|", "=", " = ", "CEF:0|x|y|z|1|n|10|",
    *(f"Ada{each}CEF:0|Clearance|Clearance|1|policy.changed|x|10|suser=root" for each in BREAKS),
]  # fmt: skip
_OWN = ("cn1", "cn2", *(f"cs{n}" for n in range(1, 7)), "flexString1", "c6a2")
FIELDS = {
    *("rt", "externalId", "suid", "suser", "src", "shost", "act", "outcome", "reason", "duid", "msg"),
    *(name + end for name in _OWN for end in ("", "Label")),
}


def read(line: str) -> tuple[list[str], dict[str, str]]:
    """The header and the fields, read by the rules of the format and not by those of the code that wrote them."""
    parts = re.split(r"(?<!\\)((?:\\\\)*)\|", line, maxsplit=7)
    header = [
        re.sub(r"\\([\\|])", r"\1", text + slashes) for text, slashes in zip(parts[:-1:2], parts[1::2], strict=True)
    ]
    found = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", re.sub(r"\\.", "..", parts[-1])))
    ends = [match.start() for match in found[1:]] + [len(parts[-1])]
    values = [parts[-1][match.end() : end] for match, end in zip(found, ends, strict=True)]
    read_one = {"n": "\n", "r": "\r"}
    names = [match[1] for match in found]
    assert len(set(names)) == len(names), "a field stands twice"
    shown = [re.sub(r"\\(.)", lambda m: read_one.get(m[1], m[1]), value) for value in values]
    return header, dict(zip(names, shown, strict=True))


def line_of(entry: ExportedEntry) -> str:
    text = cef_lines([entry]).decode()
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1, "by any reader's reckoning"
    return text[:-1]


def fields_of(record: dict[str, Any], name: str = "Ada", address: str | None = None) -> dict[str, str]:
    header, found = read(line_of(entry_of(record, name=name, address=address)))
    assert header[:3] == ["CEF:0", "Clearance", "Clearance"]
    assert len(header) == 7
    assert set(found) <= FIELDS
    return found


@pytest.mark.parametrize("actor", ACTORS.values(), ids=ACTORS)
def test_every_kind_of_record_is_one_line_of_known_fields(actor: Actor) -> None:
    for entry in entries_of_every_kind(actor):
        header, found = read(line_of(entry))
        assert header[4] in KINDS
        assert 0 <= int(header[6]) <= 10
        assert set(found) <= FIELDS
        assert (found["cn1"], found["cs4"], found["externalId"]) == ("7", entry.leaf_hash.hex(), str(ONE))


@pytest.mark.parametrize("name", ATTACKS)
def test_no_name_begins_a_line_or_a_field(name: str) -> None:
    found = fields_of(record_of("answer.closed", AnswerClosed, Actor(ONE)), name=name)
    assert "src" not in found
    assert "act" not in found
    assert found["suser"] == shown(name)


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.text(st.sampled_from("\\|= \n\rab"), max_size=8))
def test_what_stands_in_a_field_comes_back(name: str, reason: str) -> None:
    record = record_of("answer.closed", AnswerClosed, Actor(ONE)) | {"reason": reason}
    found = fields_of(record, name=name.replace("\0", "") + "x")
    assert found["suser"] == shown(name.replace("\0", "") + "x")
    assert found.get("reason", "") == reason


@given(st.text(st.sampled_from("\\|= \n\rab\u2028"), max_size=12))
def test_a_kind_that_nobody_of_ours_writes_stays_in_its_place_of_the_header(kind: str) -> None:
    header, found = read(
        line_of(entry_of(record_of("answer.closed", AnswerClosed, ACTORS["a person"]) | {"kind": kind}))
    )
    assert header[4] == re.sub(r"[\r\n\u2028]", "\ufffd", kind)
    assert set(found) <= FIELDS


def test_a_text_that_is_no_record_is_a_line_without_it() -> None:
    header, found = read(line_of(ExportedEntry(7, AT, leaf_hash("x\ny"), "x\ny", {})))
    assert header[4] == "unreadable"
    assert found == {"cn1": "7", "cn1Label": "seq", "cs4": leaf_hash("x\ny").hex(), "cs4Label": "leafHash"}


def test_addresses_stand_in_the_field_of_their_family() -> None:
    def source(address: str) -> dict[str, str]:
        found = fields_of(record_of("answer.closed", AnswerClosed, Actor(ONE, address=address)), address=address)
        return {name: value for name, value in found.items() if name in {"src", "c6a2", "shost"}}

    assert source("192.0.2.7") == {"src": "192.0.2.7"}
    assert source("2001:db8::1") == {"c6a2": "2001:db8::1"}
    assert source("here src=1") == {"shost": "here src=1"}


def shown(text: str) -> str:
    """The text as it is written: lines stay, what else ends a line or acts is replaced."""
    return re.sub("[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]", "\ufffd", text)
