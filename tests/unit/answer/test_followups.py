"""Making a question whole: what earlier turns add, and when they add nothing."""

import uuid
from collections.abc import Sequence

import numpy as np
import pytest

from app.answer.followups import MAX_TURNS, RecentTurn, WholeQuestion, make_whole
from app.answer.replies import reply
from app.embedding.hashed import HashedEmbedder
from app.guardrail.checks import default_checks
from app.guardrail.redaction import Redaction
from app.guardrail.redactor import Redactor
from app.indexing.terms import MAX_WORDS, query_terms
from tests.support.questions import OWN_KEY

EMBEDDER = HashedEmbedder()
TUGS = "At what wind speed do tugs stop working?"
SAID = "Tugs stop at 12 m/s, and the harbour master Quell says when [1]."


def turn(question: str = TUGS, answer: str | None = SAID) -> RecentTurn:
    return RecentTurn(uuid.uuid5(uuid.NAMESPACE_OID, question), question, None, answer)


def whole(question: str, *earlier: RecentTurn) -> WholeQuestion:
    vector, redact = EMBEDDER.embed_query(question), Redactor(Redaction(default_checks()))
    return make_whole(question, vector, earlier, embed=EMBEDDER.embed_query, redact=redact)


def weights(made: WholeQuestion) -> dict[str, float]:
    return {word.form: word.weight for word in made.words or ()}


def covering(made: WholeQuestion) -> set[str]:
    """The words that a passage has to have."""
    return {word.form for word in made.words or () if not word.extra}


def shown(made: WholeQuestion) -> list[tuple[str, Sequence[str]]]:
    assert made.searched is not None
    return [(added.part, added.words) for added in made.searched.added]


def test_a_first_question_is_searched_as_it_stands() -> None:
    """To the byte: no word list of its own, and the very vector."""
    vector = EMBEDDER.embed_query(TUGS)
    made = make_whole(TUGS, vector, (), embed=EMBEDDER.embed_query, redact=Redactor(Redaction(default_checks())))
    assert made.vector is vector
    assert (made.words, made.before, made.searched, made.leanings) == (None, "", None, ())


def test_earlier_words_weigh_less_the_longer_ago() -> None:
    made = whole("And divers?", turn(), turn("Who tows ferries?", "Nobody tows."))
    by_word = weights(made)
    assert by_word["divers"] == 1
    assert 1 > by_word["tugs"] == by_word["wind"] > by_word["ferries"] > by_word["harbour"] > 0
    assert "nobody" not in by_word, "the answers before the last one count nothing"
    assert shown(made) == [
        ("question", ("wind", "speed", "tugs", "stop", "working")),
        ("question", ("tows", "ferries")),
        ("answer", ("s", "12", "m", "harbour", "master", "quell", "says")),
    ]
    assert made.words == tuple(sorted(made.words or (), key=lambda word: word.forms)), "in the order of their terms"


def test_a_passage_is_judged_by_the_question_it_has_to_answer() -> None:
    """By the earlier questions too where it leans on them; never by what an answer said."""
    assert covering(whole("And divers?", turn())) == {"divers", "wind", "speed", "tugs", "stop", "working"}
    assert covering(whole("At what wind speed do divers leave the basin?", turn())) == {
        "wind", "speed", "divers", "leave", "basin",
    }  # fmt: skip


def test_the_vector_moves_towards_the_earlier_ones() -> None:
    made = whole("And divers?", turn())
    own, before = EMBEDDER.embed_query("And divers?"), EMBEDDER.embed_query(TUGS)
    assert np.linalg.norm(made.vector) == pytest.approx(1, abs=1e-6)
    assert float(made.vector @ before) > float(own @ before)
    assert float(made.vector @ own) > float(made.vector @ before), "the question itself weighs most"
    again = whole("And divers?", turn())
    assert made.vector.tobytes() == again.vector.tobytes()


def test_kept_vectors_are_used_and_others_are_made() -> None:
    kept = RecentTurn(turn().turn, TUGS, EMBEDDER.embed_query(TUGS), None)
    assert whole("And divers?", kept).vector.tobytes() == whole("And divers?", turn(answer=None)).vector.tobytes()


def test_a_question_that_stands_alone_leans_little() -> None:
    little = weights(whole("At what wind speed do divers have to leave the northern basin?", turn()))
    assert little["divers"] == little["wind"] == 1, "its own words keep their weight"
    assert 0 < little["tugs"] < weights(whole("And divers?", turn()))["tugs"]


def test_a_change_of_topic_leaves_earlier_turns_out() -> None:
    vector = EMBEDDER.embed_query(question := "Which laptop may engineers order from the catalogue?")
    made = whole(question, turn())
    assert made.topic_changed
    assert (made.words, made.before, made.leanings) == (None, "", ())
    assert made.vector.tobytes() == vector.tobytes()
    assert made.searched is not None
    assert made.searched.words == ("laptop", "engineers", "order", "catalogue")
    assert not whole("Which tugs may engineers order from the catalogue?", turn()).topic_changed, "a word in common"


def test_what_the_product_said_by_itself_is_not_searched_for() -> None:
    """The reply that stands before quotes, and a citation's number."""
    made = whole("And divers?", turn(answer=f"{reply('may_help', 'en')}\n\nTugs anchor [3]."))
    assert shown(made)[-1] == ("answer", ("anchor",))


def test_without_an_answer_the_question_counts() -> None:
    assert [part for part, _ in shown(whole("And divers?", turn(answer=None)))] == ["question"]


def test_what_the_guardrail_takes_out_is_neither_searched_nor_shown() -> None:
    asked = f"Is {OWN_KEY} or the card 4111 1111 1111 1111 of Quell valid?"
    made = whole("And divers?", turn(asked, "Write to quell@example.org."))
    words = {word.form for word in made.words or ()}
    assert {"quell", "valid", "write"} <= words
    assert not words & {OWN_KEY.lower(), "4111", "1111", "redacted", "credential", "example.org"}
    assert "quell@example.org" not in str(made.searched)


def test_what_is_shown_of_a_question_is_redacted_too() -> None:
    made = whole("And quell@example.org for divers?", turn())
    assert made.searched is not None
    assert made.searched.words == ("divers",)


def test_many_long_turns_are_bounded() -> None:
    long = " ".join(f"w{n}x" for n in range(500))
    made = whole("And divers?", *(turn(f"{n} {long}", long) for n in range(100)))
    assert len({x.turn for x in made.leanings}) == MAX_TURNS
    assert len(made.words or ()) <= len(query_terms("And divers?")) + MAX_WORDS
