"""Payment card numbers, in one piece or in groups."""

import re
from collections.abc import Iterator

from app.guardrail.check import NUMBER_START, Finding
from app.guardrail.checks.numbers import digits, luhn
from app.guardrail.checks.runs import NUMBER_AND_LABEL, words_before

_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?<!\d\.)\d(?:[ .\-]?\d){11,18}(?![A-Za-z0-9])")
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11,13}|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|(?:1800|2131)\d{11}"
    r"|62\d{14,17}|(?:5[0678]\d\d|6[0-9]\d\d)\d{8,15}",
    re.ASCII,
)
_NAMED = re.compile(
    r"(?i)(?:\b(?:credit|debit|visa|mastercard|master card|amex|american express|maestro|discover|diners|jcb|cc|pan|"
    r"kreditkarte|card|carte|tarjeta|carta di (?:credito|debito)|cartão|"
    r"betaalkaart|creditcard|kortnummer|karta|kartı|карт[аыу])\b"
    r"|(?:卡号|卡號|信用卡|カード番号|카드번호)\w{0,4})[^\n]{0,40}\Z"
)
_OTHER = re.compile(
    r"(?i)\b(?:gift|loyalty|membership|library|sim|business|score|phone|tel|order|invoice|isbn|ean|imei)\b"
)
_OTHER_NUMBER = re.compile(r"(?i)\b(?:imei|isbn|ean|tracking|iban)\b[^\n]{0,20}\Z")
_AFTER_URL = re.compile(r"https?://[^ \n=]*\Z")  # in its path; the value of a parameter counts


_LETTER = re.compile(r"[^\W\d_]")
_BETWEEN_GROUPS = re.compile(r"[ .\-]")


def _is_grouped(text: str) -> bool:
    """Whether the digits stand as cards are written: in groups of one size, or of four and more, the last as it comes.

    A row of numbers that are one, two and three digits long is none, and pairs are what dumps of memory are made of.
    """
    sizes = [len(group) for group in _BETWEEN_GROUPS.split(text)]
    return (len(set(sizes)) == 1 and sizes[0] != 2) or min(sizes[:-1], default=0) >= 4


class CardCheck:
    """The longest number from the start, group by group shorter, that is a card: another number may follow it."""

    kind = "card"
    run = NUMBER_AND_LABEL
    opener = NUMBER_START
    needs = ""
    cue = None
    tail = None

    def at(self, window: str, start: int) -> Finding | None:
        match = _NUMBER.match(window, start)
        if match is None:
            return None
        valid = list(_valid(match[0]))
        if not valid and len(set(digits(match[0]))) == 1:
            return None
        before = window[:start]
        lettered = _LETTER.search(before) is not None  # else no word stands there, and rows of numbers are many
        if lettered and (
            _AFTER_URL.search(before) is not None or _OTHER_NUMBER.search(words_before(before)) is not None
        ):
            return None
        cue = _NAMED.search(words_before(before)) if lettered else None
        named = cue is not None and _OTHER.search(cue[0]) is None
        for text in valid:
            if named or _is_grouped(text):
                return Finding(start, start + len(text), self.kind, "issuer range and checksum")
        if named and len(set(digits(match[0]))) > 1:
            return Finding(start, match.end(), self.kind, "number called a card")
        return None


def _valid(text: str) -> Iterator[str]:
    """The number, and what is left of it without its last groups, as far as it is one that cards have.

    Thirteen digits or fewer are also article numbers (EAN); without the word "card" they stay.
    """
    groups = _BETWEEN_GROUPS.split(text)
    number = "".join(groups)
    while len(number) > 13:
        if _ISSUED.fullmatch(number) is not None and luhn(number):
            yield text
        last = len(groups.pop())
        number, text = number[:-last], text[: -last - 1]


CHECK = CardCheck()
