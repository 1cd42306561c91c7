"""What words weigh follows from the language of the question and from what the model knows, on every path."""

from collections.abc import Sequence

import pytest

from app.embedding.hashed import HashedEmbedder
from app.retrieval import search as retrieval
from app.retrieval.fusion import FOREIGN_LEXICAL_WEIGHT, LEXICAL_WEIGHT, Candidate, combine
from tests.support.company import Company
from tests.support.questions import ask
from tests.support.service import client_of, parts_of

ENGLISH, GERMAN, JAPANESE = (
    "How many weeks of leave are there?",
    "Wie viele Wochen Urlaub gibt es?",
    "休暇は何週間ですか？",
)


class Knowing(HashedEmbedder):
    """A model that was trained on some languages."""

    def __init__(self, *languages: str) -> None:
        self.languages = frozenset(languages)


@pytest.mark.parametrize(
    ("known", "question", "weight"),
    [
        (("en",), ENGLISH, LEXICAL_WEIGHT),
        (("en",), GERMAN, FOREIGN_LEXICAL_WEIGHT),
        (("en", "de"), GERMAN, LEXICAL_WEIGHT),
        (("en", "de"), JAPANESE, FOREIGN_LEXICAL_WEIGHT),
    ],
)
def test_words_weigh_as_the_model_knows_the_language(
    company: Company, monkeypatch: pytest.MonkeyPatch, known: Sequence[str], question: str, weight: float
) -> None:
    weights = []

    def watched(candidates: Sequence[Candidate], words: float) -> list[tuple[int, float]]:
        weights.append(words)
        return combine(candidates, words)

    monkeypatch.setattr(retrieval, "combine", watched)
    with client_of(parts_of(company.db, embedder=Knowing(*known))) as client:
        assert ask(client, company, "ben", question, mode="quote").status_code == 200
        found = client.post("/api/v1/search", json={"query": question}, headers=company.headers("ben"))
        assert found.status_code == 200
    assert weights == [weight, weight]
