"""What is asked to measure answers, and the figures of what came back."""

import pytest

from app.evaluation import measures
from app.evaluation.answer_measures import Reply
from app.evaluation.answer_questions import AskedQuestion, answer_questions
from app.evaluation.answer_report import answer_groups, answer_result
from app.evaluation.datasets import CorpusPage, Dataset, Question
from app.evaluation.question_results import QuestionResult, merge_results

PAGES = tuple(
    CorpusPage(n, f"{n}.md", role, b"", "") for n, role in (("pay", "people"), ("gate", "guards"), ("all", "all"))
)


def asked(*questions: Question, layout: str = "passages") -> list[AskedQuestion]:
    return answer_questions(Dataset("x", layout, PAGES, questions, "all"))


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "BOOTSTRAP_SAMPLES", 20)


def test_a_question_is_asked_by_its_role_and_by_one_that_may_read_no_answer() -> None:
    right, wrong = asked(Question("q", "?", "people", {"pay": 1.0}, section="s"))
    assert (right.group, right.question.role, right.refusable) == ("right role", "people", False)
    assert (wrong.group, wrong.question.role, wrong.refusable) == ("a wrong role", "guards", True)
    assert (wrong.question.id, wrong.question.gold, wrong.question.section) == ("q as guards", {}, "")


def test_what_everybody_may_read_has_no_wrong_role() -> None:
    assert [a.group for a in asked(Question("q", "?", "people", {"all": 1.0}))] == ["right role"]


def test_labels_are_groups_and_say_what_should_be_refused() -> None:
    """An answer beside an underspecified question does not make it clear; small talk is neither."""
    found = asked(
        *(
            Question(label, "?", "people", gold, label=label)
            for label, gold in (
                ("ANSWERABLE", {"all": 1.0}), ("PARTIAL", {"all": 1.0}), ("UNDERSPECIFIED", {"all": 1.0}),
                ("UNANSWERABLE", {}), ("CONVERSATIONAL", {}),
            )
        )
    )  # fmt: skip
    refusable = {a.group: a.refusable for a in found}
    assert refusable == {"ANSWERABLE": False, "PARTIAL": False, "UNDERSPECIFIED": True, "UNANSWERABLE": True}


def test_a_question_whose_asker_may_read_no_answer_is_asked_by_nobody_else() -> None:
    assert [a.group for a in asked(Question("q", "?", "guards", {"pay": 1.0}))] == ["a wrong role"]


def test_handbooks_are_asked_what_nothing_in_them_answers() -> None:
    """No more than there are questions."""
    questions = [Question(f"q{n}", "?", "people", {"all": 1.0}) for n in range(20)]
    groups = [a.group for a in asked(*questions, layout="handbook")]
    assert {g: groups.count(g) for g in groups} == {"right role": 20, "off topic": 20, "nonsense": 10}


def test_groups_have_shares_means_forms_and_counts() -> None:
    questions = asked(*(Question(f"q{n}", "?", "people", {"pay": 1.0}) for n in range(2)))
    replies = [
        Reply("answered", "Bring:", ("Bring:",), ("pay",), ("pay", "gate"), 1.0, None, {"kept": 2, "dropped": 1}),
        Reply("quoted", "Eight.", ("Eight.",), (), (), 1.0, "Ungrounded", {"kept": 0, "dropped": 2}),
        Reply("nothing", "Nothing.", ("Nothing.",), (), ()),
        Reply("quoted", "x", ("x",), ("gate",), ("gate",)),
    ]
    readable = frozenset({"pay", "all"})
    results = [answer_result(a, "generate", r, readable) for a, r in zip(questions, replies, strict=True)]
    right, wrong = answer_groups(results, "generate")
    assert (right.name, right.questions, right.outcomes) == ("right role", 2, {"answered": 0.5, "quoted": 0.5})
    assert {name: mean.mean for name, mean in right.means.items()} == {
        "something said": 1, "page cited": 0.5, "page shown": 0.5, "whole form": 0.5,
    }  # fmt: skip
    assert (right.forms, right.grounding, right.fallbacks) == (
        {"colon": 1},
        {"kept": 2, "dropped": 3},
        {"Ungrounded": 1},
    )
    assert {name: mean.mean for name, mean in wrong.means.items()} == {"refused": 0.5}
    assert [r.systems["generate"].leaks for r in results] == [("gate",), (), (), ("gate",)]
    assert answer_groups(results, "quote") == ()


def test_what_search_and_answers_found_is_one_line_a_question() -> None:
    (right, _) = asked(Question("q", "?", "people", {"pay": 1.0}))
    said = answer_result(right, "quote", Reply("nothing", "", (), (), ()), frozenset())
    searched = QuestionResult("q", "?", "people", {"pay": 1.0})
    (line,) = merge_results([searched], [said])
    assert (line.group, list(line.systems)) == ("right role", ["quote"])
