"""Answers without a model: which blocks are shown, cut at sense, and what the guardrail leaves of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answer.quotes.candidates import QuotePage
from app.answer.quotes.compose import MAX_CHARACTERS, MAX_WORDS, compose, count_words
from app.answer.quotes.material import Material
from app.answer.quotes.question_kinds import question_kind
from app.answer.quotes.release import cells_of, deciding_words, release
from app.answer.quotes.select import MAX_BLOCKS, MAX_WORDS_SHOWN, QuoteSelector
from app.guardrail.active_content import NO_ADDRESSES, Addresses
from app.guardrail.checks import default_checks
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import InertRedactor
from app.retrieval.passage import Passage
from tests.support.passages import passage
from tests.support.quotes import material

LEAVE = passage("Everyone gets 25 days of leave. Sick leave is apart.", title="Leave")
PARKING = passage("Cars park at the quay.\nThe gate opens at 7:00.\nBring a badge.", title="Parking")
TRAVEL = passage(
    "How do I book a trip?\nBefore you travel, you have to do the following:\n"
    "1. Ask your manager, e.g. by mail.\n2. Book the train.\n3. Keep the receipts.\nReceipts go to finance.",
    title="Travel",
)
LIMITS = passage("Grade: 3; Hotel limit: EUR 145\nGrade: 4; Hotel limit: EUR 180", title="Hotel limits")
KINDS = passage("Kinds of leave:\n- annual leave\n- sick leave\n  - with a note\n  - without a note", title="Kinds")
CONTENTS = passage(
    "What is leave?\n### Annual leave\nLeave:\n{% include leave.md %}\n[Leave](leave.md)\n- Leave", title="Contents"
)


def texts(question: str, *passages: Passage) -> list[str]:
    return [chosen.block.text for chosen in QuoteSelector(material(question, passages)).choose()]


@pytest.mark.parametrize(
    ("question", "passages", "first"),
    [
        ("How many days of leave do I get?", [LEAVE, PARKING], "Everyone gets 25 days of leave. Sick leave is apart."),
        ("When does the gate open?", [PARKING, LEAVE], "The gate opens at 7:00."),
        (
            "休暇は何日ですか",
            [passage("休暇は年に二十五日です。", title="休暇"), PARKING],
            "休暇は年に二十五日です。",
        ),
        ("What is the hotel limit of grade 4?", [LIMITS], "Grade: 4; Hotel limit: EUR 180"),
        (
            "What must I do before I travel?",
            [TRAVEL, LEAVE],
            "Before you travel, you have to do the following:\n1. Ask your manager, e.g. by mail.\n2. Book the train.\n"
            "3. Keep the receipts.",
        ),
        (
            "Which kinds of leave are there?",
            [KINDS],
            "Kinds of leave:\n- annual leave\n- sick leave\n  - with a note\n  - without a note",
        ),
    ],
    ids=["paragraph", "line", "no spaces", "row", "steps with their lead-in", "nested list"],
)
def test_what_a_reader_would_point_at_comes_first(question: str, passages: list[Passage], first: str) -> None:
    found = texts(question, *passages)
    assert [re.sub(r"^ +", "", line) for line in found[0].split("\n")] == [
        re.sub(r"^ +", "", line) for line in first.split("\n")
    ]


def test_an_answer_in_one_number_leads_with_the_sentence_that_holds_it() -> None:
    long = passage("The canteen is open to everyone who works at the quay. A meal costs EUR 4.50. Pay by card.")
    assert texts("How much does a meal cost?", long)[0].startswith("A meal costs EUR 4.50.")
    # A sentence that points back is not torn from what it points to.
    back = passage("A meal is cheap for everyone who works at the quay. It costs EUR 4.50.")
    assert texts("How much does a meal cost?", back)[0].startswith("A meal is cheap")


def test_questions_markup_and_bare_lead_ins_are_no_answers() -> None:
    assert texts("What is leave?", CONTENTS) == []


def test_the_same_is_not_said_twice() -> None:
    again = passage(LEAVE.text, title="Leave, a copy")
    assert len(texts("How many days of leave do I get?", LEAVE, again)) == 1


def test_a_line_of_two_lists_is_shown_once() -> None:
    first = passage("To take leave:\n- Ask your manager.\n- Enter the leave in the calendar.", title="Leave")
    second = passage("When leave ends:\n- Enter the leave in the calendar!\n- Tell the team about it.", title="Return")
    shown = "\n".join(texts("Where do I enter my leave in the calendar?", first, second))
    assert shown.count("Enter the leave") == 1


def test_a_passage_beside_a_hit_can_answer() -> None:
    beside = passage("The gate opens at 7:00.", title="Parking", ordinal=1)
    hit = passage("Cars park at the quay.", title="Parking", document=beside.document)
    chosen = QuoteSelector(material("When does the gate open?", [hit], [beside])).choose()
    assert "The gate opens at 7:00." in [c.block.text for c in chosen]


def test_the_best_block_leads_and_the_others_follow_in_the_order_of_their_section() -> None:
    sheds = passage("One badge opens one gate.\nBring a badge for the gate.\nA gate has badge readers.", title="Sheds")
    first, *others = texts("badge for the gate", sheds)
    assert len(others) == 2
    assert first == "Bring a badge for the gate."
    assert others == sorted(others, key=sheds.text.index)


def test_a_context_without_room_for_all_passages_holds_the_best_block() -> None:
    """`answer.passages` may be 1, and what is quoted stand in three passages."""
    passages = [
        passage(f"The {place} gate opens at {hour}:00.", title=place) for place, hour in (("north", 7), ("south", 8))
    ]
    selector = QuoteSelector(material("When does the gate open?", passages))
    found = [block.page.passage.chunk for block in selector.chosen]
    assert len(found) == 2
    assert selector.chosen_within(found) == selector.chosen
    assert selector.chosen_within(found[:1]) == selector.chosen[:1]
    assert selector.chosen_within(()) == ()


def test_a_passage_without_vectors_is_quoted_by_its_words() -> None:
    """Rows from before there were vectors of lines: the passage's own similarity stands for each."""
    found = material("When does the gate open?", [PARKING])
    bare = Material(
        found.question, found.vector, [type(h)(PARKING, h.score, h.similarity, h.coverage) for h in found.hits],
        weights=found.weights,
    )  # fmt: skip
    assert QuoteSelector(bare).choose()[0].block.text == "The gate opens at 7:00."


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much is a meal?", "amount"), ("Wie viele Tage Urlaub habe ich?", "amount"), ("When is payday?", "time"),
        ("Who approves it?", "person"), ("How do I book a train?", "steps"), ("May I work from abroad?", "permission"),
        ("Où est le plan ?", "place"), ("Why do we rotate keys?", "reason"), ("dress code", "other"),
    ],
)  # fmt: skip
def test_kinds_of_questions(question: str, kind: str) -> None:
    assert question_kind(question) == kind


LINES = st.lists(
    st.sampled_from(
        [
            "Leave is asked for in June, e.g. by mail; see 3.5.", "- annual leave", "  - with a note",
            "1. Ask for leave.", "What is leave?", "Kinds of leave:", "Grade: 3; Leave: 25 days", "word " * 90,
            "x" * 2000, "- " + "leave, " * 80, "{{ leave }}", "Leave. " * 60, "  - kinds:",
        ]
    ),
    min_size=1,
    max_size=9,
)  # fmt: skip


@given(st.lists(LINES, min_size=1, max_size=3))
def test_whatever_stands_there_quotes_are_whole_few_and_verbatim(drawn: list[list[str]]) -> None:
    passages = [passage("\n".join(rows), title=f"Page {n}") for n, rows in enumerate(drawn)]
    chosen = QuoteSelector(material("What is annual leave?", passages)).choose()
    assert len(chosen) <= MAX_BLOCKS
    assert sum(c.block.words for c in chosen) <= MAX_WORDS_SHOWN
    for one in chosen:
        source = one.page.passage.text
        assert not one.block.text.endswith((":", "?", "e.g.", "3."))
        assert all(line.removesuffix(" …").strip() in source for line in one.block.text.split("\n"))
        assert "{{" not in one.block.text
    assert len({c.block.text for c in chosen}) == len(chosen)


def test_a_list_says_where_items_were_left_out() -> None:
    steps = "\n".join(f"{n}. Step number {n} of the way, which is told in ten words." for n in range(1, 9))
    page = QuotePage.of(passage(f"To get a badge, follow these steps:\n{steps}"))
    block = compose(0, page, 4, "steps", max_words=45)
    assert block is not None
    lines = block.text.split("\n")
    assert lines[0] == "To get a badge, follow these steps: …"
    assert [line[0] for line in lines[1:]] == ["4", "5"]
    assert [line.endswith(" …") for line in lines] == [True, False, True]
    whole = compose(0, page, 4, "steps", max_words=120)
    assert whole is not None
    assert "…" not in whole.text


def test_what_is_cut_is_released() -> None:
    told = passage("To travel:\n" + "\n".join(f"- Ask person {n} of the travel desk for a form." for n in range(20)))
    chosen = QuoteSelector(material("Which person of the travel desk has a form?", [told])).choose()
    assert "…" in chosen[0].block.text
    assert [
        block.text
        for block in release(chosen, default_checks(), InertRedactor(Redaction(default_checks()), NO_ADDRESSES))
    ]


def test_no_cut_leaves_the_mere_beginning_of_a_sentence() -> None:
    told = (
        "Levels tell how people grow over the years in their teams and with them (all of them). For example, "
        + 25 * "x "
    )
    page = QuotePage.of(passage(told))
    block = compose(0, page, 0, "other", max_words=20)
    assert block is not None
    assert block.text == "Levels tell how people grow over the years in their teams and with them (all of them). …"


@given(LINES)
def test_every_span_makes_a_block_that_fits_or_none(rows: list[str]) -> None:
    page = QuotePage.of(passage("\n".join(rows)))
    for span in range(len(page.spans)):
        for most in (20, MAX_WORDS):
            if page.texts[span].endswith(":") and span + 1 == len(page.spans):
                continue  # no candidate
            made = compose(0, page, span, "other", max_words=most)
            if made is not None:
                assert count_words(made.text) <= most
                assert len(made.text) <= MAX_CHARACTERS + 2
                shown = [line.removesuffix(" …") for line in made.text.split("\n")]
                pieces = "\n".join(page.text(p.start, p.end) for p in made.pieces).split("\n")
                assert all(piece.startswith(line) for line, piece in zip(shown, pieces, strict=True))


def test_the_deciding_words_are_marked_in_what_was_released() -> None:
    secret = passage("A meal costs EUR 4.50, paid with card 4111 1111 1111 1111 at the till.", title="Canteen")
    found = material("How much does a meal cost?", [secret])
    clean = InertRedactor(Redaction(tuple(default_checks())), Addresses())
    [released] = release(QuoteSelector(found).choose(), tuple(default_checks()), clean)
    assert released.text == "A meal costs EUR 4.50, paid with card [redacted: card] at the till."
    marked = [released.text[start:end] for start, end in deciding_words(released.text, found)]
    assert marked == ["meal", "costs", "4.50"]


def test_what_its_passage_masks_is_not_quoted() -> None:
    """A cue before the block says that it is a credential; the block alone does not look like one."""
    checks = tuple(default_checks())
    page = passage("The password is:\nhunter2correcthorse for the staging server login", title="Servers")
    clean = InertRedactor(Redaction(checks), Addresses())
    shown = release(QuoteSelector(material("staging server login password", [page])).choose(), checks, clean)
    assert not any("hunter2" in block.text for block in shown)


def test_cells_have_their_headers() -> None:
    cells = cells_of("Hotels:\nGrade: 4; Limit: EUR 180; a night; From: 2026-01-01;")
    assert [(c.header, c.text) for c in cells] == [
        ("Grade", "4"), ("Limit", "EUR 180; a night"), ("From", "2026-01-01"),
    ]  # fmt: skip
