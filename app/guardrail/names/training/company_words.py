"""Words that a company's documents write with capitals and that are nobody's name: products, teams, headings. Pure."""

import re
from collections import Counter
from collections.abc import Iterable

from app.guardrail.names.spelling import WORD, is_capital, key

# Code, addresses, file names and the like have words in small letters that are names all the same.
_NO_PROSE = re.compile(r"```.*?```|`[^`\n]*`|<[^<>\n]*>|\S*(?:https?://|www\.|[@/])\S*|\S*\.\w+|\w*[_:]\w+", re.DOTALL)
_ARTICLE = re.compile(
    r"(?<![^\W_])(?:the|an?|our|your|its|each|every|this|der|die|das|le|la|les|el|los)[ *\"\[]{1,4}\Z", re.I
)
_REACH = 12
_DOCUMENTS = 2  # that must say so
_SMALL_SHARE = 0.1  # of the documents with the word, at least, that write it small; "mark" is that often no person
_ARTICLE_SHARE = 0.03  # of the documents with the word that have an article before it; nobody is "the Anna"


def company_words(documents: Iterable[str]) -> set[str]:
    """The keys of words that documents also write small, or with an article before them."""
    small, capital, with_article = Counter[str](), Counter[str](), Counter[str]()
    for document in documents:
        prose = _NO_PROSE.sub(" ", document)
        seen: tuple[set[str], set[str], set[str]] = (set(), set(), set())
        for word in WORD.finditer(prose):
            if word.end() - word.start() < 2:
                continue
            said = key(word[0])
            if not is_capital(word[0]):
                seen[0].add(said)
                continue
            seen[1].add(said)
            if _ARTICLE.search(prose, max(word.start() - _REACH, 0), word.start()) is not None:
                seen[2].add(said)
        for counter, words in zip((small, capital, with_article), seen, strict=True):
            counter.update(words)
    words = {word for word, count in small.items() if count >= max(_DOCUMENTS, _SMALL_SHARE * capital[word])}
    return words | {
        word for word, count in with_article.items() if count >= max(_DOCUMENTS, _ARTICLE_SHARE * capital[word])
    }
