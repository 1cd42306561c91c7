"""The regular forms of English words: good enough to tell that a word is one. Pure."""

from collections.abc import Iterable, Iterator


def inflected(words: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Each word and its forms; of nouns the plural, of verbs the third person, the past and the participle."""
    for word, part in words:
        yield word
        if part in {"noun", "verb"}:
            yield from _with_s(word)
        if part == "verb":
            yield from _past_and_participle(word)


def _with_s(word: str) -> Iterator[str]:
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        yield word[:-1] + "ies"
    elif word.endswith(("s", "x", "z", "ch", "sh")):
        yield word + "es"
    else:
        yield word + "s"


def _past_and_participle(word: str) -> Iterator[str]:
    if word.endswith("e"):
        yield from (word + "d", word[:-1] + "ing")
    elif word.endswith("y") and word[-2:-1] not in set("aeiou"):
        yield from (word[:-1] + "ied", word + "ing")
    else:
        yield from (word + "ed", word + "ing", word + word[-1] + "ed", word + word[-1] + "ing")
