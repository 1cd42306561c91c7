"""The documentation names only what exists, and its walks through the code go where they say."""

import re
from pathlib import Path

import pytest

from tests.contracts.documents import Page
from tests.support.environment import REPOSITORY

LINK = re.compile(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)")
EVERY = [
    page
    for folder in (".", "docs", "docs/adr", "docs/dev", "sample", "benchmarks")
    for page in (REPOSITORY / folder).glob("*.md")
]
# Decisions and changes are records of their time.
CURRENT = [page for page in EVERY if page.parent.name != "adr" and page.name != "CHANGELOG.md"]
WALKS = [page for page in CURRENT if page.parent.name == "dev" or page.name in {"CONTRIBUTING.md", "tour.md"}]
ASKS = "`prepare()` (`app/answer/pipeline.py`)"


def named(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("page", CURRENT, ids=named)
def test_a_page_names_only_what_exists(page: Path) -> None:
    """Paths, commands and routes; a walk names and calls as well, in the forms of `tests.contracts.documents`."""
    assert Page(page.read_text("utf-8"), folder=page.parent, with_names=page in WALKS).wrong == []


@pytest.mark.parametrize("page", EVERY, ids=named)
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`app/path.py`", "there is no app/path.py"),
        ("`docs/dev/nothing.md`", "there is no docs/dev/nothing.md"),
        ("`app/acl/scopes.py`, `paths.py`", "there is no paths.py"),
        ("`tests/nowhere/*.py`", "there is no tests/nowhere/*.py"),
        ("`anormal_path` (`app/paths.py`)", "app/paths.py does not define anormal_path"),
        ("`normal_paths` in `app/paths.py`", "app/paths.py does not define normal_paths"),
        ("`app/paths.py` has `is_above()`", "no file named here defines is_above()"),
        ("`app/db/session.py`: `Database.rewriting`", "no file named here defines Database.rewriting"),
        ("`app.paths.abnormal_path`", "no file named here defines app.paths.abnormal_path"),
        (f"{ASKS} → `folder_path()` (`app/paths.py`)", "prepare() does not call folder_path()"),
        (f"{ASKS} calls:\n\n1. `normal_path()` (`app/paths.py`), first.", "prepare() does not call normal_path()"),
        ("`make everything`", "no target: make everything"),
        ("`clearance sing`", "no command or option: clearance sing"),
        ("`clearance audit verify --tail X`", "no command or option: clearance audit verify --tail X"),
        ("`.venv/bin/python -m tests.nothing`", "no module: .venv/bin/python -m tests.nothing"),
        ("`PUT /api/v1/ask`", "no route: PUT /api/v1/ask"),
    ],
)
def test_what_is_not_so_is_found(text: str, wrong: str) -> None:
    assert wrong in Page(text, with_names=True).wrong


@pytest.mark.parametrize(
    "text",
    [
        "`normal_path` (`app/paths.py`), `app.paths.folder_path`, beside `app/acl/rules.py` `scopes.py`, `app/acl/r*`",
        f"{ASKS} → `retrieve()` → `visible_scopes()` (`app/acl/visible.py`)",
        f"{ASKS} calls, in this order:\n\n- `retrieve()`, and nothing\n- `open_trail()`",
        "`make check`, `clearance audit verify --head X`, `clearance`, `python -m app`, `python -m pytest`",
        "`GET /jobs/{id}`, `POST /api/v1/collections/NAME/documents`, `DELETE /documents/{document}`",
        "```\n`nowhere/x.py`\n```\n\n    `app/nothing.py`\n\n`None`, `CLEARANCE_API__KEY`, `os.environ`, `README.md`",
    ],
)
def test_what_is_so_is_let_pass(text: str) -> None:
    assert Page(text, with_names=True).wrong == []
