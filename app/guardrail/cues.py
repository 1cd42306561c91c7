"""The words by which texts say that a value follows, in many languages: cues.yaml as patterns for lower-cased text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from app.guardrail.lookalikes import cased
from app.guardrail.word_trees import any_of

LETTER = r"[^\W\d_]"
# How a name is joined to its value in configuration, tables and lists.
ASSIGN = r"""(?:["'`\])]{0,2} {0,4}(?::=|=>|->|={1,3}|:|\|) {0,4}@?)"""
# A character of a script without blanks that stands in a cue, or joins it to its value. Others end a word.
PARTICLES = "是为為は가는은이"

# Pieces of words behind "password" that make it something else: a policy, a length, a form to change it.
_NO_TITLE = (
    r"(?:[^\W\d_]{0,12}(?:polic|polit|polít|règle|regel|regol|reglas|richtlin|beleid|length|läng|longueur|longitud|lunghezza|"
    r"manag|verwalt|gestion|tresor|vault|hash|algorithm|reset|zurücks|chang|änder|expir|ablauf|valid|gültig|format|version|"
    r"hinweis|strength|stärke|guid|require|minim|maxim|generat|history|rotat|attempt|versuch|review|ticket|number)"
    rf"|(?:rule|cost|salt|safe|type|typ|field|feld|form|page|seite|hint|age|alter|file|datei|list|block|line|system|icon|sprint|"
    rf"nummer)s?(?!{LETTER}))"
)


@cache
def _data() -> dict[str, Any]:
    text = files("app.guardrail").joinpath("cues.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (strings alone; "on" is a word)
    return found


def _listed(by_language: dict[str, list[str]] | None) -> list[str]:
    return [word for words in (by_language or {}).values() for word in words]


def _any_of(words: Iterable[str]) -> str:
    return any_of(form for word in words for form in cased(word))


@dataclass(frozen=True)
class NameWords:
    """Names of one sort of value. `words`: one of them stands wherever `pattern` or `unspaced` matches."""

    words: tuple[str, ...]
    pattern: str
    unspaced: str


@cache
def names(sort: str) -> NameWords:
    """The names of `password`, `code` or `secret`."""
    found = _data()[sort]
    long, short, unspaced = (_listed(found.get(part)) for part in ("long", "short", "unspaced"))
    whole = rf"|(?<!{LETTER})(?:{_any_of(short)})" if short else ""
    pattern = rf"(?:(?<!1)(?:{_any_of(long)}){whole})(?!{LETTER})"
    words = tuple(form for stem in _listed(found["stems"]) for form in cased(stem))
    return NameWords(words, pattern, _any_of(unspaced))


def verbs() -> str:
    """What stands between a name and its value."""
    return _any_of(_listed(_data()["is"]))


def complements() -> str:
    """What begins the complement of a name: "for the database"."""
    return _any_of(_listed(_data()["of"]))


def links() -> list[str]:
    """What joins a value to a name behind it."""
    return _listed(_data()["after"])


def number_labels() -> tuple[str, ...]:
    """Pieces of what columns and lines of numbers are called."""
    return tuple(form for word in _listed(_data()["numbers"]) for form in cased(word))


def column_names() -> frozenset[str]:
    """What columns beside those of passwords are called."""
    return frozenset(form for words in _data()["columns"].values() for word in words.split() for form in cased(word))


def no_values() -> frozenset[str]:
    """Words of other languages than English that stand where a value could, and are none."""
    return frozenset(form for words in _data()["no_value"].values() for word in words.split() for form in cased(word))


def unspaced_characters() -> str:
    """All characters of scripts without blanks that cues, and the names of numbers, are made of."""
    data = _data()
    lists = [data[sort].get("unspaced") for sort in ("password", "code", "secret")]
    words = (word for by_language in (*lists, data["unspaced_names"]) for word in _listed(by_language))
    return "".join(
        sorted({character for word in words for character in word if ord(character) >= 0x0E00} | set(PARTICLES))
    )


class FrameEnd:
    """Whether a text may end in a frame of `sort`: quickly, and rather once too often."""

    def __init__(self, sort: str, also: str = "") -> None:
        found = _data()[sort]
        texts = [
            form
            for text in (
                *(text for words in ("is", "later") for text in _listed(_data()[words])),
                *_listed(found["long"]),
                *_listed(found.get("short")),
            )
            for form in cased(text)
        ]
        self._last = frozenset(text.rsplit(" ", 1)[-1] for text in texts)
        self._signs = frozenset(":=|>/?" + unspaced_characters())
        self._name = re.compile(f"{names(sort).pattern}{f'|{also}' if also else ''}")

    def __call__(self, before: str) -> bool:
        tail = before[-40:].rstrip(" \n([\"'`@)],")
        if not tail or tail[-1] in self._signs:
            return bool(tail)
        if "[redacted: " in before[-40:]:
            return True  # one of a list of which the others were found
        word = tail[max(tail.rfind(" "), tail.rfind("\n")) + 1 :]
        return word in self._last or self._name.search(word) is not None


def frame(sort: str, *, name: str = "") -> tuple[str, tuple[str, ...]]:
    """A pattern of what says that a value follows, up to a quote, and the words for a `Cue`.

    Groups: `assign` (`password: `), `is` ("the password for the intranet is "), `bare` ("password ") and `unspaced`;
    `titled` ("password printer: "), `later` ("the password has changed, it is ") and `asked` ("the password?", and the
    value on the next line) say less, and what follows has to look like a value. `name`: a further pattern of names.
    """
    named = names(sort)
    called = rf"(?:{named.pattern}{f'|{name}' if name else ''})"
    suffixed = rf"{called}(?:[_.][a-z0-9_.]{{0,24}}|\d{{0,2}})"
    of = rf"(?:(?: \([^\n()]{{1,48}}\)| (?:(?:{complements()}) |d'|dell')[^\n.:;|]{{1,56}}?))?"
    says = rf"(?:,? (?:{verbs()}),?){{1,4}}(?: [\w ]{{2,20}},)?:?(?: {{1,2}}|\n)"
    unspaced = rf"|(?P<unspaced>(?:{named.unspaced})[{PARTICLES}\n]{{0,6}}[ :=|]{{0,3}})" if named.unspaced else ""
    titled = rf"{suffixed}(?: (?!{_NO_TITLE})[^\W\d_][\w\-]{{1,18}}){{1,3}} ?(?::|=|->|=>|→) {{0,4}}"
    later = rf"{suffixed}(?![\-'])[^\n.;:?]{{0,56}}[,?] (?:{_any_of(_listed(_data()['later']))}):? "
    asked = rf"{suffixed}[^\n?.:]{{0,32}}\? ?\n[ >*\-]{{0,4}}(?:(?:\d\d:\d\d )?[^\W\d_][\w.]{{0,14}}: )?"
    less = rf"(?P<titled>{titled})|(?P<later>{later})|(?P<asked>{asked})"
    more = rf"(?P<is>{suffixed}{of}{says})|(?P<bare>{suffixed} {{1,2}})|{less}{unspaced}"
    pattern = rf"(?:(?P<assign>{suffixed}{of}{ASSIGN})|{more})"
    return pattern, named.words
