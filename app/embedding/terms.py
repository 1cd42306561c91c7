"""Text to search terms: lower case, English stems, 64-bit hashes. Pure, and the same for questions and passages."""

import hashlib
import re
import threading
from collections import Counter
from functools import lru_cache

import snowballstemmer

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# A static list: a limit on how common a term may be would be counted over hidden documents too, and leak.
STOP_WORDS = """
a about after all also am an and any are as at be because been before being but by can could did do does doing
for from had has have having he her here hers him his how i if in into is it its itself just may me might more
most must my no nor not of off on once only or other our ours out over own same shall she should so some such
than that the their theirs them then there these they this those through to too under until up us very was we
were what when where which while who whom whose why will with would you your yours
"""
STOP = frozenset(STOP_WORDS.split())
_local = threading.local()


def terms(text: str) -> Counter[int]:
    """How often each term stands in the text, stop words left out; keys are signed 64-bit hashes."""
    return Counter(term_hash(word) for word in words(text))


def words(text: str) -> list[str]:
    """The stems of the text in order, stop words left out."""
    return [_stem(w) for w in (m.lower().replace("’", "'") for m in WORD.findall(text)) if w not in STOP]


@lru_cache(maxsize=200_000)
def term_hash(stem: str) -> int:
    """The term as PostgreSQL's bigint."""
    return int.from_bytes(hashlib.blake2b(stem.encode(), digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    # One stemmer a thread: it keeps its word in itself while it works.
    if not hasattr(_local, "stemmer"):
        _local.stemmer = snowballstemmer.stemmer("english")
    return str(_local.stemmer.stemWord(word))
