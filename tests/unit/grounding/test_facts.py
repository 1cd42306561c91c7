"""Facts in one form: what is written differently and means the same, and what is nearly the same and means another."""

import pytest

from app.grounding.facts import is_supported
from app.grounding.quantities import facts

SAME = [
    ("eight passages", "8 passages"),
    ("1,000 people", "1k people"),
    ("€5", "5 euros"),
    ("30 %", "thirty percent"),
    ("30 Prozent", "30%"),
    ("March 3rd, 2024", "3 March 2024"),
    ("am 3. März", "le 3 mars"),
    ("2024-03-03", "el 3 de marzo de 2024"),
    ("two weeks", "14 days"),
    ("12 months", "one year"),
    ("4 pm", "16:00"),
    ("16 Uhr", "4:00 p.m."),
    ("2.5 million euros", "2,5 Mio. Euro"),
    ("1.000 Euro", "1,000 euros"),
    ("1 500 km", "1,500 kilometres"),
    ("10 days", "5 to 10 days"),
    ("5 days", "5–10 days"),
    ("einundzwanzig Tage", "3 weeks"),
    ("version 8.0.27", "v8.0.27"),
    ("form DE 2501FP", "the DE-2501FP"),
    ("about 18.7 million", "18.74 million"),
    ("in March", "on 3 March"),
    ("9 days", "9 court days"),
]
OTHER = [
    ("8 m/s", "10.5 m/s"),
    ("30 days", "30 hours"),
    ("€5", "$5"),
    ("1,000 people", "100 people"),
    ("March 3rd", "March 13th"),
    ("3 March", "3 May"),
    ("4 pm", "4 am"),
    ("on Monday", "on Tuesday"),
    ("30 %", "13 %"),
    ("SHA-256", "SHA-512"),
    ("8.0.27", "8.0.28"),
    ("18.7 million", "18.74 million"),
    ("in 2024", "in 2025"),
    ("two weeks", "two months"),
]


@pytest.mark.parametrize(("said", "given"), SAME)
def test_the_same_in_another_form(said: str, given: str) -> None:
    assert facts(said, "de" if "zwanzig" in said else "en")
    assert all(is_supported(fact, facts(given)) for fact in facts(said, "de" if "zwanzig" in said else "en"))


@pytest.mark.parametrize(("said", "given"), [*OTHER, *((b, a) for a, b in OTHER)])
def test_another_one(said: str, given: str) -> None:
    assert not all(is_supported(fact, facts(given)) for fact in facts(said))


@pytest.mark.parametrize(
    "text", ["one of the teams", "once a day", "may we march in may", "an und für sich", "a, b, c"]
)
def test_no_facts_that_need_support(text: str) -> None:
    assert [fact for fact in facts(text) if not fact.soft] == []


def test_a_fact_says_where_it_stands() -> None:
    text = "It costs 30 euros a month from 3 March."
    assert [text[fact.start : fact.end] for fact in facts(text)] == ["30 euros", "3 March"]
