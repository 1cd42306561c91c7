"""A list of people as spreadsheets write it: every mistake by line and column, and values as text."""

import pytest

from app.admin.people_list import COLUMNS, MAX_ROWS, ListedPerson, parse_list
from app.identity.subject import Label

HEADER = "name,display_name,source,external_id,clearance,capabilities,roles,active\n"


def people(content: bytes | str) -> list[ListedPerson]:
    found = parse_list(content.encode() if isinstance(content, str) else content)
    assert found.mistakes == []
    return found.people


def mistakes(content: bytes | str) -> list[str]:
    return [str(m) for m in sorted(parse_list(content.encode() if isinstance(content, str) else content).mistakes)]


def test_a_whole_row() -> None:
    row = 'freya,"Stone, Freya",okta,00u1,restricted,"ask;curate",hr; okta:eng,yes\n'
    assert people(HEADER + row) == [
        ListedPerson(
            2, "freya", "okta", "Stone, Freya", "00u1", Label.RESTRICTED, ("ask", "curate"), ("hr", "okta:eng"), True
        )
    ]


def test_empty_says_nothing_and_a_dash_says_none() -> None:
    assert people("name,roles,capabilities\nfreya,,\ngus,-,-\n") == [
        ListedPerson(2, "freya"),
        ListedPerson(3, "gus", roles=(), capabilities=()),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbfname;roles\r\nfreya;"hr;eng"\r\n',
        b'name;roles\rfreya;"hr;eng"\r',
        b"name\troles\nfreya\thr;eng\n",
        b"name,roles\nfreya,hr;eng",
        b'"Name", Roles\r\n\r\nfreya,hr;eng\n,\n',
    ],
)
def test_files_as_spreadsheets_write_them(content: bytes) -> None:
    """A mark in front, semicolons, tabs, CRLF, CR, no end of line, empty lines, capitals."""
    [freya] = people(content)
    assert (freya.name, freya.roles) == ("freya", ("hr", "eng"))


def test_a_formula_is_text() -> None:
    [freya] = people('name,display_name\nfreya,"=HYPERLINK(""http://x"")"\n')
    assert freya.display_name == '=HYPERLINK("http://x")'


def test_every_mistake_is_named_at_its_place() -> None:
    content = (
        "name,clearance,capabilities,active\n"
        "Freya,secret,ask,true\n"
        "gus,internal,provision,perhaps\n"
        "gus,internal\n"
        "hedy,public,ask,no\n"
        "hedy,public,ask,no\n"
    )
    assert mistakes(content) == [
        "line 2, column clearance: 'secret' is no label: use one of public, internal, confidential, restricted",
        "line 2, column name: 'Freya' is no name: use a-z, 0-9, '.', '_' and '-', at most 63, the first a letter or "
        "digit",
        "line 3, column active: 'perhaps' is neither true nor false",
        "line 3, column capabilities: 'provision' is nothing that a person may do: use ask, download, curate, "
        "administer, audit, open, export, erase, hold, reveal",
        "line 4: this line has 2 cells, and the first one names 4 columns",
        "line 6, column name: 'hedy' stands in line 5 already",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: the file is empty"),
        (b"\n\n", "line 1: the file is empty"),
        ("name\nfreya\n".encode("utf-16"), "not UTF-8"),
        (
            b"name,display_name\nfreya,Zo\xeb\n",
            "line 2, column display_name: 'Zo\N{REPLACEMENT CHARACTER}' is not UTF-8",
        ),
        (b"name\nfre\x00ya\n", "not UTF-8"),
        (b"surname\nfreya\n", "line 1, column 'surname': there is no such column"),
        (b"surname\nfreya\n", "line 1, column name: this column is missing"),
        (b"name,name\nfreya,gus\n", "line 1, column name: this column is there twice"),
        (b'name\n"freya\n', "line 2: its quotes do not fit"),
        (b'name\n"fre"ya\ngus\n', "line 2: its quotes do not fit"),
        (b"name\nokta:freya\n", "the source has its own column"),
        (b"name\n_canary\n", "is no name"),
        (b"name,source\nfreya,Okta!\n", "line 2, column source: 'Okta!' is no name"),
        (b"name,external_id\nfreya,x\ngus,x\n", "line 3, column external_id: 'x' stands in line 2 already"),
        (b'name,display_name\nfreya,"a\nb"\n', "line 2, column display_name"),
        (b"name,display_name\nfreya,\x1b[31m\n", "control character"),
        (b"name,display_name\nfreya," + b"x" * 201 + b"\n", "longer than 200"),
        (b"name\n" + b"".join(b"p%d\n" % n for n in range(MAX_ROWS + 1)), f"at most {MAX_ROWS} people"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str) -> None:
    found = mistakes(content)
    assert any(said in mistake for mistake in found), found
    assert not any(ord(c) < 32 for mistake in found for c in mistake)


def test_after_bad_quotes_the_rest_is_read() -> None:
    found = parse_list(b'name\n"fre"ya\ngus\n')
    assert [person.name for person in found.people] == ["gus"]
    assert set(COLUMNS) >= {"name", "roles"}
