"""How the best of a search are ordered anew: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from app.retrieval.passage import Hit, RankInfo
from app.retrieval.rerank import Reranking, model_input
from tests.support.passages import passage


def hits(*texts: str) -> list[Hit]:
    """Hits in this order, with scores from .9 downwards."""
    return [
        Hit(passage(text), score=0.9 - n / 10, similarity=0.5, coverage=0.5, ranks=RankInfo(n + 1, None, 0.3))
        for n, text in enumerate(texts)
    ]


@dataclass
class Told:
    """Gives each passage the score that it is told, and remembers what it was asked."""

    given: dict[str, float]
    name: str = "told"
    digest: str = "00" * 32
    asked: list[tuple[str, list[str]]] = field(default_factory=list)

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """The scores by the last line of each passage."""
        self.asked.append((question, list(passages)))
        return [self.given[text.splitlines()[-1]] for text in passages]


def texts(found: Sequence[Hit]) -> list[str]:
    return [hit.passage.text for hit in found]


def test_the_best_come_first_and_places_keep_their_scores() -> None:
    given = hits("a", "b", "c")
    ordered = Reranking(Told({"a": -2.0, "b": 1.5, "c": 7.0}), 20).order("why?", given)
    assert texts(ordered) == ["c", "b", "a"]
    assert [hit.score for hit in ordered] == [hit.score for hit in given]
    assert [hit.ranks.reranked for hit in ordered] == [7.0, 1.5, -2.0]
    assert ordered[0].passage is given[2].passage
    assert (ordered[0].ranks.dense_rank, ordered[0].ranks.share) == (3, 0.3), "the rest of how it was found stays"


def test_only_so_many_are_looked_at_and_the_others_follow_as_they_were() -> None:
    told = Told({"a": 0.0, "b": 1.0})
    ordered = Reranking(told, 2).order("why?", hits("a", "b", "c", "d"))
    assert texts(ordered) == ["b", "a", "c", "d"]
    assert [hit.ranks.reranked for hit in ordered] == [1.0, 0.0, None, None]
    assert [len(passages) for _, passages in told.asked] == [2]


def test_equal_scores_leave_the_order_as_it_was() -> None:
    given = hits("a", "b", "c", "d")
    assert texts(Reranking(Told({"a": 1.0, "b": 1.0, "c": 2.0, "d": 1.0}), 20).order("why?", given)) == list("cabd")


def test_nothing_to_order() -> None:
    told = Told({})
    assert Reranking(told, 20).order("why?", []) == []
    assert told.asked == []


@pytest.mark.parametrize(
    ("title", "headings", "line"),
    [("Leave", ("Leave", "Sick"), "Leave > Sick"), ("Leave", (), "Leave"), ("Leave", ("Sick",), "Leave > Sick")],
)
def test_the_model_reads_title_and_headings_once_and_then_the_text(
    title: str, headings: tuple[str, ...], line: str
) -> None:
    assert model_input(passage("Stay at home.", title=title, heading_path=headings)) == f"{line}\nStay at home."
