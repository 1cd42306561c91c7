"""Reads datasets. The layout is recognised by the files in the folder, and `SPLIT` is one of its sets of questions:

beir       corpus.jsonl (_id, title, text), queries.jsonl (_id, text), qrels/SPLIT.tsv (query, document, grade)
handbook   docs.jsonl (id, path, role), docs/ with these paths, SPLIT/questions.jsonl (id, query, role, docs; section
           where it is known)
passages   corpus.jsonl (id, title, text), SPLIT/queries.jsonl (id, query, docs; site, grades, history and
           meta.answerability where it has them)
"""

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from app.errors import InvalidInput
from app.evaluation.asked_headings import remove_questions
from app.evaluation.datasets import CorpusPage, Dataset, Question, UnreadableDataset
from app.evaluation.json_rows import Row, read_rows, read_text
from app.paths import normal_path

# The role tag of documents that everybody reads, in handbooks.
COMMON_ROLE = "all-staff"
# The role that reads and asks where a dataset has no roles.
DEFAULT_ROLE = "reader"
# As roles of the product, with room for what is put before them to name their people.
ROLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,57}")
# Cranfield's grades run from 1, the best, to 4; others mean that a document does not answer.
GRADES = {1: 4.0, 2: 3.0, 3: 2.0, 4: 1.0}
LAYOUTS = (
    "a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv (BEIR), with corpus.jsonl and dev/queries.jsonl, or "
    "with docs.jsonl, docs/ and dev/questions.jsonl (a handbook)"
)
HANDBOOK_QUESTIONS, PASSAGE_QUESTIONS = "questions.jsonl", "queries.jsonl"
# Taken where none is named: what is open for everyone's work.
USUAL_SPLITS = {"beir": ("test", "dev"), "handbook": ("dev", "test"), "passages": ("dev", "test")}

Reader = Callable[[Path, str], Dataset]


def read(folder: Path, *, split: str | None = None, questions_from: Path | None = None) -> Dataset:
    """The dataset in a folder, with the questions of one split; raises UnreadableDataset.

    `questions_from` names another dataset whose texts replace those of the questions with the same ids: the same
    questions in another language, for example.
    """
    layout, reader, splits = _layout(folder)
    try:
        chosen = _choose_split(splits, split, USUAL_SPLITS[layout])
        dataset = replace(reader(folder, chosen), split=chosen)
        _require_sound(dataset)
    except UnreadableDataset as error:
        raise UnreadableDataset(f"{folder} looks like the layout '{layout}', but {error}") from error
    if questions_from is None:
        return dataset
    texts = {q.id: q.text for q in read(questions_from, split=split).questions}
    replaced = tuple(replace(q, text=texts[q.id]) for q in dataset.questions if q.id in texts)
    if not replaced:
        raise UnreadableDataset(f"no question of {questions_from} has the id of one in {folder}")
    return replace(dataset, questions=replaced, name=f"{dataset.name} asked from {_name(questions_from)}")


def _layout(folder: Path) -> tuple[str, Reader, list[str]]:
    """The layout's name, its reader, and the names of its splits."""
    handbook, passages = (
        sorted(f.parent.name for f in folder.glob(f"*/{name}")) for name in (HANDBOOK_QUESTIONS, PASSAGE_QUESTIONS)
    )
    if (folder / "docs.jsonl").is_file() and handbook:
        return "handbook", _handbook, handbook
    if (folder / "corpus.jsonl").is_file() and passages:
        return "passages", _passages, passages
    if (folder / "corpus.jsonl").is_file() and (folder / "queries.jsonl").is_file():
        return "beir", _beir, sorted(f.stem for f in folder.glob("qrels/*.tsv"))
    found = sorted(f.name for f in folder.iterdir())[:8] if folder.is_dir() else ["no such folder"]
    raise UnreadableDataset(f"{folder} is no dataset: expected {LAYOUTS}; found {', '.join(found) or 'nothing'}")


def _choose_split(splits: list[str], wanted: str | None, usual: tuple[str, ...]) -> str:
    """The split that is wanted, or a usual one, or the only one."""
    if not splits:
        raise UnreadableDataset("there is no qrels/*.tsv")
    if wanted is not None:
        if wanted not in splits:
            raise UnreadableDataset(f"it has no split {wanted!r}: it has {', '.join(splits)}")
        return wanted
    chosen = [name for name in usual if name in splits] or splits
    if len(splits) > 1 and chosen is splits:
        raise UnreadableDataset(f"it has several splits: name one with --split, of {', '.join(splits)}")
    return chosen[0]


def _beir(folder: Path, split: str) -> Dataset:
    pages = _html_pages(
        (row.text("_id"), row.text("title", ""), row.text("text"), DEFAULT_ROLE)
        for row in read_rows(folder / "corpus.jsonl")
    )
    gold = _judgements(folder / "qrels" / f"{split}.tsv")
    rows = {row.text("_id"): row for row in _distinct(read_rows(folder / "queries.jsonl"), "_id")}
    if lost := sorted(gold.keys() - rows.keys()):
        raise UnreadableDataset(f"qrels/{split}.tsv judges {lost[0]!r}, which is no query of queries.jsonl")
    questions = (Question(id_, row.words("text"), DEFAULT_ROLE, gold[id_]) for id_, row in rows.items() if id_ in gold)
    return Dataset(_name(folder), "beir", pages, tuple(questions))


def _judgements(file: Path) -> dict[str, dict[str, float]]:
    """Query → document → grade above zero."""
    gold: dict[str, dict[str, float]] = {}
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        columns = line.strip().split("\t")
        if len(columns) != 3 and line.strip():
            raise UnreadableDataset(
                f"line {number} of qrels/{file.name} has {len(columns)} columns, and needs three with tabs between: "
                "query, document, grade"
            )
        if len(columns) == 3 and (grade := _grade(columns[2], number, file.name)) > 0:
            gold.setdefault(columns[0], {})[columns[1]] = grade
    if not gold:
        raise UnreadableDataset(f"qrels/{file.name} names no answer: no grade is above 0")
    return gold


def _grade(text: str, number: int, file: str) -> float:
    """The grade in the third column; 0 for the heading of the first line."""
    try:
        return float(text)
    except ValueError:
        if number == 1:
            return 0.0
        raise UnreadableDataset(f"line {number} of qrels/{file}: the grade {text!r} is no number") from None


def _passages(folder: Path, split: str) -> Dataset:
    """With `site` in the questions, a document's title is its site, and the role of a site reads that site alone."""
    rows = list(_distinct(read_rows(folder / split / PASSAGE_QUESTIONS), "id"))
    by_site = any("site" in row.fields for row in rows)
    pages = _html_pages(
        (row.text("id"), row.text("title"), row.text("text"), _role(row.text("title")) if by_site else DEFAULT_ROLE)
        for row in read_rows(folder / "corpus.jsonl")
    )
    questions = tuple(
        Question(
            row.text("id"),
            row.words("query"),
            _role(row.text("site")) if by_site else DEFAULT_ROLE,
            _gains(row),
            label=_answerability(row),
            earlier=_earlier(row),
        )
        for row in rows
    )
    return Dataset(_name(folder), "passages", pages, questions)


def _handbook(folder: Path, split: str) -> Dataset:
    """The questions are headings of the pages, which are removed here, or the task would be trivial.

    Those of every split: the corpus is the same whichever is asked.
    """
    headings: dict[str, set[str]] = {}
    for file in sorted(folder.glob(f"*/{HANDBOOK_QUESTIONS}")):
        for row in read_rows(file):
            for page in row.texts("docs"):
                headings.setdefault(page, set()).add(row.text("query"))
    pages = []
    for row in _distinct(read_rows(folder / "docs.jsonl"), "id"):
        text = remove_questions(read_text(folder / "docs" / _inside(row)), headings.get(row.text("id"), ()))
        pages.append(CorpusPage(row.text("id"), row.text("path"), _role_of(row), text.encode(), text))
    questions = tuple(
        Question(row.text("id"), row.words("query"), _role_of(row), _gains(row), section=row.text("section", ""))
        for row in _distinct(read_rows(folder / split / HANDBOOK_QUESTIONS), "id")
    )
    return Dataset(_name(folder), "handbook", tuple(pages), questions, COMMON_ROLE)


def _distinct(rows: Iterable[Row], name: str) -> Iterator[Row]:
    """The rows, whose ids must differ."""
    first: dict[str, str] = {}
    for row in rows:
        before = first.setdefault(row.text(name), row.place)
        if before != row.place:
            raise UnreadableDataset(f"{row.place} has the same {name!r} as {before}: {row.text(name)!r}")
        yield row


def _inside(row: Row) -> str:
    """The path of a document, which must not lead out of the dataset's folder."""
    path = row.words("path")
    try:
        if normal_path(path) == path:
            return path
    except InvalidInput:
        pass
    raise UnreadableDataset(f"{row.place}: {path!r} is no path below docs/")


def _role_of(row: Row) -> str:
    role = row.text("role")
    if not ROLE.fullmatch(role):
        raise UnreadableDataset(f"{row.place}: {role!r} is no role: write it in a-z, 0-9, '.', '_' and '-', up to 58")
    return role


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


def _gains(row: Row) -> Mapping[str, float]:
    if "grades" in row.fields:
        return {document: GRADES[grade] for document, grade in row.mapping("grades").items() if grade in GRADES}
    return dict.fromkeys(row.texts("docs"), 1.0)


def _answerability(row: Row) -> str:
    """What the dataset says about whether the question can be answered, or nothing."""
    meta = {name.casefold(): value for name, value in row.mapping("meta", {}).items()}
    labels = meta.get("answerability")
    return str(labels[0]) if isinstance(labels, list) and labels else ""


def _earlier(row: Row) -> tuple[str, ...]:
    """The asker's turns before the question, oldest first."""
    turns = row.fields.get("history", [])
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise UnreadableDataset(f"{row.place}: 'history' must be a list of objects with 'speaker' and 'text'")
    said = (Row(f"{row.place}, 'history'", turn) for turn in turns)
    return tuple(turn.words("text") for turn in said if turn.text("speaker") == "user")


def _role(text: str) -> str:
    """The text as a valid role name."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text.lower())
    return kept.lstrip("._-")[:58] or DEFAULT_ROLE


def _name(folder: Path) -> str:
    """The folder's name, with its parent's if it is only a language or a split."""
    path = folder.resolve()
    return path.name if len(path.name) > 3 else f"{path.parent.name}-{path.name}"


def _require_sound(dataset: Dataset) -> None:
    """Raises UnreadableDataset for a dataset that would silently be measured wrongly."""
    for what, names in (("id", [p.id for p in dataset.pages]), ("path", [p.path for p in dataset.pages])):
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise UnreadableDataset(f"two documents have the same {what}: {twice[0]!r}")
    missing = sorted({d for q in dataset.questions for d in q.gold} - {p.id for p in dataset.pages})
    if missing:
        raise UnreadableDataset(f"{len(missing)} answers are no documents of the corpus, {missing[0]!r} for one")
    if not dataset.answerable().questions:
        raise UnreadableDataset(f"none of its {len(dataset.questions)} questions has an answer that its asker may read")
