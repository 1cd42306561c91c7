"""Text to search terms."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import Stemmer
from hypothesis import example, given
from hypothesis import strategies as st

from app.indexing.analysis import tokens
from app.indexing.analysis.irregular import BASES
from app.indexing.analysis.stems import LANGUAGES, stem
from app.indexing.analysis.stop_words import STOP_WORDS
from app.indexing.analysis.tokens import surface, units
from app.indexing.terms import (
    MAX_WORDS,
    Counts,
    field_terms,
    query_terms,
    term_hash,
    terms,
    text_language,
    words,
)

# One sentence of each language, written for this test, with a word and another form of it that a question has.
SENTENCES = {
    "en": ("The travel policies were changed because of the new contract.", "policy"),
    "de": ("Die Kündigungen werden von der Personalabteilung bearbeitet.", "Kündigung"),
    "fr": ("Les demandes de congés sont envoyées à la direction.", "congé"),
    "es": ("Las solicitudes de vacaciones se envían a la dirección.", "solicitud"),
    "it": ("Le richieste di ferie sono inviate alla direzione.", "richiesta"),
    "nl": ("De aanvragen voor verlof worden naar het kantoor gestuurd.", "aanvraag"),
    "pt": ("Os pedidos de férias são enviados para a direção.", "pedido"),
    "sv": ("Ansökningar om semester skickas till kontoret och inte till chefen.", "ansökning"),
    "da": ("Ansøgninger om ferie sendes til kontoret af hver medarbejder.", "ansøgning"),
    "fi": ("Lomahakemukset lähetetään toimistoon, mutta ne eivät ole sitovia.", "toimisto"),
    "no": ("Søknader om ferie sendes til kontoret etter at noen har spurt hva som gjelder.", "søknad"),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("the and of", []),
        ("The LEAVES leave", ["leav", "leav"]),
        ("running runs run", ["run", "run", "run"]),
        ("KELPIE-500 costs 3.5", ["kelpie-500", "kelpi", "500", "cost", "3.5", "3", "5"]),
        ("dog's dog’s", ["dog", "dog"]),
        ("don't", []),
        ("O'Brien", ["obrien", "o", "brien"]),
        ("Müller straße STRASSE", ["muller", "strass", "strass"]),
        ("résumé", ["resume"]),
        ("日本語 text", ["日本", "本語", "text"]),
        ("東", ["東"]),
        ("ภาษา", ["ภา", "าษ", "ษา"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Ｆｕｌｌ ﬁle", ["full", "file"]),
        ("co\u00adop\u200berate", ["cooper"]),
        ("1,000,000", ["1000000"]),
        ("C++ C# R&D", ["c++", "c", "c#", "c", "r&d", "r", "d"]),
        ("one\nnext\ttwo", ["one", "next", "two"]),
        ("and/or input/output", ["input", "output"]),  # what only joins words is no identifier
        ("OKRs OKR", ["okr", "okr"]),  # a plural that the stemmer knows counts once
        ("_OF _OF", ["of", "of"]),  # as identifiers they are no stop words, and each counts
        ("...!?", []),
        ("\u0000 \ud800", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "whole", "parts"),
    [
        ("max_retry_count", "max_retry_count", ["max", "retry", "count"]),
        ("HTTP-404", "http-404", ["http", "404"]),
        ("v2.3.1", "v2.3.1", ["v2", "3", "1"]),
        ("foo.bar()", "foo.bar", ["foo", "bar"]),
        ("INC-2041", "inc-2041", ["inc", "2041"]),
        ("jane.doe@example.com", "jane.doe@example.com", ["jane.doe", "jane", "doe", "example.com", "example"]),
        ("/etc/nginx/nginx.conf", "etc/nginx/nginx.conf", ["etc", "nginx", "nginx.conf", "conf"]),
        (r"C:\Users\ada", r"c:\users\ada", ["users", "ada"]),
        ("maxRetryCount", "maxretrycount", ["max", "retry", "count"]),
        ("std::vector", "std::vector", ["std", "vector"]),
        ("e-mail", "email", ["e", "mail"]),
        ("2024-11-25", "2024-11-25", ["2024", "11", "25"]),
    ],
)
def test_identifiers_are_found_whole_and_by_their_parts(text: str, whole: str, parts: list[str]) -> None:
    found = [u for u in units(text) if u.form == whole]
    assert [u.extra for u in found] == [True], "once, and without weight in coverage"
    indexed = field_terms("", (), text).counts
    for asked in (text, whole, *parts):
        assert any(form in indexed for word in query_terms(asked) for form in word.forms), asked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("We get paid", "pay"),
        ("It was sent", "sending"),
        ("Took, taken", "takes"),
        ("Children", "child"),
        ("The criteria", "criterion"),
        ("People's", "persons"),
        ("WRITTEN", "writes"),
    ],
)
def test_irregular_forms_meet_in_english(one: str, other: str) -> None:
    assert set(words(one, "en")) >= set(words(other, "en")) != set()
    assert words(other, "en") != words(one, "de")


def test_irregular_forms_are_what_the_stemmer_leaves_apart() -> None:
    english = Stemmer.Stemmer("english")
    for form, base in BASES.items():
        assert stem(form, "en") == stem(base, "en") == english.stemWord(base), form
        assert english.stemWord(form) != english.stemWord(base), f"{form} needs no line"
    assert not BASES.keys() & set(BASES.values()), "no base is brought to another"
    assert not (BASES.keys() | set(BASES.values())) & STOP_WORDS["en"]


@pytest.mark.parametrize(
    ("plural", "one", "parts"),
    [
        ("SLAs", "SLA", ["slas", "sla"]),
        ("PRs", "PR", ["prs", "pr"]),
        ("OKRs", "OKR", ["okrs", "okr"]),
        ("user-IDs", "ID", ["userids", "user", "ids", "id"]),
        ("userIDs", "ID", ["userids", "user", "ids", "id"]),
        ("SLAsMet", "SLA", ["slasmet", "slas", "sla", "met"]),
        ("the SLAs’ and SLAs.", "SLA", ["the", "slas", "sla", "and", "slas", "sla"]),
    ],
)
def test_the_plural_of_an_acronym_is_the_acronym(plural: str, one: str, parts: list[str]) -> None:
    """And found as it is written, for phrases and for who writes it small."""
    assert [u.form for u in units(plural)] == parts
    indexed, asked = (field_terms("", (), text).counts for text in (plural, one))
    assert set(asked) <= set(indexed)
    for question in (plural, one, one.lower(), plural.lower()):
        assert any(form in indexed for word in query_terms(question) if not word.extra for form in word.forms), question
    assert any(form in asked for word in query_terms(plural) if not word.extra for form in word.forms)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("As", ["as"]),
        ("SaaS", ["saas", "saa", "s"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("XMLStylesheet", ["xmlstylesheet", "xml", "stylesheet"]),
        ("GPS", ["gps"]),
    ],
)
def test_other_capitals_are_no_plural(text: str, parts: list[str]) -> None:
    assert [u.form for u in units(text)] == parts


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_passage_of_each_language_is_found_by_another_form_of_a_word(language: str) -> None:
    """The question says one word, from which no language can be told."""
    passage, asked = SENTENCES[language]
    assert text_language(passage) == language
    indexed = field_terms("", (), passage).counts
    (word,) = query_terms(asked)
    assert len([form for form in word.forms if form in indexed]) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_stop_words_are_gone_whatever_their_case(language: str) -> None:
    stop = " ".join(sorted(w for w in STOP_WORDS[language] if "'" not in w))
    assert words(stop, language) == []
    assert words(stop.upper(), language) == []


def test_a_stem_meets_no_stem_of_another_language() -> None:
    """Italian has "tim" for "time": an English passage about Tim is not about time."""
    assert stem("time", "it") == stem("tim", "en")
    (word,) = query_terms("time")
    assert not set(word.forms) & set(field_terms("", (), "The plan of Tim is for the crew").counts)


def test_scripts_of_their_own_have_their_stemmer() -> None:
    (word,) = query_terms("отпуск")
    assert set(word.forms) & set(field_terms("", (), "Заявления на отпуска подают в отдел").counts)


def test_a_question_of_stop_words_has_no_words() -> None:
    """One that may be a word of another language is kept."""
    assert query_terms("What is this, and who are they?") == ()
    assert [len(w.forms) for w in query_terms("die")] == [len(LANGUAGES) - 2], "neither in German nor in Dutch"
    assert query_terms("Wie ist das bei uns?") == ()


def test_a_question_has_each_word_once_in_an_order_of_its_own() -> None:
    assert query_terms("Retry the crane, retry!") == query_terms("crane retry")
    assert len(query_terms("retry crane")) == 2
    assert sorted(word.extra for word in query_terms("e-mail mail")) == [False, False, True]


def test_a_long_question_is_bounded() -> None:
    assert len(query_terms(" ".join(f"word{n}" for n in range(100_000)))) == MAX_WORDS


def test_fields() -> None:
    found = field_terms("Leave", ("Leave", "Sick leave"), "The doctor's note: leave, leaving, note-taking")
    leave, note = found.counts[term_hash("en:leav")], found.counts[term_hash("en:note")]
    assert leave == Counts(title=1, headings=2, body=2)
    assert note == Counts(body=2)
    assert found.counts[term_hash("en:notetak")] == Counts(body=1), "joined"
    assert found.length == found.total() == 1 + 3 + 6
    assert field_terms("", (), "").counts == {}


def test_the_language_is_that_of_the_text() -> None:
    german = field_terms("Travel policies", ("Policies",), "Der Antrag wird von der Abteilung geprüft.")
    assert term_hash("de:antrag") in german.counts
    assert term_hash(f"de:{stem('policies', 'de')}") in german.counts
    assert term_hash("en:polici") not in german.counts


def test_hashes_are_fixed() -> None:
    """They are stored: another hash would lose every document that is indexed."""
    assert term_hash("leav") == 4820900330090929542
    assert terms("leave leaves, the gate") == {term_hash("en:leav"): 2, term_hash("en:gate"): 1}
    assert list(terms("v2.3")) == [term_hash("=:v2.3"), term_hash("=:v2"), term_hash("=:3")]


@given(st.text(max_size=300))
def test_counts_are_of_words(text: str) -> None:
    found = terms(text)
    assert found.total() == len(words(text))
    assert all(-(2**63) <= term < 2**63 for term in found)
    assert set(found) == set(field_terms("", (), text).counts)


@example("_OF", "_OF")
@given(st.text(max_size=100), st.text(max_size=100))
def test_a_line_break_joins_no_words(one: str, two: str) -> None:
    assert words(f"{one}\n{two}", "en") == words(one, "en") + words(two, "en")
    assert surface(f"{one}\n{two}") == surface(one) + surface(two)


@given(st.text(max_size=200))
def test_no_letter_or_digit_is_lost(text: str) -> None:
    """Each stands in a unit, or in a word of a list of stop words; a joined number keeps its digits.

    An article that lost its vowel (`l'eau`, and so `t'0`) is a stop word as well.
    """
    seen = "".join(surface(text))
    assert all(c in seen for c in surface("".join(c for c in text if c.isalnum())) if len(c) == 1)
    looked_up = "".join(unit.form for unit in units(text))
    articles = set("".join(tokens._ELIDED)) if "'" in tokens.canonical(text) else set()
    assert set("".join(surface(text))) <= set(looked_up) | {"s"} | articles


@given(st.text(max_size=200))
def test_a_passage_is_found_by_its_own_words(text: str) -> None:
    indexed = field_terms("", (), text).counts
    for word in query_terms(text):
        assert len([form for form in word.forms if form in indexed]) == 1


def test_threads_do_not_mix_words() -> None:
    """A stemmer keeps its word in itself while it works; what threads find is what a fresh one finds alone."""
    texts = [[f"mix{chr(97 + n)}{chr(97 + k % 26)}{chr(97 + k // 26)}ationings" for k in range(400)] for n in range(16)]
    fresh = Stemmer.Stemmer("english")
    wanted = [fresh.stemWords(text) for text in texts]
    start = threading.Barrier(16)

    def work(text: list[str]) -> list[str]:
        start.wait()
        return words(" ".join(text))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, texts)) == wanted
