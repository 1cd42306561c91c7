"""Postal addresses: street and house number with the flat, postcode, town and country behind them; and boxes.

Streets are known by what they are called ("12 Main Street", "Hauptstraße 5", "10 rue de la Paix", "Via Roma 3"). Beside
words such as "address" or "lives at" a name and a number are enough.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.guardrail.check import CAPITAL, NUMBER_START, Check, Cue, Finding, PatternCheck, Run
from app.guardrail.checks import address_words as words
from app.guardrail.checks.runs import CODE, CODE_START, NUMBER_AND_LABEL

_WORD = rf"{words.CAPITAL}[\w.'\-]{{0,24}}"
_LINK = (
    r"(?:de|la|le|les|du|des|del|della|delle|dei|di|da|do|dos|das|d'|l'|al|el|of|the|van|der|den|von|zum|"
    r"zur|y|e|i|a)(?![\w.])"
)
_NAME = rf"(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th)\b|{_LINK})"
_SMALL_NAME = rf"(?:{_LINK} ?){{0,3}}[{words.SMALL}\-]{{3,14}}(?: {_WORD})?(?= ?[,\n])"
_NUMBER = r"\d{1,5}(?:-\d{1,5})?[A-Za-z]?(?:/\d{1,4})?"
_HOUSE = (
    r"(?:n[º°o]\.? ?|č\. ?|nr\.? ?|д\.? ?|u\. ?)?\d{1,5}(?:[-/]\d{1,4})?(?: ?[A-Za-z](?!\w))?\.?(?![\w%°]|"
    r"[.,:]\d|-\d| ?%)"
)
_BREAK = r"(?:,? |,?\n ?(?:> ?|\?{2,3} )?(?:, ?)?)"
_CLOSED = r"(?=,? ?\n|[,.;)\"'?!]|\Z)"
_MORE = (
    rf"(?= \d{{1,4}}\b|,|\.?\n|\.?\Z|\. [A-Z]|[;)?!]|{_BREAK}{words.UNIT}|,? [A-Z]{{2}} \d{{5}}| "
    rf"(?:{words.TOWN}),? {words.STATE} )"
)
_ENDED = "(?:" + "|".join(rf"(?<={re.escape(end)})" for end in words.ENDINGS) + ")"
_APART = r"(?:Stra(?:ß|ss)e|Str\.|straat|Weg|Allee|Platz|Gasse|Ufer|Damm|Chaussee|Landstra(?:ß|ss)e|gate|vej|gata)"
_BEFORE = "|".join(re.escape(word) for word in sorted(words.BEFORE + words.BEFORE_SMALL, reverse=True))

_BY_NUMBER = (
    rf"(?:\d{{1,5}},? )?{_NUMBER},? (?:{_NAME} ){{1,4}}(?:{words.BEHIND}|{words.BEHIND_WEAK}{_MORE})",
    rf"(?:\d{{1,5}},? )?{_NUMBER}(?: (?:bis|ter))?,? (?:{_BEFORE}) (?:{_SMALL_NAME}|(?:{_NAME} ?){{1,"
    rf"5}}(?<! )(?: {_HOUSE})?)",
    rf"\d{{1,5}} (?:{_WORD} ){{0,2}}(?:[\w'.\-]{{2,34}}{_ENDED}|{_APART}) {_HOUSE}",
    rf"\d{{1,5}} (?:{_WORD} ){{1,3}}{_HOUSE}(?={_BREAK}(?:{words.UNIT}|{words.CODE} {words.TOWN}))",
)
_BY_WORD = (
    *words.BOXES,
    words.UNIT,
    rf"(?:{_BEFORE}) ?(?:{_NAME},? ){{1,5}}{_HOUSE}",
    rf"{words.AT} (?:{_WORD} ){{1,2}}{_HOUSE}(?={_BREAK}(?:D-)?\d{{5}} {words.CAPITAL})",
)
_BY_ENDING = (rf"(?:{_WORD} )?[\w'.\-]{{2,34}}{_ENDED} {_HOUSE}", rf"(?:{_WORD} ){{1,2}}{_APART} {_HOUSE}")
_BY_CUE = (
    rf"the corner of (?:[\w.]{{1,20}} ){{1,6}}and (?:{_NAME} ?){{1,4}}(?<! )",
    rf"(?:the corner of )?(?:\d{{1,5}},? ){{0,2}}(?:{_NAME} ){{0,4}}{_WORD},? {_HOUSE}",
    rf"(?:\d{{1,5}},? ){{1,2}}{_WORD}(?: {_NAME}){{0,4}}",
)
_TAIL = re.compile(
    rf"{_BREAK}(?:{words.UNIT}|{words.CODE}(?: {words.TOWN})?|{words.TOWN},? (?:{words.STATE},? )?{words.CODE}|"
    rf"{words.TOWN},? {words.STATE}{_CLOSED}|{words.STATE}(?: {words.CODE}|{_CLOSED})|{words.TOWN}{_CLOSED})"
)
_PARTS = 6  # flat, building, postcode and town, state, country
_NO_STREET = re.compile(rf"(?:\d{{1,5}} )?{words.NO_STREETS} ")
_GLUED = re.compile(r"(?:[\w./#@=+&?%$€£\-][\-/.#@=+:]|[$€£#]|https?://[^ \n]*)\Z")
_EXTENT = 320


def any_prefix(of: Iterable[str]) -> str:
    """A pattern of every beginning of some words, the empty one too."""
    rests: dict[str, list[str]] = {}
    for word in of:
        if word:
            rests.setdefault(word[0], []).append(word[1:])
    return (
        "(?:" + "|".join(re.escape(first) + any_prefix(rest) for first, rest in rests.items()) + ")?" if rests else ""
    )


# What may belong to an address: words with a capital or a digit, and short ones between them.
_TOKEN = rf"(?:(?:{words.CAPITAL}|[\d(#])[\w.'/#º°)\-]{{0,20}}|[{words.SMALL}'.]{{1,6}}/?)"
_REST = rf"(?:,?(?:[ \n](?:>|\?{{1,3}})? ?(?:{_TOKEN})?)?){{0,13}}"
_NUMBER_RUN = Run(
    re.compile(
        rf"(?:\d{{1,5}}(?:-\d{{0,5}})?[A-Za-z]?(?:/\d{{0,4}})?(?:,?(?: (?:\d{{1,5}},? |bis |ter )?"
        rf"(?:(?:{words.CAPITAL}[\w.'\-]{{0,24}}|\d{{1,5}}[\w.'\-]{{0,6}}|(?:{_BEFORE})(?= )(?: "
        rf"[{words.SMALL}'\-]{{1,14}}){{0,4}}){_REST}|b(?:i(?:s)?)?|t(?:e(?:r)?)?"
        rf"|{any_prefix(words.BEFORE_SMALL)}))?)?)?"
    ),
    _EXTENT + 120,
    min_extent=6,
)
_WORD_RUN = Run(re.compile(rf"(?:[\w'.\-/]{{1,34}}{_REST})?"), _EXTENT + 60, min_extent=6)


@dataclass(frozen=True, slots=True, eq=False)
class AddressCheck:
    """The first form that fits, and all behind it that belongs to an address."""

    run: Run
    opener: re.Pattern[str]
    forms: tuple[re.Pattern[str], ...]
    cue: Cue | None = None
    kind = "address"
    needs = "[0-9A-ZÀ-ÖØ-ÞĀ-ŽΆ-ΫА-ЯЁЄІЇ]"
    tail = None

    def at(self, window: str, start: int) -> Finding | None:
        if _GLUED.search(window, 0, start) is not None or _NO_STREET.match(window, start) is not None:
            return None
        for form in self.forms:
            match = form.match(window, start)
            if match is not None:
                return Finding(start, _end(window, match.end()), self.kind, "street or box with a number")
        return None


def _end(window: str, end: int) -> int:
    for _ in range(_PARTS):
        part = _TAIL.match(window, end)
        if part is None:
            break
        end = part.end()
    return end


def _compiled(forms: Iterable[str]) -> Iterator[re.Pattern[str]]:
    return (re.compile(form) for form in forms)


def _first_words(of: Iterable[str]) -> str:
    """Matches where one of the words begins, as alternatives of first letters: what `re` finds fast."""
    rests: dict[str, list[str]] = {}
    for word in of:
        rests.setdefault(word[0], []).append(re.escape(word[1:]))
    return "|".join(rf"{first}(?<!\w.)(?=(?:{'|'.join(rest)})[ \d])" for first, rest in rests.items())


_NUMBER_START = re.compile(r"[0-9](?<![\w.,/$€£#:@+\-].)(?=\d{0,4}(?:-\d{1,5})?[A-Za-z]?(?:/\d{1,4})?,? )", re.ASCII)
_WORD_START = re.compile(_first_words([*words.BEFORE, *words.AT_STARTS, *words.BOX_STARTS, *words.UNIT_STARTS]))
_ENDING_START = re.compile(rf"{words.CAPITAL}(?<!\w.)(?=[\w'.\-]{{2,34}}+ )(?=[\w'.\-]{{2,34}}+(?:{_ENDED}|(?<=er)))")
_CUE = Cue(
    (
        *("address", "adress", "lives at", "located at", "is at ", "sent to", "wohn", "anschrift"),
        *("corner of", "ul. ", "ул. ", "station is on", "arrived at"),
        *("meet you at", "direcci", "indirizz", " resid", "адрес", "endereço"),
    ),
    re.compile(
        r"(?:address(?:es)?(?: (?:is|are|was))?|adress\w*(?: (?:ist|lautet))?|liv(?:es?|ing) (?:at|on|"
        r"in)|located (?:at|on)|is at|sent to|wohn\w* (?:in|am|an)(?: der)?|wohnhaft|wohnort|wohnsitz|"
        r"anschrift(?: (?:ist|lautet))?|corner of|station is on|arrived at|meet you at|"
        r"direcci[óo]n(?: es)?|indirizzo(?: [èe])?|domicil\w*|"
        r"resid\w+ (?:at|in)|адрес\w*|endereço(?: é)?|morada(?: é)?|zamieszka\w+|headquarters|в?ул\.|ul\.)(?: at| "
        r"in| to)?[:,]?\s{0,3}\"?(?:\d{1,5} )?\Z"
    ),
)  # fmt: skip
_CUE_START = re.compile(rf"(?:{words.CAPITAL}|[\dt])(?<!\w.)(?:(?<!t)|(?=he corner|he ))")
_called_code = re.compile(
    r"(?i)(?<![a-z])(?:zip(?: ?code)?|post(?:al)? ?code|plz|postleitzahl|c[óo]d(?:igo|ice|e) postal|c\.p\.|cap)"
    r"(?: (?:is|ist|es|est))?[:=]? {0,2}\Z"
)
_POSTCODE = re.compile(
    r"(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRV-Y])|GIR) \d[ABD-HJLNP-UW-Z]{2}(?!\w)"
)
_ANY_CODE = re.compile(r"(?:\d{3,6}(?:-\d{3,4})?|\d{3} \d{2})(?:(?<=\d{4}) ?[A-Z]{2})?(?!\w|-\d)")


def _is_code(_match: re.Match[str], before: str) -> bool:
    return _called_code.search(before) is not None


CHECKS: tuple[Check, ...] = (
    AddressCheck(_NUMBER_RUN, _NUMBER_START, tuple(_compiled(_BY_NUMBER))),
    AddressCheck(_WORD_RUN, _WORD_START, tuple(_compiled(_BY_WORD))),
    AddressCheck(_WORD_RUN, _ENDING_START, tuple(_compiled(_BY_ENDING))),
    AddressCheck(_WORD_RUN, _CUE_START, tuple(_compiled(_BY_CUE)), _CUE),
    PatternCheck("address", "postcode of the United Kingdom", _POSTCODE, run=CODE, opener=CODE_START, needs=CAPITAL),
    PatternCheck("address", "number called a postcode", _ANY_CODE, _is_code, run=NUMBER_AND_LABEL, opener=NUMBER_START),
)
