"""Numbers by their outer shape: one row says what a number looks like, how it is validated and which words name it.

A start costs one match and a few look-ups, however many rows there are: the shape of what stands there, with 9 for each
digit and A for each letter, is a key of a dictionary.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.guardrail.check import DIGIT, NUMBER_START, WORD, Finding, Run
from app.guardrail.checks.runs import ALNUM_START, NUMBER_AND_LABEL, words_before

_SHAPE = str.maketrans({**{str(digit): "9" for digit in range(10)}, **{chr(65 + at): "A" for at in range(26)},
                        **{chr(97 + at): "A" for at in range(26)}})  # fmt: skip
_REPEATED = re.compile(r"(.)\{(\d+)\}")
_GAPS = re.compile(r"[ ./()\-]+")
_GROUP_END = re.compile(r"[A-Za-z0-9](?=[ ./()\-]|\Z)\)?", re.ASCII)
_DIGITS = re.compile(r"\d(?:[ ./\-]?\d){4,21}", re.ASCII)
_ALNUM = re.compile(r"[A-Za-z0-9](?:[./\-+]?[A-Za-z0-9]){5,23}(?:\([0-9A]\))?", re.ASCII)
_LONGER = re.compile(r"\w|[.\-/]\d", re.ASCII)  # what follows belongs to the number

# What the number belongs to if it stands right behind one of these; and what it is glued to.
_OTHER_THING = re.compile(
    r"(?i)(?<![a-z])(?:tickets?|orders?|invoices?|parts?|cases?|refs?|reference|sku|isbn|issn|doi|versions?|builds?|"
    r"commits?|tracking|serial|models?|items?|articles?|products?|batch|lot|issues?|bugs?|jobs?|runs?|"
    r"releases?|revision|"
    r"quotes?|shipments?|parcel|assets?|bestell\w*|auftrags?\w*|rechnungs?\w*|artikel\w*|commande|"
    r"facture|pedido|factura|"
    r"fattura|ordine|zam[oó]wieni\w*|faktur\w*|заказ\w*|сч[её]т\w*|pr|pull request|gtin|ean|upc|imei|"
    r"uuid|hash|rfc|patent)"
    r"(?:[ -]?(?:numbers?|no|nr|num|id|code|n°|nº|is)){0,2}[.]?[ :#=(\-]{0,3}\Z"
)
_GLUED = re.compile(r"(?:[A-Za-z0-9][\-_./#@]|[#$€£]|https?://[^ \n=]*)\Z")
_MIN_VARIED = 3  # characters; of longer numbers, one with a single digit is made up to show the form
_MIN_WHOLE = 10  # shorter numbers are too often valid by chance
ANY_FORM = "any"
_AFTER_GROUP = re.compile(r"(?:\A|[ (])[A-Z0-9]*\d[A-Z0-9]* \Z")


_NEAR = r"[^\n]{0,32}\Z"
NEXT = (
    r"(?:[ -]?(?:numbers?|no|nr|num|nummer|id|card|code|is|are|was|:|is:|ist|est|es|[èé]|lautet|n°|nº|"
    r"numer|número|numéro))"
    r"{0,3}[.]?[ :#=(\-\"'`]{0,24}\Z"
)
_PATH = re.compile(r"https?://[^ \n=]*\Z")  # of an address of the web; the value of a parameter counts


def named(words: str, then: str = _NEAR) -> Callable[[str], bool]:
    """Whether one of the words (a pattern) stands shortly before."""
    cue = re.compile(rf"(?i)(?<![^\W\d_])(?:{words})(?![^\W\d_]){then}")
    return lambda before: cue.search(words_before(before)) is not None


def compact(text: str) -> str:
    """Letters and digits only, the letters large."""
    return _GAPS.sub("", text).upper()


def anything(_number: str) -> bool:
    """For numbers without a checksum: they are found by their names alone."""
    return True


@dataclass(frozen=True, slots=True)
class IdForm:
    """A number, its forms between commas: 9 is a digit, A a letter, `9{7}` seven digits.

    Near behind one of `words` a valid number is found, right behind it any. In a form of `strong` a valid number needs
    no name; nor does one of `whole` where it is all of the text, as an answer to a question for it is.
    """

    country: str
    name: str
    valid: Callable[[str], bool]
    words: str
    shapes: str = ""
    strong: str = ""
    raw: bool = False  # the separator is a part of the number
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one kind; `any_words` name every one of them."""

    kind: str
    rows: tuple[IdForm, ...]
    any_words: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    kind: str
    row: IdForm
    named: Callable[[str], bool]
    called: Callable[[str], bool]
    strong: bool
    whole: bool

    @property
    def reason(self) -> str:
        return f"{self.row.country}: {self.row.name}" if self.row.country else self.row.name


def _forms(shapes: str) -> Iterator[str]:
    for shape in shapes.split(","):
        if shape := shape.strip():
            yield _REPEATED.sub(lambda match: match[1] * int(match[2]), shape)


def _by_shape(tables: Iterable[Table]) -> Mapping[str, tuple[_Entry, ...]]:
    found: dict[str, list[_Entry]] = {}
    for table in tables:
        for row in table.rows:
            words = f"{row.words}|{table.any_words}" if table.any_words else row.words
            is_named, is_called = named(words), named(words, NEXT)
            strong, whole = set(_forms(row.strong)), set(_forms(row.whole))
            for shape in strong | set(_forms(row.shapes)):
                is_whole = shape in whole or (row.whole == ANY_FORM and len(shape) >= _MIN_WHOLE)
                entry = _Entry(table.kind, row, is_named, is_called, shape in strong, is_whole)
                found.setdefault(shape, []).append(entry)
    return {shape: tuple(entries) for shape, entries in found.items()}


def is_all(window: str, start: int, end: int) -> bool:
    """Whether the window holds nothing but the number: the text ends behind it, or the run could not be that short."""
    return not window[:start].strip(' "') and not window[end:].strip(' ".')


@dataclass(frozen=True, slots=True, eq=False)
class TableCheck:
    """Whether a row fits at a start, the longest form first: another number may follow after a blank.

    Its findings are of `kinds`, those of its tables; `kind` is the first of them.
    """

    kind: str
    kinds: frozenset[str]
    candidate: re.Pattern[str]
    run: Run
    opener: re.Pattern[str]
    entries: Mapping[str, tuple[_Entry, ...]]
    needs: str
    cue = None
    tail = None

    def at(self, window: str, start: int) -> Finding | None:
        match = self.candidate.match(window, start)
        if match is None or window[start - 1 : start].isalnum():
            return None
        shape = match[0].translate(_SHAPE)
        for end in reversed([ended.end() for ended in _GROUP_END.finditer(match[0])]):
            entries = self.entries.get(shape[:end])
            if entries is None or _LONGER.match(window, start + end) is not None:
                continue
            text, before = match[0][:end], window[:start]
            for entry in entries:
                if self._accepts(entry, text, before, window):
                    return Finding(start, start + end, entry.kind, entry.reason)
        return None

    def _accepts(self, entry: _Entry, text: str, before: str, window: str) -> bool:
        if (len(text) <= _MIN_VARIED or len(set(compact(text))) > 1) and _PATH.search(before) is None:
            valid = entry.row.valid(text if entry.row.raw else compact(text))
            if (valid and entry.named(before)) or entry.called(before):
                return _OTHER_THING.search(before) is None
            return valid and (
                (entry.whole and is_all(window, len(before), len(before) + len(text)))
                or (entry.strong and _stands_alone(text, before))
            )
        return False


def _stands_alone(text: str, before: str) -> bool:
    """Whether it is neither named after something else, nor the end of a longer code or number.

    What follows a blank is not asked: it may be a number of its own, and hidden.
    """
    if _OTHER_THING.search(before) is not None or _GLUED.search(before) is not None:
        return False
    return " " not in text or _AFTER_GROUP.search(before) is None


def table_checks(*tables: Table) -> tuple[TableCheck, ...]:
    """The tables as two checks: numbers of digits alone, and those with letters. Of what fits, the first row counts."""
    entries = _by_shape(tables)
    plain = {shape: of for shape, of in entries.items() if "A" not in shape}
    mixed = {shape: of for shape, of in entries.items() if "A" in shape}
    kind, kinds = tables[0].kind, frozenset(table.kind for table in tables)
    return (
        TableCheck(kind, kinds, _DIGITS, NUMBER_AND_LABEL, NUMBER_START, plain, ""),
        TableCheck(kind, kinds, _ALNUM, WORD, ALNUM_START, mixed, DIGIT),
    )
