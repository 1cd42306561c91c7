"""The judge of generated answers, on answers whose truth is plain."""

import pytest

from app.evaluation.faithfulness import Faithfulness, gold_coverage, judge_answer, supports

PASSAGES = {
    1: "Pay\nSalaries arrive on the 25th of each month by bank transfer.",
    2: "Leave\nParental leave is 26 weeks.",
}


def test_true_sentences_with_right_citations_are_faithful_throughout() -> None:
    """Wherever the number stands."""
    judged = judge_answer("Salaries arrive on the 25th by bank transfer [1]. Parental leave is 26 weeks. [2]", PASSAGES)
    assert judged == Faithfulness(2, 2, 2, 2, 2)
    assert (judged.faithful, judged.citation_precision, judged.citation_recall) == (1, 1, 1)


def test_wrong_missing_and_further_citations() -> None:
    judged = judge_answer(
        "Salaries arrive by bank transfer [2]. Parental leave is 26 weeks. Parental leave is 26 weeks [1][2].", PASSAGES
    )
    assert judged == Faithfulness(sentences=3, supported=3, citations=3, right_citations=1, cited=1)


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("Parental leave is 26 weeks.", True),
        ("You get 26 weeks of parental leave.", True),
        ("Parental leave is 62 weeks.", False),
        ("Divers need a licence from the harbour office.", False),
        ("It is so.", False),
    ],
)
def test_a_sentence_needs_its_words_and_each_of_its_numbers(claim: str, supported: bool) -> None:
    assert supports(PASSAGES[2], claim) is supported


def test_an_answer_that_says_nothing_has_no_shares() -> None:
    judged = judge_answer("And so it is.", PASSAGES)
    assert (judged.faithful, judged.citation_precision, judged.citation_recall) == (None, None, None)


def test_gold_is_covered_by_its_words() -> None:
    assert gold_coverage("Parental leave [2].", [PASSAGES[2]]) == 1
    assert gold_coverage("Parental parrots.", [PASSAGES[2], PASSAGES[1]]) == 0.5
    assert gold_coverage("[1]", [PASSAGES[1]]) is None
