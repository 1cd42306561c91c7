"""The exposure report in words: what a table and an annex say of people who are gone, of gaps, and of odd names."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from app.cli.app import app
from app.cli.exposure_report import markdown, person_row, summary_lines
from app.client.api import Client
from tests.support.http_stub import Request, http_stub

T = "2026-11-01T0{}:00:00+00:00".format
TIMES = {"answers": 2, "searches": 0, "opened": 1, "downloaded": 0, "read_back": 0}
PEOPLE: list[dict[str, Any]] = [
    {"person": "p1", "user": "a|b *c*\n# x", "names": ["ada"], "could": [{"grant": 0, "first": T(1), "last": T(3)}],
     "shown": {"first": T(2), "last": T(2), "times": TIMES}},
    {"person": "p2", "user": None, "names": ["ben", "benny"], "could": [], "shown": None},
]  # fmt: skip
MADE = {"seq": 7, "at": T(1), "person": "p9", "user": None, "names": [], "action": "document.ruled", "target": "x"}
REPORT: dict[str, Any] = {
    "document": "d1", "since": T(1), "until": T(4), "known_from": T(2), "pruned_before": T(3), "complete": False,
    "gone": True,
    "stays": [{"collection": "c1", "first": T(1), "last": None}], "recorded": "r1", "people": PEOPLE,
    "counts": {"shown": 1, "could": 1, "never_shown": 0, "shown_without_grant": 1},
    "grants": [
        {"kind": "everyone", "principal": "0", "name": None, "starts_at": None, "ends_at": T(3), "made": [MADE]},
        {"kind": "role", "principal": "r9", "name": None, "starts_at": T(1), "ends_at": None, "made": []},
    ],
}  # fmt: skip


def test_a_person_is_told_of_by_what_is_known() -> None:
    assert person_row(PEOPLE[0])[1:] == (
        "2 answers, 1 opened", "2026-11-01 02:00:00", "2026-11-01 02:00:00", "2026-11-01 01:00 – 2026-11-01 03:00 [0]",
    )  # fmt: skip
    assert person_row(PEOPLE[1]) == ("ben, benny (gone)", "never", "–", "–", "no grant is known")


def test_what_is_not_known_is_said() -> None:
    text = " ".join(summary_lines(REPORT))
    assert "d1, which is gone" in text
    assert "known from 2026-11-01 02:00:00 on" in text
    assert "Shown to 1 for whom the history knows no grant." in text
    assert "removed records of before 2026-11-01 03:00:00 (UTC), which may be missing here" in text
    counts = {**REPORT["counts"], "shown_without_grant": 0}
    whole = {**REPORT, "known_from": T(1), "pruned_before": None, "gone": False, "counts": counts}
    assert len(list(summary_lines(whole))) == 3


def test_a_name_is_one_cell_of_the_annex_and_nothing_else() -> None:
    lines = markdown(REPORT).splitlines()
    assert r"a\|b \*c\* \# x" in next(line for line in lines if "2 answers" in line)
    assert [line for line in lines if line.startswith("#")] == [
        "# Exposure of a document", "## Where it stood", "## Grants that opened it", "## People",
    ]  # fmt: skip
    assert "| 0 | everyone until 2026-11-01 03:00 | p9 (gone), 2026-11-01 01:00, document.ruled, record 7 |" in lines
    assert "| 1 | role r9 from 2026-11-01 01:00 | no record tells |" in lines
    assert lines[-1] == "This look at the log is record r1."


def paged(request: Request) -> None:
    """Two pages of one person each, under one head."""
    after = parse_qs(urlsplit(request.path).query).get("after", ["0"])[0]
    body = json.dumps({**REPORT, "people": [PEOPLE[int(after)]]}).encode()
    request.send_response(200)
    if after == "0":
        request.send_header("Link", '<?document=d1&after=1>; rel="next"')
    request.end_headers()
    request.wfile.write(body)


def test_a_report_has_the_people_of_all_its_pages() -> None:
    with http_stub(paged) as url, Client(url, "k") as client:
        found = client.joined("/audit/exposure", items="people", document="d1")
    assert found == REPORT


@pytest.mark.parametrize(("option", "begins"), [((), "Document d1"), (("--markdown",), "# Exposure of a document")])
def test_the_command_prints_a_table_or_an_annex(
    monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], begins: str
) -> None:
    monkeypatch.setenv("CLEARANCE_KEY", "k")
    with http_stub(paged) as url:
        given = ["audit", "exposure", "--document", "d1", "--since", "2026-11-01", "--url", url, *option]
        ended = CliRunner().invoke(app, given)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith(begins)
    assert "ben, benny (gone)" in ended.stdout
