"""Marks of leaning, by tables: what weighs earlier turns fully, and what we ask back about."""

import pytest

from app.answer.leaning import is_incomplete, leans

# With no earlier turn there is nothing to search for.
INCOMPLETE = [
    "And how long?", "and divers?", "How does it affect the performance?", "Did they win any awards?", "Tell me more.",
    "How often is it changed?", "Are they safer than the other ones?", "Why?", "Und wie lange?", "Und Taucher?",
    "Et combien ?", "Et pour combien de temps ?", "¿Y cuánto tiempo?", "¿Y ella?", "x", "q?",
]  # fmt: skip
# Leaning on what went before, but with something to search for.
LEANING = [
    "What about divers in winter storms?", "Does this hold for divers in the northern basin too?",
    "Gilt diese Regel für Taucher im Hafenbecken?", "Müssen sie ihre Tauchgänge im Hafenbuch eintragen lassen?",
    "Cette règle vaut-elle pour les plongeurs du bassin nord ?", "¿Vale esto para los buzos del muelle norte?",
]  # fmt: skip
WHOLE = [
    "At what wind speed must tugs stop working in the northern basin?",
    "How long does it take to get a visa for a business trip abroad?",
    "Is it safe to dive?",
    "How much does it cost to hire Blue Ness?",
    "Will they keep my data for legal obligations?",
    "Is it possible to carry over unused holiday into April?",
    "Bis zu welcher Windstärke arbeiten Schlepper im Nordbecken?",
    "Können Sie mir Kilometergeld für Dienstreisen auszahlen?",
    "Jusqu'à quelle vitesse du vent travaillent les remorqueurs du bassin ?",
    "¿Hasta qué velocidad del viento trabajan los remolcadores del puerto?",
]


@pytest.mark.parametrize("question", INCOMPLETE)
def test_what_names_nothing_is_incomplete(question: str) -> None:
    assert is_incomplete(question)
    assert leans(question)


@pytest.mark.parametrize("question", LEANING)
def test_what_points_back_leans_and_can_be_searched(question: str) -> None:
    assert leans(question)
    assert not is_incomplete(question)


@pytest.mark.parametrize("question", WHOLE)
def test_what_names_its_subject_is_never_asked_back(question: str) -> None:
    assert not is_incomplete(question)


@pytest.mark.parametrize("question", ["", "???", "parental leave", "Travel expenses", "育児休暇は何週間ですか", "水"])
def test_a_subject_alone_is_a_question(question: str) -> None:
    assert not is_incomplete(question)


def test_a_question_about_something_else_does_not_lean() -> None:
    assert not leans("At what wind speed must tugs stop working in the northern basin?")
