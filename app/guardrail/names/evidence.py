"""Which words of a segment are names, by what a model says, a lexicon, what stands around and what came before."""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

import yaml

from app.guardrail.names.lexicon import Lexicon
from app.guardrail.names.spans import NamedSpan
from app.guardrail.names.spelling import COMMON, FUNCTION_WORDS, WORD, is_capital, key

_FAR = 96
_NEAR = 32  # characters before a name that may say that it is one
_MAX_KNOWN = 512  # words of names that a stream remembers
_ACRONYM = 5  # letters; "NASA" is no name, "MÜLLER" may be
_SHORT = 3  # of each word; "ADA TL" is no name
_AROUND: dict[str, str] = yaml.safe_load(files("app.guardrail.names").joinpath("around_names.yaml").read_text("utf-8"))
_ANY = {what: "|".join(words.split()).replace("_", "[ _]") for what, words in _AROUND.items()}
_TITLE = re.compile(rf"(?:{_ANY['titles']})\Z", re.IGNORECASE)
_BEFORE_NAME = re.compile(
    rf"(?<![^\W_])(?:(?:{_ANY['titles']})\.?|{_ANY['greetings']}|(?:{_ANY['closings']}),?|{_ANY['told']})[ \n]\Z",
    re.IGNORECASE,
)
# One to three words.
_NAME = r"(?P<name>[^\W\d_][^\W\d_'’-]+(?:[-'’ ][^\W\d_][^\W\d_]+){0,2})"
_GREETED = re.compile(rf"(?:^|[>\n\"“])[ *]{{0,3}}(?i:{_ANY['greetings']}) {_NAME}(?=[*]{{0,2}} ?(?:[,!\n<]|$))")
_LABELLED = re.compile(
    rf"(?<![^\W_])(?i:{_ANY['labels']})[\"*]{{0,3}} ?[:=][ \"*]{{1,24}}{_NAME}(?=[\"*]{{0,3}} ?(?:[,;|.\n<]|$))"
)
_CAPITALS = r"(?P<name>[^\W\d_a-z][^\W\d_]+(?:[ -][^\W\d_a-z][^\W\d_]+){0,2})"
_TITLED = re.compile(rf"(?<![^\W_])(?=[^\W\d_a-z])(?i:{_ANY['titles']})\.? {_CAPITALS}")
_BELONGS = re.compile(rf"(?:,? | & | and )(?:{_ANY['organisations']})(?![^\W_])")
# The first of several in the name of one: "the Clark, Romero and Hall Orchestra".
_PARTNER = r"[^\W\d_a-z][\w'-]{1,24}"
_PARTNERS_BEFORE = re.compile(rf"(?<![^\W_])(?i:the) (?:{_PARTNER}, ){{0,3}}\Z")
_PARTNERS_BEHIND = re.compile(
    rf"(?:, {_PARTNER}){{0,3}},? (?:and|&) {_PARTNER},? (?:{_ANY['organisations']})(?![^\W_])"
)
_PLACE_BEHIND = re.compile(
    rf",? (?:an?|the) (?:[\w'-]{{1,16}} ){{0,2}}(?:{_ANY['places']})(?![^\W_])|, [A-Z]{{2}},? \d{{5}}"
)
_PLACE_BEFORE = re.compile(rf"(?:(?<![^\W_])(?:{_ANY['places']}) of|, (?:{_ANY['places']})) \Z", re.IGNORECASE)
_OTHER_VALUE = re.compile(
    rf"(?<![^\W_])(?:{_ANY['other_labels']})(?:[ _-]?name)?[\"*]{{0,3}} ?[:=] ?[^.:;=<>|\n]{{0,60}}\Z", re.IGNORECASE
)
_SURELY = re.compile(rf"(?<![^\W_])(?:{_ANY['sure_titles']})\.? \Z")
_MADE_BY = re.compile(rf"(?<![^\W_])(?:{_ANY['made_by']}):? \Z", re.IGNORECASE)
_BEGINS = re.compile(r"(?:\A|[.!?:>\n\"“] ?)[ \n*>-]{0,8}\Z")
_ACTS = re.compile(rf" (?:{_ANY['deeds']}) ")
_AMOUNT = re.compile(r":[ \t]*[\d$€£]")
_ORGANISATION = re.compile(_ANY["organisations"])
_SHAPE = re.compile(r"(?:Ma?c|De|Di|Da|La|Le|Van|O)?[^\W\d_a-z][^\W\d_A-Z]+")  # "Anna", "McDonald", not "DataFlow"
_CODE_BEFORE = re.compile(r"[\w%=$&?#~\\]\Z|\w[-./+]\Z")
_CODE_BEHIND = re.compile(r"[\d_%=(&\\]|[-./+]\w|:[\w/]|\" ?:")


def names_in(segment: str, said: Iterable[tuple[int, int]], lexicon: Lexicon, known: set[str]) -> Iterator[NamedSpan]:
    """The names in it. `said` is what the model calls persons; `known` are words of names of before, and grows."""
    found = [span for begin, end in said if (span := _taken(segment, begin, end, lexicon)) is not None]
    if lexicon:
        for pattern in (_GREETED, _LABELLED, _TITLED):
            for match in pattern.finditer(segment):
                span = _named(segment, match.span("name"), lexicon)
                found += [span] if span is not None else []
        found += _pairs(segment, lexicon)
        _remember(segment, found, lexicon, known)
        found += _again(segment, known)
    for start, end in found:
        yield NamedSpan(start, end, "name")


def _taken(segment: str, begin: int, end: int, lexicon: Lexicon) -> tuple[int, int] | None:
    """What is a name of that which the model calls a person, if anything is."""
    words = _trimmed(list(WORD.finditer(segment, begin, end)), lexicon)
    if not words:
        return None
    start, stop = words[0].start(), words[-1].end()
    if any(map(str.isdigit, segment[start:stop])):
        return None
    whole = [word for word in words if len(word[0]) > 1]
    told = _BEFORE_NAME.search(segment, max(start - _NEAR, 0), start) is not None
    belongs = _BELONGS.match(segment, stop) is not None or _is_organisation(words[-1][0], lexicon)
    if not told and (belongs or _in_code(segment, start, stop)):
        return None
    if _is_other(segment, words, lexicon):
        return None
    if not lexicon:
        return (start, stop) if _looks_like_name(words, told=told) else None
    taken = _is_name(whole, lexicon, told=told, alone=len(words) == 1) or _is_borne_out(segment, whole, lexicon)
    return (start, stop) if taken else None


def _is_other(segment: str, words: Sequence[re.Match[str]], lexicon: Lexicon) -> bool:
    """Whether it is a place, what an amount is said of, or the value of a label that asks for no person."""
    start, stop = words[0].start(), words[-1].end()
    said = [key(word[0]) for word in words]
    if _is_place(segment, start, stop) or _is_partner(segment, start, stop):
        return True
    if lexicon and _AMOUNT.match(segment, stop) is not None and not any(map(lexicon.is_name, said)):
        return True
    full = (
        len(said) > 1 and said[0] in lexicon.given and said[-1] in lexicon.surnames and "," not in segment[start:stop]
    )
    return not full and _OTHER_VALUE.search(segment, max(start - _FAR, 0), start) is not None


def _is_place(segment: str, start: int, stop: int) -> bool:
    """Whether what stands around says that it is one."""
    if _PLACE_BEHIND.match(segment, stop) is not None:
        return True
    return _PLACE_BEFORE.search(segment, max(start - _NEAR, 0), start) is not None


def _is_partner(segment: str, start: int, stop: int) -> bool:
    """Whether what stands around makes it a part of an organisation's name."""
    if _PARTNERS_BEHIND.match(segment, stop) is None:
        return False
    return _PARTNERS_BEFORE.search(segment, max(start - _FAR, 0), start) is not None


def _is_borne_out(segment: str, words: Sequence[re.Match[str]], lexicon: Lexicon) -> bool:
    """Whether what stands around says that words of the language are a name here."""
    if not words or all(word[0].isupper() for word in words):
        return False
    start, stop = words[0].start(), words[-1].end()
    said = [key(word[0]) for word in words]
    if _SURELY.search(segment, max(start - _NEAR, 0), start) is not None:
        return FUNCTION_WORDS.isdisjoint(said)
    if _MADE_BY.search(segment, max(start - _NEAR, 0), start) is not None:
        return len(said) > 1 and not lexicon.ordinary.issuperset(said)
    acts = _BEGINS.search(segment, 0, start) is not None and _ACTS.match(segment, stop) is not None
    return acts and any(map(lexicon.is_name, said))


def _is_organisation(last: str, lexicon: Lexicon) -> bool:
    """Whether the last word says that it is one; somebody may be called "Park" or "Lane"."""
    return _ORGANISATION.fullmatch(last) is not None and not lexicon.is_name(key(last))


def _in_code(segment: str, start: int, stop: int) -> bool:
    """Whether it is part of an identifier, an address or a key."""
    if _CODE_BEFORE.search(segment, max(start - 2, 0), start) is not None:
        return True
    return _CODE_BEHIND.match(segment, stop) is not None


def _trimmed(words: list[re.Match[str]], lexicon: Lexicon) -> list[re.Match[str]]:
    """Without titles and what has no capital at its ends, and without the words of the language around a name."""
    at = next((n for n, word in enumerate(words) if _TITLE.match(word[0]) is None), len(words))
    words = words[at:]
    while words and not _may_be_name(words[0][0], lexicon):
        words = words[1:]
    while words and not _may_be_name(words[-1][0], lexicon):
        words = words[:-1]
    if any(lexicon.is_name(key(word[0])) for word in words):
        while _is_no_name(words[0][0], lexicon):
            words = words[1:]
        # Any word may be the surname of somebody ("Quinn Slack").
        while _is_no_name(words[-1][0], lexicon) and key(words[-2][0]) not in lexicon.given:
            words = words[:-1]
    return words


def _may_be_name(word: str, lexicon: Lexicon) -> bool:
    """Whether it has a capital. In letters that have none, it is in the lexicon."""
    return is_capital(word) or (word[0].lower() == word[0].upper() and lexicon.is_name(key(word)))


def _is_no_name(word: str, lexicon: Lexicon) -> bool:
    return key(word) in lexicon.ordinary and not lexicon.is_name(key(word))


def _is_name(words: Sequence[re.Match[str]], lexicon: Lexicon, *, told: bool, alone: bool) -> bool:
    """Whether a lexicon bears the model out, or does not speak against it. `told`: the text says a name follows."""
    said = [key(word[0]) for word in words]
    ordinary = [word in lexicon.ordinary for word in said]
    named = [lexicon.is_name(word) for word in said]
    upper = all(word[0].isupper() for word in words)
    longest = max((len(word[0]) for word in words), default=0)
    if not told and longest <= (_ACRONYM if alone else _SHORT) and upper:
        return False
    if any(map(lexicon.is_only_name, said)):
        return True
    if told:
        return not all(ordinary) or any(named)
    if len(said) > 1 and said[0] in lexicon.given and said[-1] in lexicon.surnames:
        return True
    if any(ordinary) or (upper and not any(named)):
        return False
    return len(said) > 1 or not alone or any(named) or _SHAPE.fullmatch(words[0][0]) is not None


def _looks_like_name(words: Sequence[re.Match[str]], *, told: bool) -> bool:
    """Without a lexicon: two words, or one where people are named. A word alone is mostly the name of a product."""
    return any(key(word[0]) not in COMMON for word in words) and (len(words) > 1 or told)


def _named(segment: str, span: tuple[int, int], lexicon: Lexicon) -> tuple[int, int] | None:
    """Where a name must stand, words with capitals of which not all are of the language."""
    words = _trimmed(list(WORD.finditer(segment, *span)), lexicon)
    if all(_is_no_name(word[0], lexicon) or len(word[0]) == 1 for word in words):
        return None
    return words[0].start(), words[-1].end()


def _pairs(segment: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """A given name with a surname behind it, both nothing else."""
    before: re.Match[str] | None = None
    for word in WORD.finditer(segment):
        if not is_capital(word[0]) or len(word[0]) == 1:
            before = None
            continue
        if before is not None and segment[before.end() : word.start()] == " " and not word[0].isupper():
            first, last = key(before[0]), key(word[0])
            if first in lexicon.given and last in lexicon.surnames and lexicon.ordinary.isdisjoint((first, last)):
                start, stop = before.start(), word.end()
                if _BELONGS.match(segment, stop) is None and not _is_place(segment, start, stop):
                    yield start, stop
        before = word


def _remember(segment: str, found: Iterable[tuple[int, int]], lexicon: Lexicon, known: set[str]) -> None:
    """The words of whole names, which may stand alone from here on."""
    for start, end in found:
        words = [word[0] for word in WORD.finditer(segment, start, end) if len(word[0]) > 2 and word[0][1:].islower()]
        words = list(filter(is_capital, words))
        if len(words) > 1 and any(lexicon.is_only_name(key(word)) for word in words):
            known.update(key(word) for word in words if key(word) not in lexicon.ordinary and len(known) < _MAX_KNOWN)


def _again(segment: str, known: set[str]) -> Iterator[tuple[int, int]]:
    """Words of names that the text had whole."""
    if known:
        for word in WORD.finditer(segment):
            if is_capital(word[0]) and key(word[0]) in known:
                yield word.span()
