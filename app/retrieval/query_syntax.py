"""Parses a search text: "exact phrases", -exclusions, and plain words. Pure.

Lenient: an unclosed quote, a minus on its own, `--flag`, `-5` and `-v` are plain text. So is all of a question, a text
that ends in a question mark (`what does "on call" mean?`): a sentence quotes a word to speak of it, not to demand it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.indexing.analysis.tokens import surface
from app.indexing.terms import query_terms

MAX_PHRASES = 4
MAX_EXCLUDED = 16
MAX_PHRASE_WORDS = 32

_QUOTED = r"\"([^\"]*)\"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»"
# An operator begins the text or follows white space or an opening bracket, and no letter or digit follows it.
_OPERATOR = re.compile(rf"(?<![^\s(\[])(-?)(?:{_QUOTED}|(?<=-)([^\W\d_]\S+))(?![^\W_])")
_ENDING = ".,;:!?)]}\"'”“»…"
# ASCII, full width (NFKC) and Arabic; white space, closing quotes and closing brackets may follow.
_QUESTION = re.compile(r"[?？؟][\s\"'”’“‘»›)\]}」』）]*\Z")


class QuerySyntaxError(ValueError):
    """The text asks for what cannot be searched; the message says what to change."""


class OnlyExclusions(QuerySyntaxError):
    """Everything in the text is excluded, nothing is asked for."""


@dataclass(frozen=True)
class Parsed:
    """A parsed search text.

    `plain` is the text to rank by (and to embed): without exclusions and quotation marks. `phrases` and
    `excluded_phrases` are words in their order as `surface` gives them; `excluded` are single words.
    """

    plain: str
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    excluded_phrases: tuple[tuple[str, ...], ...] = ()


def parse(text: str) -> Parsed:
    """Parse a search text.

    In a question nothing binds: quoted and excluded words are plain ones, and no limit applies. Raises
    OnlyExclusions, or QuerySyntaxError beyond 4 phrases, 16 exclusions or 32 words in one of them.
    """
    if _QUESTION.search(text):
        return Parsed(" ".join(_OPERATOR.sub(_unquoted, text).split()))
    plain: list[str] = []
    phrases: dict[tuple[str, ...], None] = {}
    excluded: dict[str, None] = {}
    excluded_phrases: dict[tuple[str, ...], None] = {}
    at = 0
    for match in _OPERATOR.finditer(text):
        inside = next((g for g in match.groups()[1:5] if g is not None), None)
        word = (match.group(6) or "").rstrip(_ENDING)
        pieces = tuple(surface(word if inside is None else inside))
        if not pieces:
            continue
        plain.append(text[at : match.start()])
        at = match.end() if inside is not None else match.start(6) + len(word)
        if not match.group(1):
            phrases[pieces] = None
            plain.append(f" {inside} ")
        elif len(pieces) == 1 and query_terms(pieces[0]):
            excluded[pieces[0]] = None
        else:
            excluded_phrases[pieces] = None
    plain.append(text[at:])
    _check(phrases, excluded, excluded_phrases)
    parsed = Parsed(" ".join("".join(plain).split()), tuple(phrases), tuple(excluded), tuple(excluded_phrases))
    if (excluded or excluded_phrases) and not surface(parsed.plain):
        raise OnlyExclusions("Everything in the search is excluded; add a word that should stand there.")
    return parsed


def _unquoted(operator: re.Match[str]) -> str:
    """The text of an operator without its quotation marks."""
    inside = next((g for g in operator.groups()[1:5] if g is not None), None)
    return operator.group() if inside is None else f" {inside} "


def _check(
    phrases: dict[tuple[str, ...], None], excluded: dict[str, None], without: dict[tuple[str, ...], None]
) -> None:
    if len(phrases) > MAX_PHRASES:
        raise QuerySyntaxError(f"The search has more than {MAX_PHRASES} quoted phrases.")
    if len(excluded) + len(without) > MAX_EXCLUDED:
        raise QuerySyntaxError(f"The search excludes more than {MAX_EXCLUDED} words or phrases.")
    if any(len(p) > MAX_PHRASE_WORDS for p in (*phrases, *without)):
        raise QuerySyntaxError(f"A quoted phrase has more than {MAX_PHRASE_WORDS} words.")


def stands_in(phrase: tuple[str, ...], words: list[str]) -> bool:
    """Whether the words of a phrase stand in this order, next to each other."""
    return _lines(phrase) in _lines(words)


def _lines(words: Sequence[str]) -> str:
    # No word holds a line feed.
    return "\n".join(["", *words, ""])
