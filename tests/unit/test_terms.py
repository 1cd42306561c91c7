"""Text to search terms."""

import threading

import pytest
import snowballstemmer
from hypothesis import given
from hypothesis import strategies as st

from app.embedding.terms import STOP, term_hash, terms, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("the and of", []),
        ("The LEAVES leave", ["leav", "leav"]),
        ("running runs run", ["run", "run", "run"]),
        ("KELPIE-500 costs 3.5", ["kelpi", "500", "cost", "3", "5"]),
        ("snake_case_name", ["snake", "case", "name"]),
        ("Müller straße", ["müller", "straße"]),
        ("dog's dog’s", ["dog", "dog"]),
        ("日本語 text", ["日本語", "text"]),
        ("e-mail\nnext\tline", ["e", "mail", "next", "line"]),
        ("...!?", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_stop_words_are_gone_whatever_their_case() -> None:
    assert words(" ".join(sorted(STOP))) == []
    assert words(" ".join(sorted(STOP)).upper()) == []


def test_hashes_are_fixed() -> None:
    """They are stored: another hash would lose every document that is indexed."""
    assert term_hash("leav") == 4820900330090929542
    assert terms("leave leaves, the gate") == {term_hash("leav"): 2, term_hash("gate"): 1}


@given(st.text(max_size=300))
def test_counts_are_of_words(text: str) -> None:
    found = terms(text)
    assert found.total() == len(words(text))
    assert all(-(2**63) <= term < 2**63 for term in found)


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_line_break_joins_no_words(one: str, two: str) -> None:
    assert terms(f"{one}\n{two}") == terms(one) + terms(two)


def test_threads_do_not_mix_words() -> None:
    """A stemmer keeps its word in itself while it works; what threads find is what a fresh one finds alone."""
    texts = [[f"mix{chr(97 + n)}{chr(97 + k % 26)}{chr(97 + k // 26)}ationings" for k in range(400)] for n in range(16)]
    fresh = snowballstemmer.stemmer("english")
    wanted = [fresh.stemWords(text) for text in texts]
    start, wrong = threading.Barrier(16), []

    def work(n: int) -> None:
        start.wait()
        if words(" ".join(texts[n])) != wanted[n]:
            wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
