"""The language of a text, by the stop words that stand in it."""

from collections.abc import Iterable
from itertools import islice

from app.indexing.analysis.stems import LANGUAGES
from app.indexing.analysis.stop_words import STOP_WORDS

ENOUGH = 400  # words that are looked at


# One stop word of another language may be a word of this one: "die", "era", "van".
LEAST = 2


def language_of(words: Iterable[str]) -> str:
    """The language of the most stop words among these case-folded words, each counted once.

    English at ties, and where no other language has at least two.
    """
    counts = dict.fromkeys(LANGUAGES, 0)
    for word in set(islice(words, ENOUGH)):
        for language in LANGUAGES:
            if word in STOP_WORDS[language]:
                counts[language] += 1
    best = max(LANGUAGES, key=counts.__getitem__)
    return best if counts[best] >= LEAST else LANGUAGES[0]
