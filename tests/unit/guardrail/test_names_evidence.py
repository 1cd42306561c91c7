"""Which words are names by what a model says, a lexicon and what stands around them."""

import pytest

from app.guardrail.names.evidence import names_in
from app.guardrail.names.lexicon import Lexicon, words_of
from app.guardrail.names.spelling import COMMON

LEXICON = Lexicon(
    words_of(("Anna", "Jean", "Quinn", "Grace", "Mehmet", "张伟")),
    words_of(("Müller", "Kowalski", "Brown", "O'Neil", "Berg")),
    COMMON | words_of(("batch cloud run slack brown grace deployments verify morning london",)),
)


def _left(text: str, *said: str, known: set[str] | None = None, lexicon: Lexicon = LEXICON) -> str:
    """The text with # for each name, where a model calls these words persons."""
    spans = [(text.index(words), text.index(words) + len(words)) for words in said]
    found = names_in(text, spans, lexicon, set() if known is None else known)
    hidden = {at for span in found for at in range(span.start, span.end)}
    marked = "".join("\0" if at in hidden else letter for at, letter in enumerate(text))
    return "#".join(part for part in _split(marked))


def _split(marked: str) -> list[str]:
    parts = [""]
    for at, letter in enumerate(marked):
        if letter != "\0":
            parts[-1] += letter
        elif at == 0 or marked[at - 1] != "\0":
            parts.append("")
    return parts


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        ("Anna", "Then Anna left.", "Then # left."),
        ("Jean van den Berg", "Ask Jean van den Berg now.", "Ask # now."),
        ("Verify Anna", "Verify Anna's form.", "Verify #'s form."),
        ("Dr. Kowalski", "Ask Dr. Kowalski.", "Ask Dr. #."),
        ("Quinn Slack", "By Quinn Slack.", "By #."),
        ("Grace Brown", "By Grace Brown.", "By #."),
        ("Zyrqa", "Then Zyrqa left.", "Then # left."),
        ("Anna-Lena O'Neil", "Ask Anna-Lena O'Neil's team.", "Ask #'s team."),
        ("张伟", "Ask 张伟 now.", "Ask # now."),
        ("MÜLLER", "Then MÜLLER left.", "Then # left."),
        ("Mehmet Zyrqa", "Mehmet Zyrqa, CEO", "#, CEO"),
        ("Brown", "Brown approved the plan.", "# approved the plan."),
        ("Grace", "It works. Grace told us so.", "It works. # told us so."),
        ("Slack", "Ask Mr Slack now.", "Ask Mr # now."),
        ("Zyrqa London", "Prepared by: Zyrqa London, today", "Prepared by: #, today"),
        ("Grace Brown", "Employer: Grace Brown", "Employer: #"),
        ("Anna", "Anna: 3 days", "#: 3 days"),
        ("Kowalski", "The report says Kowalski and Berg Hospital agree.", "The report says # and Berg Hospital agree."),
    ],
)
def test_what_is_a_name(said: str, text: str, left: str) -> None:
    assert _left(text, said) == left


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Batch", "Then Batch stopped."),
        ("Cloud Run", "With Cloud Run it works."),
        ("Grace", "Grace period: 3 days"),
        ("ZYR", "The ZYR is full."),
        ("DataZyrqa", "See DataZyrqa there."),
        ("Zyrqa", "See https://example.com/Zyrqa_4 there."),
        ("Zyrqa", 'It has "Zyrqa": 4 in it.'),
        ("Zyrqa 2 Qul", "Version Zyrqa 2 Qul is out."),
        ("Müller", "The Müller Hospital is shut."),
        ("Müller", "From Müller & Sons and others."),
        ("London", "In London it rains."),
        ("zyrqa", "See zyrqa there."),
        ("Brown", "Then Brown approved the plan."),
        ("Slack", "Slack approved the plan."),
        ("BROWN", "BROWN approved the plan."),
        ("Slack", "See MS Slack there."),
        ("The", "Ask Mr. The end."),
        ("London", "Prepared by London."),
        ("Slack Batch", "Prepared by: Slack Batch"),
        ("Zyrqa", "Then Zyrqa, a small town, was flooded."),
        ("Zyrqa", "Write to Zyrqa, TX 70123 today."),
        ("Zyrqa", "In the village of Zyrqa it rains."),
        ("Zyrqa", "I live in the city, town Zyrqa, and like it."),
        ("Zyrqa", "Bank name: Zyrqa"),
        ("Anna, Berg", "Company: Anna, Berg and others."),
        ("Zyrqa", "Zyrqa: 30"),
        ("Müller", "The Müller, Zyrqa and Qul Hospital is shut."),
        ("Zyrqa", "The Müller, Zyrqa and Qul Hospital is shut."),
    ],
)
def test_what_is_no_name_whatever_the_model_says(said: str, text: str) -> None:
    assert _left(text, said) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Anna Kowalski left.", "# left."),  # both nothing but names
        ("Dear Zyrqa,\n", "Dear #,\n"),
        ("Liebe Zyrqa Qul,\n", "Liebe #,\n"),
        ("Hi team,\n", "Hi team,\n"),
        ("Dear Cloud Batch,\n", "Dear Cloud Batch,\n"),
        ("First name: Zyrqa\n", "First name: #\n"),
        ('"lastName": "Zyrqa",', '"lastName": "#",'),
        ("- **Nachname:** Zyrqa\n", "- **Nachname:** #\n"),
        ("Patient name: see below\n", "Patient name: see below\n"),
        ("Ask Dr. Zyrqa today.", "Ask Dr. # today."),
        ("Ask Frau Zyrqa Qul today.", "Ask Frau # today."),
        ("Mr Batch is a tool.", "Mr Batch is a tool."),
        ("Kowalski Anna left, and Grace.", "Kowalski Anna left, and Grace."),
        ("Near Anna Kowalski, a small town.", "Near Anna Kowalski, a small town."),
        ("The Anna Kowalski Hospital is shut.", "The Anna Kowalski Hospital is shut."),
        ("Anna Kowalski and Berg Hospital agree.", "# and Berg Hospital agree."),
    ],
)
def test_what_is_a_name_without_the_model(text: str, left: str) -> None:
    assert _left(text) == left


def test_a_part_of_a_name_stands_for_it_later() -> None:
    known = set[str]()
    assert _left("So Kowalski knew Slack.", known=known) == "So Kowalski knew Slack."
    assert _left("By Anna Kowalski and Quinn Slack.", "Anna Kowalski", "Quinn Slack", known=known) == "By # and #."
    assert _left("So Kowalski knew Slack.", known=known) == "So # knew Slack."


def test_without_a_lexicon_two_words_with_capitals_or_a_sign_are_wanted() -> None:
    plain = Lexicon()
    assert _left("Then Anna left.", "Anna", lexicon=plain) == "Then Anna left."
    assert _left("Then Mr Zyrqa left.", "Zyrqa", lexicon=plain) == "Then Mr # left."
    assert _left("Anna Kowalski: 3 days", "Anna Kowalski", lexicon=plain) == "#: 3 days"
    assert _left("Then Zyrqa Qul left. Dear Anna,", "Zyrqa Qul", lexicon=plain) == "Then # left. Dear Anna,"
