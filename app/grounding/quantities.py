"""Numbers of a text with what they measure, in figures and in words, and identifiers with digits. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from app.grounding.dates import dates
from app.grounding.facts import Fact
from app.grounding.number_words import ARTICLES, MAGNITUDES, NUMBERS, SCALES, UNITS

_GAP = "[ \u00a0\u202f\u2009]"
_FIGURES = rf"\d{{1,3}}(?:(?:,\d{{3}})+(?:\.\d+)?|(?:\.\d{{3}})+(?:,\d+)?|(?:['’]\d{{3}})+(?:\.\d+)?|(?:{_GAP}\d{{3}})+(?:,\d+)?)(?!\d)|\d+(?:[.,]\d+)?"  # noqa: E501
_CURRENCY = r"US\$|A\$|C\$|[$€£¥]|\b(?:USD|EUR|GBP|CHF|JPY)\b"
_TOKEN = re.compile(
    r"(?P<address>\b(?:https?://|www\.)\S+)"
    r"|(?P<version>(?<![\w.])[vV]?\d+(?:\.\d+){2,}(?![\w]))"
    rf"|(?P<currency>{_CURRENCY})?\s?(?<![\w.])(?P<sign>(?<!\S)[-\u2212])?(?P<figures>{_FIGURES})(?P<tail>[A-Za-zµ°º%€$£¥]*)"
    r"(?P<more>[-_/.]?[A-Za-z]*\d[\w-]*(?:\.\d+)?)?"
    r"|(?P<code>(?<!\w)[A-Za-z]+[-_/]?\d[\w-]*(?:\.\d+)*)",
    re.IGNORECASE,
)


def _spelling(language: str) -> re.Pattern[str]:
    word = "|".join(sorted(map(re.escape, NUMBERS[language]), key=len, reverse=True))
    return re.compile(rf"(?i)(?<![\w-])(?:{word})(?:[\s-]+(?:and\s+|y\s+|et\s+)?(?:{word}))*(?![\w-]|'\w)")


_SPELLED = {language: _spelling(language) for language in NUMBERS}
_ORDINALS = frozenset(["st", "nd", "rd", "th", "er", "e", "ème", "º", "ª", "o", "a", "s"])
_NEXT = re.compile(r"[\s\u00a0\u202f-]*([^\W\d_]+(?:/[^\W\d_]+)?|[%€$£¥]|°[CcFf]|ºC)")
_ABOUT = re.compile(
    r"(?:\babout|\baround|\bnearly|\balmost|\bapproximately|\bapprox\.?|\broughly|~"
    r"|\bca\.?|\betwa|\brund|\bungefähr|\benviron|\bcerca de|\balrededor de|\bunos)\s*$",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s*(?:-|\u2013|\u2014|to|bis|à|a|and|und|or|oder)\s*\d", re.IGNORECASE)
_PER = re.compile(r"(?:\bper cent|\bpour cent|\bpor ciento)\b", re.IGNORECASE)


_Unit = tuple[str | None, float]
NO_UNIT: _Unit = (None, 1.0)
# What stands between a number and a unit that is not its own.
_NO_ADJECTIVES = frozenset(
    [
        "to",
        "and",
        "or",
        "of",
        "in",
        "at",
        "on",
        "by",
        "is",
        "for",
        "bis",
        "und",
        "oder",
        "per",
        "von",
        "à",
        "de",
        "et",
        "ou",
        "y",
        "o",
    ]
)


def facts(text: str, language: str = "en") -> list[Fact]:
    """The facts of a text but its names, in order; number words are those of its language, else English ones."""
    language = language if language in NUMBERS else "en"
    found = list(dates(text))
    taken = [(fact.start, fact.end) for fact in found if fact.kind != "weekday"]
    for pattern, read in ((_TOKEN, _token), (_SPELLED[language], _spelled)):
        for match in pattern.finditer(text):
            if not any(match.start() < b and match.end() > a for a, b in taken):
                found += read(text, match, language)
    found.sort(key=lambda fact: (fact.start, fact.kind))
    return _with_units_of_ranges(text, found)


def _token(text: str, match: re.Match[str], language: str) -> Iterator[Fact]:  # noqa: ARG001
    if match["address"]:
        return
    if match["version"] or match["code"]:
        yield _code(match[0], *match.span())
    elif match["more"] and not _is_amount(match):
        yield _code(match[0].strip(), *match.span())
    else:
        yield from _figures(text, match)


def _code(token: str, start: int, end: int) -> Fact:
    return Fact("code", frozenset({re.sub(r"[-_/\s]", "", token.lower()).lstrip("v")}), start, end)


def _is_amount(match: re.Match[str]) -> bool:
    """Whether what begins with figures is an amount and not an identifier: `30GB`, `5-10`, not `2501FP`."""
    more = match["more"] or ""
    return not match["tail"] and re.fullmatch(r"[-/]\d+(?:\.\d+)?", more) is not None


def _figures(text: str, match: re.Match[str]) -> Iterator[Fact]:
    tail = match["tail"].lower()
    values = _readings(match["figures"])
    if match["sign"]:
        values = frozenset(-v for v in values)
    start, end = match.start("figures"), match.end("figures")
    factor = 1.0
    if (tail in MAGNITUDES and tail not in {"m", "b"}) or (tail in {"m", "b"} and match["currency"]):
        factor = float(MAGNITUDES[tail])
    elif tail and tail not in UNITS and tail not in _ORDINALS:
        yield _code(match[0].strip(), *match.span())
        return
    else:
        following = _NEXT.match(text, end)
        if not tail and following and (size := MAGNITUDES.get(following[1].lower())) and len(following[1]) > 1:
            factor, end = float(size), following.end() + text.startswith(".", following.end())
    unit, end = _unit(text, match, end, tail)
    about = _ABOUT.search(text, max(0, match.start() - 24), match.start()) is not None
    scaled = frozenset(v * factor for v in values)
    yield Fact("number", scaled, start, end, *unit, about=about)
    if match["more"]:
        other = match["more"].lstrip("-/")
        yield Fact("number", _readings(other), match.start("more") + 1, match.end(), *unit)


def _unit(text: str, match: re.Match[str], end: int, tail: str) -> tuple[_Unit, int]:
    end = max(end, match.end("tail"))
    if match["currency"]:
        sign = match["currency"].lower()
        return UNITS.get(sign) or UNITS.get(sign[-1:]) or NO_UNIT, end
    if tail in UNITS and not (tail == "s" and len(match["figures"]) > 2):  # the 1990s
        return UNITS[tail], end
    unit, behind = _next_unit(text, match.end() if match["more"] else end)
    return unit, end if match["more"] else max(end, behind)


def _next_unit(text: str, at: int) -> tuple[_Unit, int]:
    """The unit behind a number and where it ends, with one word between at most: `9 court days`."""
    if per := _PER.match(text, at + 1):
        return UNITS["%"], per.end()
    for place in range(2):
        following = _NEXT.match(text, at)
        if following is None:
            break
        word = following[1].lower()
        if word in UNITS and (len(word) > 1 or not word.isalpha() or place == 0):
            return UNITS[word], following.end()
        if word in _NO_ADJECTIVES:
            break
        at = following.end()
    return NO_UNIT, 0


def _readings(figures: str) -> frozenset[float]:
    """The values that figures may have: `1,5` is 1.5; `1.000` may be 1 or 1000."""
    plain = re.sub(rf"['’]|{_GAP}", "", figures)
    marks = [c for c in plain if c in ".,"]
    if not marks:
        return frozenset({float(plain)})
    last = marks[-1]
    whole, _, fraction = plain.rpartition(last)
    decimal = float(re.sub("[.,]", "", whole) + "." + fraction)
    joined = float(re.sub("[.,]", "", plain))
    if len(set(marks)) == 2:
        return frozenset({decimal})
    if len(marks) > 1:
        return frozenset({joined})
    if len(fraction) == 3 and len(whole) <= 3 and whole != "0":
        return frozenset({joined, decimal}) if last == "." else frozenset({joined})
    return frozenset({decimal})


def _spelled(text: str, match: re.Match[str], language: str) -> Iterator[Fact]:
    known = NUMBERS[language]
    whole = match[0].lower()
    words = [whole] if whole in known else [w for w in re.split(r"[\s-]+", whole) if w in known]
    soft = whole in ARTICLES
    following = _NEXT.match(text, match.end())
    size, end = 1.0, match.end()
    if following and following[1].lower() in MAGNITUDES and len(following[1]) > 1:
        size, end, soft = float(MAGNITUDES[following[1].lower()]), following.end(), False
    if whole in SCALES or whole in UNITS:
        return
    unit, behind = _next_unit(text, end)
    about = _ABOUT.search(text, max(0, match.start() - 24), match.start()) is not None
    value = _spelled_value(words, known) * size
    yield Fact("number", frozenset({value}), match.start(), max(end, behind), *unit, soft=soft, about=about)


def _spelled_value(words: Sequence[str], known: Mapping[str, int]) -> float:
    total = group = 0
    for word in words:
        if word in SCALES:
            group = max(group, 1) * SCALES[word]
            if SCALES[word] >= 1000:
                total, group = total + group, 0
        else:
            group += known[word]
    return float(total + group)


def _with_units_of_ranges(text: str, found: list[Fact]) -> list[Fact]:
    """In `5 to 10 days` the first number has the unit too."""
    result = list(found)
    for at in range(len(result) - 2, -1, -1):
        fact, following = result[at], result[at + 1]
        both = fact.kind == following.kind == "number" and fact.unit is None and following.unit is not None
        if both and _RANGE.fullmatch(text[fact.end : following.start + 1]):
            result[at] = replace(fact, unit=following.unit, factor=following.factor)
    return result
