"""Reads datasets: documents with the role that reads them, questions with the role that asks and what answers them.

The layout is recognised by the files in the folder:

    beir       corpus.jsonl (_id, title, text), queries.jsonl (_id, text), qrels/*.tsv (query, document, grade)
    handbook   docs.jsonl (id, path, title, role), docs/ with these paths, dev/questions.jsonl (id, query, role, docs)
    passages   corpus.jsonl (id, title, text), dev/queries.jsonl (id, query, docs; site or grades where it has them)
"""

import html
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# The role tag of documents that everybody reads, in handbooks.
COMMON_ROLE = "all-staff"
# The role that reads and asks where a dataset has no roles.
DEFAULT_ROLE = "reader"
# Cranfield's grades run from 1, the best, to 4; others mean that a document does not answer.
GRADES = {1: 4.0, 2: 3.0, 3: 2.0, 4: 1.0}

LAYOUTS = (
    "a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv (BEIR), with corpus.jsonl and dev/queries.jsonl, or "
    "with docs.jsonl, docs/ and dev/questions.jsonl (a handbook)"
)


class UnreadableDataset(ValueError):
    """The folder holds no readable dataset; the message says what was expected."""


@dataclass(frozen=True)
class CorpusPage:
    """A document: a file to upload under `path`, readable for one role; `plain` is its text for outside tools.

    Without content it is not uploaded and not found; where it is an answer it counts as missed, as for other systems.
    """

    id: str
    path: str
    role: str
    content: bytes
    plain: str


@dataclass(frozen=True)
class Question:
    """A question, the role that asks it, and what answers it: document ids with a gain above zero."""

    id: str
    text: str
    role: str
    gold: Mapping[str, float]


@dataclass(frozen=True)
class Dataset:
    """Documents and questions. A role reads its own pages and those of the role `common`."""

    name: str
    layout: str
    pages: tuple[CorpusPage, ...]
    questions: tuple[Question, ...]
    common: str | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that reads or asks."""
        named = {p.role for p in self.pages} | {q.role for q in self.questions}
        return tuple(sorted(named))

    def readable(self, role: str) -> frozenset[str]:
        """The ids of the documents that a role may read."""
        return frozenset(p.id for p in self.pages if p.role in {role, self.common})

    def answerable(self) -> "Dataset":
        """The dataset with the answers that the asker may read, without questions that then have none."""
        seen = {role: self.readable(role) for role in self.roles}
        kept = [replace(q, gold={d: g for d, g in q.gold.items() if d in seen[q.role]}) for q in self.questions]
        return replace(self, questions=tuple(q for q in kept if q.gold))


def read(folder: Path, *, questions_from: Path | None = None) -> Dataset:
    """The dataset in a folder; raises UnreadableDataset.

    `questions_from` names another dataset whose texts replace those of the questions with the same ids: the same
    questions in another language, for example.
    """
    layout, reader = _layout(folder)
    try:
        dataset = reader(folder)
        _check(dataset)
        if questions_from is not None:
            texts = {q.id: q.text for q in read(questions_from).questions}
            replaced = tuple(replace(q, text=texts[q.id]) for q in dataset.questions if q.id in texts)
            dataset = replace(dataset, questions=replaced, name=f"{dataset.name} asked from {_name(questions_from)}")
            _check(dataset)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableDataset(f"{folder} looks like the layout '{layout}', but lacks {error}") from error
    except (OSError, ValueError) as error:
        raise UnreadableDataset(f"{folder} looks like the layout '{layout}', but: {error}") from error
    return dataset


def _layout(folder: Path) -> tuple[str, Callable[[Path], Dataset]]:
    if (folder / "docs.jsonl").is_file() and (folder / "dev" / "questions.jsonl").is_file():
        return "handbook", _handbook
    if (folder / "corpus.jsonl").is_file() and (folder / "dev" / "queries.jsonl").is_file():
        return "passages", _passages
    if (folder / "corpus.jsonl").is_file() and (folder / "queries.jsonl").is_file():
        return "beir", _beir
    found = sorted(f.name for f in folder.iterdir())[:8] if folder.is_dir() else ["no such folder"]
    raise UnreadableDataset(f"{folder} is no dataset: expected {LAYOUTS}; found {', '.join(found) or 'nothing'}")


def _beir(folder: Path) -> Dataset:
    gold: dict[str, dict[str, float]] = {}
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise UnreadableDataset("there is no qrels/*.tsv")
    chosen = next((f for f in files if f.stem == "test"), files[0])
    for line in chosen.read_text("utf-8").splitlines():
        query, document, grade = line.split("\t")
        if not grade.strip().lstrip("-").isdigit():
            continue  # the header
        if int(grade) > 0:
            gold.setdefault(query, {})[document] = float(grade)
    pages = _html_pages(
        (row["_id"], row.get("title", ""), row["text"], DEFAULT_ROLE) for row in _rows(folder / "corpus.jsonl")
    )
    questions = tuple(
        Question(row["_id"], row["text"], DEFAULT_ROLE, gold[row["_id"]])
        for row in _rows(folder / "queries.jsonl")
        if row["_id"] in gold
    )
    return Dataset(_name(folder), "beir", pages, questions)


def _passages(folder: Path) -> Dataset:
    """With `site` in the questions, a document's title is its site, and the role of a site reads that site alone."""
    rows = list(_rows(folder / "dev" / "queries.jsonl"))
    by_site = any("site" in row for row in rows)
    pages = _html_pages(
        (row["id"], row["title"], row["text"], _role(row["title"]) if by_site else DEFAULT_ROLE)
        for row in _rows(folder / "corpus.jsonl")
    )
    questions = tuple(
        Question(row["id"], row["query"], _role(row["site"]) if by_site else DEFAULT_ROLE, _gains(row)) for row in rows
    )
    return Dataset(_name(folder), "passages", pages, questions)


def _handbook(folder: Path) -> Dataset:
    """The questions are headings of the pages, which are removed here, or the task would be trivial."""
    rows = list(_rows(folder / "dev" / "questions.jsonl"))
    headings: dict[str, set[str]] = {}
    for row in rows:
        for page in row["docs"]:
            headings.setdefault(page, set()).add(row["query"].strip())
    pages = []
    for row in _rows(folder / "docs.jsonl"):
        lines = (folder / "docs" / row["path"]).read_text("utf-8").split("\n")
        text = "\n".join(line for line in lines if not _asks(line, headings.get(row["id"], set())))
        pages.append(CorpusPage(row["id"], row["path"], row["role"], text.encode(), text))
    questions = tuple(Question(row["id"], row["query"], row["role"], _gains(row)) for row in rows)
    return Dataset(_name(folder), "handbook", tuple(pages), questions, COMMON_ROLE)


def _asks(line: str, questions: set[str]) -> bool:
    """Whether the line is a heading with one of these questions."""
    bare = line.lstrip()
    words = bare.lstrip("# ").strip()
    return bare.startswith("#") and (words in questions or words.strip("*").strip() in questions)


def _html_pages(rows: Iterator[tuple[str, str, str, str]]) -> tuple[CorpusPage, ...]:
    """Pages of (id, title, text, role) as HTML, which keeps any text; Markdown would interpret its marks."""
    pages = []
    for number, (id_, title, text, role) in enumerate(rows):
        heading = f"<h1>{html.escape(title)}</h1>" if title else ""
        body = "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n") if part.strip())
        page = f"<!doctype html><title>{html.escape(title or str(number))}</title>{heading}{body}"
        content = page.encode() if f"{title}{text}".strip() else b""
        pages.append(CorpusPage(id_, f"{number:07d}.html", role, content, f"{title}\n{text}"))
    return tuple(pages)


def _gains(row: dict[str, Any]) -> dict[str, float]:
    if "grades" in row:
        return {document: GRADES[grade] for document, grade in row["grades"].items() if grade in GRADES}
    return dict.fromkeys(row["docs"], 1.0)


def _role(text: str) -> str:
    """The text as a valid role name."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text.lower())
    return kept.lstrip("._-")[:60] or DEFAULT_ROLE


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise UnreadableDataset(f"line {number} of {file.name} is no JSON: {error}") from error
                yield row


def _name(folder: Path) -> str:
    """The folder's name, with its parent's if it is only a language or a split."""
    path = folder.resolve()
    return path.name if len(path.name) > 3 else f"{path.parent.name}-{path.name}"


def _check(dataset: Dataset) -> None:
    """Raises UnreadableDataset for a dataset that would silently be measured wrongly."""
    ids = {p.id for p in dataset.pages}
    if len(ids) < len(dataset.pages) or len({p.path for p in dataset.pages}) < len(dataset.pages):
        raise UnreadableDataset("two documents have the same id or path")
    if not dataset.pages or not dataset.questions:
        raise UnreadableDataset("there are no documents, or no questions with an answer")
    missing = sorted({d for q in dataset.questions for d in q.gold} - ids)
    if missing:
        raise UnreadableDataset(f"{len(missing)} answers are no documents of the corpus, {missing[0]!r} for one")
