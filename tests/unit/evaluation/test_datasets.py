"""What a dataset says of itself: gold within reach, and samples."""

from app.evaluation.datasets import CorpusPage, Dataset, Question

PAGES = tuple(CorpusPage(i, i, role, b"", "") for i, role in (("a", "one"), ("b", "two")))
MANY = Dataset("x", "beir", PAGES, tuple(Question(f"q{n}", "?", "one", {"a": 1.0}) for n in range(50)))


def test_gold_that_the_asker_may_not_read_is_not_asked_for() -> None:
    whole = Dataset("x", "beir", PAGES, (Question("q", "?", "one", {"a": 1.0, "b": 1.0}),))
    assert whole.answerable().questions[0].gold == {"a": 1.0}


def test_a_sample_is_the_same_each_time_in_order_and_holds_the_smaller_ones() -> None:
    """Whatever stands around it in the file: else two runs of one limit could not be compared."""
    twenty, ten = MANY.sample(20), MANY.sample(10)
    assert len(twenty.questions) == 20
    assert {q.id for q in ten.questions} < {q.id for q in twenty.questions}
    assert [q for q in MANY.questions if q in twenty.questions] == list(twenty.questions)
    assert twenty.questions != MANY.questions[:20], "the first ones would be of one folder"
    assert (twenty.sampled_from, MANY.sample(50).sampled_from) == (50, None)
    shuffled = Dataset("x", "beir", PAGES, MANY.questions[::-1]).sample(20)
    assert {q.id for q in shuffled.questions} == {q.id for q in twenty.questions}


def test_a_sample_is_asked_of_the_same_world() -> None:
    asks = Dataset("x", "beir", PAGES, (Question("1", "?", "one", {}), Question("2", "?", "three", {})))
    assert asks.sample(1).roles == asks.roles == ("one", "three", "two")
