"""`clearance ingest --sync` against a real service: shown first, asked for, whole."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.app import app
from tests.api.folders import ids
from tests.support.company import Company
from tests.support.service import parts_of, serve
from tests.support.worker import work_queued

EVERYONE = "rules: [{path: '**', roles: [hr]}]\n"


@contextlib.contextmanager
def working(company: Company) -> Iterator[None]:
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            work_queued(company.db)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def desk(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of eleven files, and the company's service with a worker, for hank, who curates hr and reads it."""
    (tmp_path / "access.yaml").write_text(EVERYONE)
    for path in (f"many/{n}.md" for n in range(10)):
        write(tmp_path, path)
    write(tmp_path, "salaries.md")
    with serve(parts_of(company.db)) as url, working(company):
        monkeypatch.setenv("CLEARANCE_URL", url)
        monkeypatch.setenv("CLEARANCE_KEY", company.keys["hank"])
        yield tmp_path


def write(folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(exist_ok=True, parents=True)
    (folder / path).write_text(f"# {path}\n\nWhat stands in {path}.")


def ingest(folder: Path, *options: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["ingest", str(folder), "--collection", "hr", *options], input=answer)


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_folder_and_its_collection_stay_alike(desk: Path, company: Company) -> None:
    first = ingest(desk)
    assert first.exit_code == 0, first.output
    before = ids(company)
    assert len(before) == 11
    (desk / "many").rename(desk / "few")
    (desk / "few/9.md").unlink()
    plain = ingest(desk, "--sync", answer="n\n")
    assert plain.exit_code == 1
    assert "Move 9 and remove 1 of 11 documents?" in said(plain)
    assert ids(company) == before
    done = ingest(desk, "--sync", "--yes")
    assert done.exit_code == 0, done.output
    assert "9 moved, 1 removed" in said(done)
    assert ids(company) == {
        "salaries.md": before["salaries.md"],
        **{f"few/{n}.md": before[f"many/{n}.md"] for n in range(9)},
    }
    assert "unchanged 10" in said(done)
    assert "moved" not in said(ingest(desk, "--sync"))


def test_a_folder_that_is_empty_or_half_gone_removes_nothing(desk: Path, company: Company) -> None:
    """As an unmounted disk looks; in so many words it may."""
    assert ingest(desk).exit_code == 0
    for path in desk.glob("many/*.md"):
        path.unlink()
    refused = ingest(desk, "--sync", "--yes")
    assert refused.exit_code == 1
    assert "10 of 11 documents would be removed, more than a fifth" in str(refused.exception or refused.output)
    assert len(ids(company)) == 11
    assert ingest(desk, "--sync", "--yes", "--allow-large-removal").exit_code == 0
    assert set(ids(company)) == {"salaries.md"}


def test_without_sync_what_is_gone_is_named_and_stays(desk: Path, company: Company) -> None:
    assert ingest(desk).exit_code == 0
    (desk / "many/3.md").unlink()
    result = ingest(desk)
    assert "many/3.md" in said(result)
    assert "1 document stays in hr without a file here; --sync removes what stays so" in said(result)
    assert "many/3.md" in ids(company)


def test_options_of_a_sync_are_for_a_sync(desk: Path) -> None:
    assert "belong to --sync" in str(ingest(desk, "--yes").exception)
