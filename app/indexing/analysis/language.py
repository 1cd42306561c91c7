"""Detects the language of a text by its stop words."""

from collections.abc import Iterable
from itertools import islice

from app.indexing.analysis.stems import LANGUAGES
from app.indexing.analysis.stop_words import STOP_WORDS

# Words of the text that are counted.
MAX_WORDS = 400
# A single stop word of another language may be a word of this one: "die", "era", "van".
MIN_STOP_WORDS = 2


def language_of(words: Iterable[str]) -> str:
    """The language of the most stop words among these case-folded words, each counted once.

    English at ties, and where no other language has at least two.
    """
    counts = dict.fromkeys(LANGUAGES, 0)
    for word in set(islice(words, MAX_WORDS)):
        for language in LANGUAGES:
            if word in STOP_WORDS[language]:
                counts[language] += 1
    best = max(LANGUAGES, key=counts.__getitem__)
    return best if counts[best] >= MIN_STOP_WORDS else LANGUAGES[0]
