"""Readers of datasets, on small ones that are written here."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.evaluation.datasets import Question, UnreadableDataset
from app.evaluation.layouts import DEFAULT_ROLE, read
from ingest.extract import extract


def write(folder: Path, name: str, *rows: dict[str, Any] | str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n", "utf-8")


def beir(folder: Path, *judgements: str) -> None:
    write(
        folder, "corpus.jsonl", {"_id": "d1", "title": "Badges", "text": "Lost & found"}, {"_id": "d2", "text": "Lunch"}
    )
    write(folder, "queries.jsonl", {"_id": "q1", "text": "badge"}, {"_id": "q2", "text": "lunch"})
    write(folder, "qrels/test.tsv", "query-id\tcorpus-id\tscore", *judgements)


def test_beir(tmp_path: Path) -> None:
    beir(tmp_path, "q1\td1\t2", "q1\td2\t0")
    found = read(tmp_path)
    assert found.questions == (Question("q1", "badge", DEFAULT_ROLE, {"d1": 2.0}),), (
        "a question without answers is none"
    )
    assert [p.id for p in found.pages] == ["d1", "d2"]
    assert found.readable(DEFAULT_ROLE) == {"d1", "d2"}
    extracted = extract(found.pages[0].content, filename=found.pages[0].path)
    assert extracted.title == "Badges"
    assert "Lost & found" in [block.text for block in extracted.blocks]


def test_a_document_without_text_is_an_answer_that_cannot_be_found(tmp_path: Path) -> None:
    write(tmp_path, "corpus.jsonl", {"_id": "d1", "title": "", "text": " "}, {"_id": "d2", "text": "Lunch"})
    write(tmp_path, "queries.jsonl", {"_id": "q1", "text": "badge"})
    write(tmp_path, "qrels/test.tsv", "q1\td1\t1", "q1\td2\t1")
    found = read(tmp_path)
    assert [(p.id, p.content == b"") for p in found.pages] == [("d1", True), ("d2", False)]
    assert found.answerable().questions[0].gold == {"d1": 1.0, "d2": 1.0}


def test_markup_in_a_corpus_is_text(tmp_path: Path) -> None:
    text = "a <b>bold</b> *claim* & </p><h1>no heading</h1> # no comment"
    write(tmp_path, "corpus.jsonl", {"_id": "d1", "title": "<i>T</i>", "text": text})
    write(tmp_path, "queries.jsonl", {"_id": "q1", "text": "claim"})
    write(tmp_path, "qrels/test.tsv", "q1\td1\t1")
    page = read(tmp_path).pages[0]
    extracted = extract(page.content, filename=page.path)
    assert extracted.title == "<i>T</i>"
    assert [b.text for b in extracted.blocks if b.kind == "paragraph"] == [text]


def test_test_qrels_are_taken_before_others(tmp_path: Path) -> None:
    beir(tmp_path, "q1\td1\t1")
    write(tmp_path, "qrels/dev.tsv", "q2\td2\t1")
    assert [q.id for q in read(tmp_path).questions] == ["q1"]


def test_passages_with_sites_are_read_site_by_site(tmp_path: Path) -> None:
    write(tmp_path, "corpus.jsonl", *({"id": f"p{n}", "title": f"Shop{n}.com", "text": "We sell"} for n in (1, 2)))
    write(tmp_path, "dev/queries.jsonl", {"id": "q", "query": "sell?", "site": "Shop1.com", "docs": ["p1"]})
    found = read(tmp_path)
    assert [(p.id, p.role) for p in found.pages] == [("p1", "shop1.com"), ("p2", "shop2.com")]
    assert found.questions[0].role == "shop1.com"
    assert found.readable("shop1.com") == {"p1"}


def test_grades_of_cranfield_become_gains(tmp_path: Path) -> None:
    write(tmp_path, "corpus.jsonl", *({"id": f"d{n}", "title": "", "text": "wing"} for n in range(6)))
    grades = {"d0": 1, "d1": 4, "d2": -1, "d3": 5}
    write(tmp_path, "dev/queries.jsonl", {"id": "q", "query": "wing", "grades": grades, "docs": ["d0", "d1"]})
    assert read(tmp_path).questions[0].gold == {"d0": 4.0, "d1": 1.0}


def handbook(folder: Path) -> None:
    page = "# Pay\n\n## When is payday?\nAt the end.\n\n## **Who decides?**\nThe board.\n\nWhen is payday?\n"
    write(folder, "docs/hr/pay.md", page)
    write(folder, "docs/all.md", "# All\n\n## When is payday?\nSee Pay.\n")
    write(
        folder, "docs.jsonl",
        {"id": "h/pay", "path": "hr/pay.md", "title": "Pay", "role": "people"},
        {"id": "h/all", "path": "all.md", "title": "All", "role": "all-staff"},
    )  # fmt: skip
    write(
        folder, "dev/questions.jsonl",
        {"id": "1", "query": "When is payday?", "role": "people", "docs": ["h/pay"]},
        {"id": "2", "query": "Who decides?", "role": "people", "docs": ["h/pay"]},
        {"id": "3", "query": "Where is it?", "role": "sales", "docs": ["h/pay"]},
    )  # fmt: skip


def test_who_reads_what_in_a_handbook_and_headings_that_are_asked_are_not_in_the_page(tmp_path: Path) -> None:
    handbook(tmp_path)
    found = read(tmp_path)
    text = {p.id: p.content.decode() for p in found.pages}
    assert text["h/pay"] == "# Pay\n\nAt the end.\n\nThe board.\n\nWhen is payday?\n\n", "the sentence stays"
    assert "## When is payday?" in text["h/all"], "it is no answer there"
    assert found.roles == ("all-staff", "people", "sales")
    assert found.readable("people") == {"h/pay", "h/all"}
    assert found.readable("sales") == {"h/all"}
    assert [q.id for q in found.answerable().questions] == ["1", "2"], "sales may read no answer"


def test_questions_of_another_language_by_id(tmp_path: Path) -> None:
    for language, words in (("de", "Wie viele?"), ("en", "How many?")):
        folder = tmp_path / "squad" / language
        write(folder, "corpus.jsonl", {"id": f"{language}-0", "title": "T", "text": "Zwei"})
        write(folder, "dev/queries.jsonl", {"id": "same", "query": words, "docs": [f"{language}-0"]})
    found = read(tmp_path / "squad/de", questions_from=tmp_path / "squad/en")
    assert (found.questions[0].text, found.questions[0].gold) == ("How many?", {"de-0": 1.0})
    assert found.name == "squad-de asked from squad-en"


def test_questions_of_a_dataset_without_the_same_ids_are_refused(tmp_path: Path) -> None:
    beir(tmp_path / "one", "q1\td1\t1")
    beir(tmp_path / "two", "q2\td1\t1")
    with pytest.raises(UnreadableDataset, match=r"no question of .*two has the id of one in"):
        read(tmp_path / "one", questions_from=tmp_path / "two")


def test_a_split_is_a_folder_of_questions_or_a_file_of_judgements(tmp_path: Path) -> None:
    """Without one that is named it is dev, then test, then the only one; the corpus is the same for all."""
    handbook(tmp_path / "book")
    write(
        tmp_path / "book", "test/questions.jsonl",
        {"id": "9", "query": "What is all?", "role": "people", "docs": ["h/all"], "section": "See."},
    )  # fmt: skip
    dev, test = read(tmp_path / "book"), read(tmp_path / "book", split="test")
    assert (dev.split, [q.id for q in dev.questions]) == ("dev", ["1", "2", "3"])
    assert (test.split, [q.id for q in test.questions], test.questions[0].section) == ("test", ["9"], "See.")
    assert dev.pages == test.pages, "or a service that is kept for one could not be asked for the other"
    beir(tmp_path / "beir", "q1\td1\t1")
    write(tmp_path / "beir", "qrels/train.tsv", "q2\td2\t1")
    assert [q.id for q in read(tmp_path / "beir", split="train").questions] == ["q2"]
    (tmp_path / "beir/qrels/test.tsv").unlink()
    assert read(tmp_path / "beir").split == "train"
    write(tmp_path / "beir", "qrels/other.tsv", "q2\td2\t1")
    with pytest.raises(UnreadableDataset, match="several splits: name one with --split, of other, train"):
        read(tmp_path / "beir")


def test_a_split_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    handbook(tmp_path)
    with pytest.raises(UnreadableDataset, match="it has no split 'train': it has dev"):
        read(tmp_path, split="train")


def test_labels_and_earlier_turns(tmp_path: Path) -> None:
    """A question that nothing answers stays, for its label; the agent's turns are not the asker's."""
    write(tmp_path, "corpus.jsonl", {"id": "d1", "title": "", "text": "Tugs go in."})
    said = [{"speaker": "user", "text": "May tugs?"}, {"speaker": "agent", "text": "Yes."}]
    write(
        tmp_path, "dev/queries.jsonl",
        {"id": "1", "query": "And divers?", "docs": ["d1"], "history": said, "meta": {"Answerability": ["PARTIAL"]}},
        {"id": "2", "query": "And?", "docs": [], "meta": {"answerability": ["UNANSWERABLE"]}},
    )  # fmt: skip
    first, second = read(tmp_path).questions
    assert (first.label, first.earlier) == ("PARTIAL", ("May tugs?",))
    assert (second.label, second.earlier, second.gold) == ("UNANSWERABLE", (), {})


BROKEN_BEIR = [
    (shutil.rmtree, "no such folder"),
    (lambda f: (f / "queries.jsonl").unlink(), r"expected a folder with corpus\.jsonl.*found corpus\.jsonl, qrels"),
    (lambda f: (f / "qrels/test.tsv").unlink(), r"looks like the layout 'beir', but there is no qrels"),
    (lambda f: write(f, "corpus.jsonl", "{"), r"line 1 of .*corpus\.jsonl is no JSON"),
    (lambda f: write(f, "corpus.jsonl", "[]"), r"line 1 of .*corpus\.jsonl is a list, and must be an object"),
    (lambda f: write(f, "corpus.jsonl", ""), r"corpus\.jsonl is empty"),
    (lambda f: (f / "corpus.jsonl").write_bytes(b"\xff"), "is no UTF-8: invalid start byte at byte 0"),
    (lambda f: write(f, "corpus.jsonl", {"id": "d1"}), "line 1 of .* lacks '_id'; it has 'id'"),
    (lambda f: write(f, "corpus.jsonl", {"_id": "d1", "text": 7}), "'text' is a number, and must be text"),
    (lambda f: write(f, "corpus.jsonl", {"_id": "d2", "text": "x"}), "1 answers are no documents.*'d1'"),
    (lambda f: write(f, "corpus.jsonl", *[{"_id": "d1", "text": "x"}] * 2), "two documents have the same id: 'd1'"),
    (
        lambda f: write(f, "queries.jsonl", *[{"_id": "q1", "text": "x"}] * 2),
        r"line 2 of .*queries\.jsonl has the same '_id' as line 1 of .*: 'q1'",
    ),
    (lambda f: write(f, "queries.jsonl", {"_id": "q1", "text": " "}), "line 1 of .* 'text' is empty"),
    (lambda f: write(f, "queries.jsonl", {"_id": "q2", "text": "x"}), "judges 'q1', which is no query"),
    (lambda f: write(f, "qrels/test.tsv", "q1\td1\t0"), "names no answer: no grade is above 0"),
    (lambda f: write(f, "qrels/test.tsv", "q1 d1 1"), "line 1 of qrels/test.tsv has 1 columns, and needs three"),
    (lambda f: write(f, "qrels/test.tsv", "a\tb\tc", "q1\td1\tgood"), "line 2 of .*: the grade 'good' is no number"),
]


@pytest.mark.parametrize(("change", "says"), BROKEN_BEIR)
def test_what_is_no_dataset_is_refused_with_what_was_expected(tmp_path: Path, change: Any, says: str) -> None:
    beir(tmp_path, "q1\td1\t1")
    change(tmp_path)
    with pytest.raises(UnreadableDataset, match=says):
        read(tmp_path)


PAY = {"id": "h/pay", "path": "hr/pay.md", "role": "people"}
ASKED = {"id": "1", "query": "When?", "role": "people", "docs": ["h/pay"]}
BROKEN_HANDBOOK = [
    (lambda f: (f / "docs/all.md").unlink(), r"the file .*docs/all\.md is missing"),
    (lambda f: write(f, "docs.jsonl", {**PAY, "path": "../dev/questions.jsonl"}), "is no path below docs/"),
    (lambda f: write(f, "docs.jsonl", {**PAY, "path": "/etc/passwd"}), "is no path below docs/"),
    (lambda f: write(f, "docs.jsonl", {**PAY, "role": "Human Resources"}), "'Human Resources' is no role"),
    (lambda f: write(f, "docs.jsonl", PAY, {**PAY, "id": "other"}), "the same path: 'hr/pay.md'"),
    (lambda f: write(f, "dev/questions.jsonl", {**ASKED, "role": None}), "'role' is null, and must be text"),
    (lambda f: write(f, "dev/questions.jsonl", {k: v for k, v in ASKED.items() if k != "role"}), "lacks 'role'"),
    (lambda f: write(f, "dev/questions.jsonl", {**ASKED, "docs": "h/pay"}), "'docs' is text, and must be a list"),
    (lambda f: write(f, "dev/questions.jsonl", {**ASKED, "docs": [1]}), "'docs' must be a list of texts"),
    (lambda f: write(f, "dev/questions.jsonl", {**ASKED, "role": "sales"}), "none of its 1 questions has an answer"),
    (lambda f: write(f, "dev/questions.jsonl", ""), r"dev/questions\.jsonl is empty"),
]


@pytest.mark.parametrize(("change", "says"), BROKEN_HANDBOOK)
def test_a_broken_handbook_is_refused(tmp_path: Path, change: Any, says: str) -> None:
    """A path that leads out would be read here and written there."""
    handbook(tmp_path)
    change(tmp_path)
    with pytest.raises(UnreadableDataset, match=f"looks like the layout 'handbook', but .*{says}"):
        read(tmp_path)
