"""`clearance people import` against a real service: sums first, then people, and nothing without --apply."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.app import app
from tests.api.access_plans import everything
from tests.support.company import Company
from tests.support.service import parts_of, serve


@pytest.fixture
def desk(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for lists, and the company's service for its administrator."""
    with serve(parts_of(company.db)) as url:
        monkeypatch.setenv("CLEARANCE_URL", url)
        monkeypatch.setenv("CLEARANCE_KEY", company.keys["root"])
        yield tmp_path / "people.csv"


def run(list_file: Path, *options: str, content: str = "", answer: str = "") -> Result:
    if content:
        list_file.write_text(content)
    return CliRunner().invoke(app, ["people", "import", str(list_file), *options], input=answer)


def said(result: Result) -> str:
    return " ".join(result.output.split())


SMALL = "name,display_name,clearance,roles\nfreya,=1+1,confidential,hr\nben,,,hr\ncleo,,,\n"


def test_a_dry_run_is_the_default(desk: Path, company: Company) -> None:
    before = everything(company)
    shown = run(desk, content=SMALL)
    assert shown.exit_code == 0, shown.output
    assert "3 in the list: 1 made, 1 changed, 1 unchanged" in said(shown)
    assert "roles: 2 joined, 1 left" in said(shown)
    assert "1 would read more documents" in said(shown)
    assert "=1+1" in said(shown)
    assert "Nothing is changed yet" in said(shown)
    assert everything(company) == before


def test_applied_as_it_was_seen(desk: Path, company: Company) -> None:
    seen = json.loads(run(desk, "--json", content=SMALL).stdout)
    before = everything(company)
    assert run(desk, "--apply", answer="n\n").exit_code == 1
    assert everything(company) == before
    assert run(desk, "--apply", "--fingerprint", "0" * 64).exception is not None
    assert everything(company) == before
    done = run(desk, "--apply", "--fingerprint", seen["fingerprint"])
    assert (done.exit_code, "2 people are as the list has them" in said(done)) == (0, True)
    again = run(desk, "--apply", "--yes")
    assert "nothing to change" in said(again)


def test_three_thousand_rows_are_summed_up(desk: Path) -> None:
    rows = "".join(f"p{n},hr;engineering\n" for n in range(3_000))
    shown = run(desk, content=f"name,roles\n{rows}")
    assert "3,000 in the list: 3,000 made" in said(shown)
    assert "roles: 6,000 joined" in said(shown)
    assert "and 2,960 more; --json has all" in said(shown)
    assert len(shown.output.splitlines()) < 60


def test_too_many_who_are_missing(desk: Path, company: Company) -> None:
    shown = run(desk, "--complete", "local", content="name\nadmin\n")
    assert "--allow-large-removal" in said(shown)
    refused = run(desk, "--complete", "local", "--apply", "--yes")
    assert refused.exit_code == 1
    assert "more than a fifth" in str(refused.exception)
    assert company.rows("select active from app_user where name = 'ada'") == [{"active": True}]


@pytest.mark.parametrize("options", [["--yes"], ["--fingerprint", "x"], ["--allow-large-removal"]])
def test_options_that_do_not_fit(desk: Path, options: list[str]) -> None:
    refused = run(desk, *options, content=SMALL)
    assert refused.exit_code == 1
    assert "belong" in str(refused.exception)


def test_a_file_that_is_not_there(desk: Path) -> None:
    assert "cannot read" in str(run(desk).exception)
