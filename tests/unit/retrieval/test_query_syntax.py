"""What a search text asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.indexing.analysis.tokens import surface
from app.retrieval.query_syntax import OnlyExclusions, Parsed, QuerySyntaxError, parse, stands_in


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("", Parsed("")),
        ("leave policy", Parsed("leave policy")),
        ('"parental leave" policy', Parsed("parental leave policy", (("parental", "leave"),))),
        ('what "on call" means', Parsed("what on call means", (("on", "call"),))),
        ("“On-Call” rota", Parsed("On-Call rota", (("on", "call"),))),
        ("„Urlaub nehmen“ wie", Parsed("Urlaub nehmen wie", (("urlaub", "nehmen"),))),
        ("«congé payé» droit", Parsed("congé payé droit", (("congé", "payé"),))),
        ('"a b" "a  B" x', Parsed("a b a B x", (("a", "b"),))),
        ("crane -gannet", Parsed("crane", (), ("gannet",))),
        ("crane -Gannet, -keel.", Parsed("crane , .", (), ("gannet", "keel"))),
        ('crane -"dry dock" rope', Parsed("crane rope", (), (), (("dry", "dock"),))),
        ("crane -“dry dock”", Parsed("crane", (), (), (("dry", "dock"),))),
        ("crane -max_retry", Parsed("crane", (), (), (("max", "retry"),))),
        ("crane -the", Parsed("crane", (), (), (("the",),))),
        ("(crane -gannet)", Parsed("(crane )", (), ("gannet",))),
        # Read as plain text.
        ('an open "quote', Parsed('an open "quote')),
        ("a - b", Parsed("a - b")),
        ("-", Parsed("-")),
        ('""', Parsed('""')),
        ('"..." x', Parsed('"..." x')),
        ("run --flag now", Parsed("run --flag now")),
        ("run -v now", Parsed("run -v now")),
        ("below -5 degrees", Parsed("below -5 degrees")),
        ("e-mail on-call", Parsed("e-mail on-call")),
        ('a 5" pipe and a 6" pipe', Parsed('a 5" pipe and a 6" pipe')),
        ("don't -", Parsed("don't -")),
    ],
)
def test_parse(text: str, parsed: Parsed) -> None:
    assert parse(text) == parsed


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('what does "on call" mean?', "what does on call mean?"),
        ("was heißt „Urlaub nehmen“ hier? \n", "was heißt Urlaub nehmen hier?"),
        ('who said "is the dock dry?"', "who said is the dock dry?"),
        ("(who said “is the dock dry?” ) ", "(who said is the dock dry? )"),
        ("qui dit «le quai est sec?»", "qui dit le quai est sec?"),
        ('is "dry dock" meant?!?', "is dry dock meant?!?"),
        ('「 "dry dock" とは？」', "「 dry dock とは？」"),
        ("may a crane -gannet lift?", "may a crane -gannet lift?"),
        ('may a crane -"dry dock" lift?', "may a crane dry dock lift?"),
        ("-crane -rope ?", "-crane -rope ?"),
        ('"a" "b" "c" "d" "e"?', "a b c d e ?"),
        ("x " + "-word " * 17 + "?", "x " + "-word " * 17 + "?"),
        ('"' + "word " * 33 + '"?', "word " * 33 + "?"),
    ],
)
def test_nothing_binds_in_a_question(text: str, plain: str) -> None:
    assert parse(text) == Parsed(plain)


@pytest.mark.parametrize(
    "text", ['what? "dry dock"', 'what? "dry dock".', '"dry dock" ?!', '"dry? dock"', '? "dry dock" -']
)
def test_a_question_mark_elsewhere_makes_no_question(text: str) -> None:
    parsed = parse(text)
    assert parsed.phrases or parsed.excluded or parsed.excluded_phrases


@pytest.mark.parametrize("text", ["-crane", '-"dry dock"', "-crane -rope !", '-crane "..."'])
def test_only_exclusions_are_an_error(text: str) -> None:
    with pytest.raises(OnlyExclusions, match="add a word"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" ".join(f'"phrase {n}"' for n in range(5)), "more than 4 quoted"),
        ("x " + " ".join(f"-word{chr(97 + n)}" for n in range(17)), "excludes more than 16"),
        ('"' + "word " * 33 + '"', "more than 32 words"),
    ],
)
def test_more_than_is_looked_up_is_an_error(text: str, message: str) -> None:
    with pytest.raises(QuerySyntaxError, match=message):
        parse(text)


def test_a_megabyte_is_read_in_time() -> None:
    for text in (
        '"' * 10**6,
        "-" * 10**6,
        '-"' * 500_000,
        "a " * 500_000,
        " -" * 500_000,
        '"a' + " b" * 500_000,
        "?)" * 500_000 + "a",
        '"a" ' * 250_000 + "?",
    ):
        assert len(parse(text).plain) <= len(text)


@given(st.text(alphabet="ab -\"“”„«».?'\n", max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    """Nothing of the text is lost: each word is asked for or excluded."""
    try:
        parsed = parse(text)
    except QuerySyntaxError:
        return
    excluded = [w for phrase in parsed.excluded_phrases for w in phrase] + list(parsed.excluded)
    assert set(surface(text)) <= set(surface(parsed.plain)) | set(excluded)
    assert all(stands_in(phrase, surface(parsed.plain)) for phrase in parsed.phrases)


@pytest.mark.parametrize(
    ("phrase", "words", "stands"),
    [
        (("on", "call"), ["the", "on", "call", "rota"], True),
        (("on", "call"), ["call", "on"], False),
        (("on", "call"), ["on", "the", "call"], False),
        (("all",), ["call"], False),
        (("call",), ["call"], True),
        (("call",), [], False),
    ],
)
def test_stands_in(phrase: tuple[str, ...], words: list[str], stands: bool) -> None:
    assert stands_in(phrase, words) == stands
