"""What a check is: a decision at one start, on a bounded stretch of text, so that a stream can be cut anywhere."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.guardrail.word_trees import any_of, prefixes

BEFORE = 96  # characters to the left of a start that a decision may read

KINDS = {
    "email": "E-mail addresses",
    "phone": "Phone numbers: international, national with separators, or any form beside a word such as 'call'",
    "card": "Payment cards: known issuer range and Luhn checksum, or any card-like number beside the word 'card'",
    "iban": "International bank account numbers: country length and checksum, or beside the word 'IBAN'",
    "ip": "IPv4 and IPv6 addresses, except loopback, unspecified and netmasks",
    "national id": "Personal numbers of more than 70 countries, with their checksums where they have one",
    "address": "Postal addresses: street and house number with what follows, and post-office boxes",
    "tax id": "Tax and registration numbers of companies and traders",
    "passport": "Passport numbers, beside a word for them",
    "driving licence": "Driving licence numbers, beside a word for them or in a form that only they have",
    "bank account": "Account and routing numbers, sort codes and BICs, beside a word for them",
    "staff number": "Staff numbers, beside a word for them",
    "customer number": "Customer and membership numbers, beside a word for them",
    "birth date": "Dates of birth: a date right behind a word for it",
    "vehicle": "Number plates beside a word for them or in a form of their own, and vehicle identification numbers",
    "mac address": "Hardware addresses of network cards",
    "wallet": "Addresses of cryptocurrencies, with their checksums where they have one",
    "medical id": "Numbers of patients, insured persons and doctors, and medical record numbers beside a word for them",
    "name": "Names of people of a list, or that a model finds; off by default",
    "pay": "Amounts called salary, wage or bonus; off by default",
    "health": "Illnesses and treatments named as someone's; off by default",
    "host": "Names of machines in the house and their shares; off by default",
    "path": "Paths below somebody's home folder; off by default",
    "prompt": "What repeats eight words and more of the instructions that a model is given",
    "company term": "What the company's policy names: its own patterns and terms",
    "credential": "Passwords, keys, tokens, private keys and connection strings with a password",
}

# Kinds whose values are one number, address or code: what else is found within one is a part of it.
ONE_VALUE = frozenset(KINDS) - {
    "address", "name", "pay", "health", "path", "prompt", "company term", "credential",
}  # fmt: skip
# Values of these kinds are never shown, nor a part of them, whatever else they may be.
NEVER_SHOWN = frozenset(("credential",))


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters start..end of the text shown to the check. `open`: it goes on, and the check's tail says how far.
    `also`: other kinds that were found there, of which this is the longest.
    """

    start: int
    end: int
    kind: str
    reason: str
    open: bool = False
    also: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """How far a decision reads from its start: the longest stretch that `pattern` matches within `extent` characters,
    and one character more.

    `pattern` must accept every prefix of what it accepts (and so the empty text). Then the reach is known, whatever
    follows, as soon as one character beyond it is there. In a stretch of fewer than `min_extent` characters no check
    finds anything, and none is asked.
    """

    pattern: re.Pattern[str]
    extent: int
    min_extent: int = 0

    def end(self, text: str, start: int) -> int:
        """Where the stretch from `start` ends in the text that is there."""
        match = self.pattern.match(text, start, start + self.extent)
        return match.end() if match is not None else start


@dataclass(frozen=True, slots=True)
class Tail:
    """What an open finding swallows: what `pattern` matches from its end on, which may be nothing.

    Without `closer`, one stretch of characters that each may be part of it. With one, piece after piece: the group
    `closer` of the pattern is the last, known as soon as it is whole; any other is known when `ahead` characters more
    are there. Where no piece begins, which at most `longest` characters tell, the tail has ended before.
    """

    pattern: re.Pattern[str]
    closer: bool
    ahead: int = 0
    longest: int = 0


# A placeholder, whole or with its beginning cut off by the left edge of what a decision may read. A policy may have it
# say which of several values it stands for ("phone 2"), or how that ends ("card ending 1111").
OPENING = "[redacted: "
ENDING = " ending "
_CUT_OPENING = "|".join(re.escape(OPENING[at:]) for at in range(1, len(OPENING) + 1))
_MORE = rf"(?: [1-9][0-9]{{0,3}}|{ENDING}[0-9A-Z]{{4}})"
INSIDE = rf"(?:{'|'.join(KINDS)}){_MORE}?\]"
PLACEHOLDER = re.compile(rf"{re.escape(OPENING)}{INSIDE}")
MAX_PLACEHOLDER = len(OPENING) + max(map(len, KINDS)) + len(ENDING) + 5
# What a placeholder says beyond the kind, and how much text before a start has BEFORE characters without that.
_SAYS_MORE = re.compile(rf"({re.escape(OPENING)}(?:{'|'.join(KINDS)})){_MORE}\]")
FAR_BEFORE = 3 * BEFORE
_WHICH = rf"(?: (?:[1-9][0-9]{{0,3}}\]?)?|{prefixes([ENDING])}|{ENDING}[0-9A-Z]{{0,4}}\]?)"
BEGUN = re.compile(  # one, or what one begins with
    rf"{prefixes(f'{OPENING}{kind}]' for kind in KINDS)}|{re.escape(OPENING)}(?:{'|'.join(KINDS)}){_WHICH}"
)
_OWN_WORDS = re.compile(rf"(?:{re.escape(OPENING)}|\A(?:{_CUT_OPENING})){INSIDE}")


def says_more(text: str, begin: int, end: int) -> bool:
    """Whether a placeholder in begin..end says more than the kind of what it hides."""
    return text.find("]", begin, end) >= 0 and _SAYS_MORE.search(text, begin, end) is not None


def plain_placeholders(text: str) -> str:
    """The text with all placeholders as they are without a policy, so that what a policy shows of one value does not
    change what is found behind it.
    """
    return _SAYS_MORE.sub(r"\1]", text) if "]" in text else text


class CueWordFinder:
    """Finds where one of some words stands: those that no other one begins with, for it is found there too."""

    def __init__(self, words: Iterable[str]) -> None:
        plain = {word.lstrip("^") for word in words}
        first = [word for word in plain if not any(other != word and word.startswith(other) for other in plain)]
        self._all = re.compile(any_of(first) or r"(?!)")
        # Half of them are of other scripts, and a pattern of fewer words is so much faster.
        self._ascii = re.compile(any_of(word for word in first if word.isascii()) or r"(?!)")

    def search(self, text: str, begin: int = 0) -> re.Match[str] | None:
        """The first of them behind `begin`."""
        return (self._ascii if text.isascii() else self._all).search(text, begin)


@dataclass(frozen=True, slots=True)
class Cue:
    """What must be found in the lower-cased text before a start. `words`: one of them stands in whatever it matches,
    so that text far from all of them costs nothing; with "^" before it, only at the beginning of a word. `may_end` is a
    quick test of the end of that text. `of_label`: what is read is not the text before the start but what names the
    place otherwise (`app.guardrail.outline`), and the check is shown that in its stead.
    """

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    may_end: Callable[[str], bool] | None = None
    of_label: bool = False
    _any: CueWordFinder = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_any", CueWordFinder(self.words))

    def found(self, lowered: str) -> re.Match[str] | None:
        """The match nearest to the left edge, if any. A placeholder of ours is no cue, though its word may be one.

        It would be one only when some real cue is near: who reads the raw text to find cues does not see placeholders.
        """
        if self.may_end is not None and not self.may_end(lowered):
            return None
        if "]" in lowered:
            lowered = _OWN_WORDS.sub("]", lowered)
        if self._any.search(lowered) is None:
            return None
        return self.pattern.search(lowered)


class StartPattern(Protocol):
    """Finds where a check may find something: a pattern, or what a look-up in a dictionary says of the word there."""

    def finditer(self, text: str, pos: int, /) -> Iterator[re.Match[str]]:
        """Matches from `pos` on, of which only the beginnings count."""

    def match(self, text: str, pos: int, /) -> re.Match[str] | None:
        """A match that begins at `pos`."""


class Check(Protocol):
    """Decides, for one start, whether something to redact begins there. One file each in `app.guardrail.checks`."""

    @property
    def kind(self) -> str:
        """What is redacted: a key of KINDS; empty for a reading, whose findings have the kinds of what it asks."""

    @property
    def run(self) -> Run:
        """What the decision may read to the right of the start."""

    @property
    def opener(self) -> StartPattern:
        """Matches, at its beginning, wherever a finding can start. Reads one character left, and right no further than
        the word there and the character that ends it."""

    @property
    def needs(self) -> str:
        """What the word at the start must contain (empty: nothing), a test that is cheaper than `opener`: as it stands,
        or, if it begins with a bracket, as a pattern."""

    @property
    def cue(self) -> Cue | None:
        """What must stand before the start; None: no condition."""

    @property
    def tail(self) -> Tail | None:
        """How an open finding goes on."""

    def at(self, window: str, start: int) -> Finding | None:
        """The finding that begins at `start`, if any. `window[:start]` is at most BEFORE characters, already redacted;
        `window[start:]` is the run and the character after it."""


WORD = Run(re.compile(r"[^ \n]{0,128}"), 128)
NUMBER = Run(re.compile(r"(?:[+(\d][\d ().+/x\-]{0,47})?", re.ASCII), 48, min_extent=6)

# The sign is looked for first: the text is searched for it many times faster than for a place with something before it.
NUMBER_START = re.compile(r"[+(\d](?<![A-Za-z0-9].)", re.ASCII)
LONG_WORD_START = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9_][^ \n]{7})")
# The same but for words of prose: a token has a digit, a capital behind its first letter or an underscore, or more
# small letters in a row than a word.
TOKEN_START = re.compile(
    LONG_WORD_START.pattern + r"(?=[0-9_]|[A-Za-z][^ \nA-Z0-9_]{0,126}+[A-Z0-9_]|[^ \n]{0,40}?[a-z]{17})"
)

# What the word at a start has that one of these finds: text without it is not searched.
DIGIT = "[0-9]"
NUMBER_SIGN = "[0-9+(]"
LONG = "[^ \n]{8}"
CAPITAL = "[A-Z]"
IMPLIED: Mapping[StartPattern, str] = {NUMBER_START: NUMBER_SIGN, LONG_WORD_START: LONG, TOKEN_START: LONG}


def accept_all(match: re.Match[str], before: str) -> bool:
    return bool(match) and before is not None


@dataclass(frozen=True, slots=True, eq=False)
class PatternCheck:
    """A check made of one pattern, matched at the start, and a condition on the match and the text before it."""

    kind: str
    reason: str
    pattern: re.Pattern[str]
    accept: Callable[[re.Match[str], str], bool] = accept_all
    run: Run = WORD
    opener: StartPattern = LONG_WORD_START
    needs: str = ""
    cue: Cue | None = None
    tail: Tail | None = None

    def at(self, window: str, start: int) -> Finding | None:
        match = self.pattern.match(window, start)
        if match is None or match.end() == start or not self.accept(match, window[:start]):
            return None
        goes_on = self.tail is not None and (self.tail.closer or match.end() - start >= self.run.extent)
        return Finding(start, match.end(), self.kind, self.reason, goes_on)
