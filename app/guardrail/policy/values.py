"""Values as they are compared: with one another, the public contacts, and the passages they stand in. Pure."""

import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import phonenumbers

from app.guardrail.normal import fold
from app.guardrail.policy.model import Contacts
from app.identity.subject import Label

_ZEROS = "0"
_MIN_VALUE = 3
_DOMAIN = re.compile(r"[\w\-]+(?:\.[\w\-]+)+")
_ADDRESS = re.compile(r"(?:mailto:)?[\w.%+'\-]+@([\w.\-]+)")  # one, and nothing beside it


def canonical(text: str) -> str:
    """The letters and digits of a value, folded and in lower case: however it is written."""
    return "".join(filter(str.isalnum, fold(text)[0].casefold()))


def contacts_of(text: str) -> Contacts | None:
    """What an entry of the list of public contacts allows: "*@" and a domain all addresses there, and a phone number
    with its country code the number without it too. None if it says too little to be a value.
    """
    if text.startswith("*@"):
        domain = fold(text[2:])[0].casefold()
        return Contacts(domains=frozenset((domain,))) if _DOMAIN.fullmatch(domain) else None
    value = canonical(text)
    if len(value) < _MIN_VALUE:
        return None
    values = {value, value.lstrip(_ZEROS)}
    if text.startswith("+"):
        with contextlib.suppress(phonenumbers.NumberParseException):
            values.add(str(phonenumbers.parse(text).national_number))
    return Contacts(values=frozenset(values))


def is_contact(contacts: Contacts, text: str) -> bool:
    """Whether a value is one of the public contacts, in whatever way it is written."""
    value = canonical(text)
    if value in contacts.values or value.lstrip(_ZEROS) in contacts.values:
        return True
    address = _ADDRESS.fullmatch(fold(text)[0].casefold().strip())
    return address is not None and address[1] in contacts.domains


class ValueOrigins:
    """The passages that a caller was shown and may read: in which of them does a value stand?"""

    def __init__(self, passages: Iterable[tuple[Label, Sequence[str], object]]) -> None:
        """Each passage with its label, its texts (title, headings, text) and what it is known by."""
        self._given = list(passages)
        self._searchable: list[tuple[Label, list[_Searchable], object]] | None = None

    def label_of(self, text: str) -> Label | None:
        """The lowest label of the passages in which a value stands; None if it stands in none."""
        value = canonical(text)
        return min((label for label, texts, _ in self._passages if _stands(value, texts)), default=None)

    def lowest_with(self, text: str) -> object:
        """What a passage with the lowest label is known by in which a value stands; None if it stands in none."""
        value = canonical(text)
        found = [(label, name) for label, texts, name in self._passages if _stands(value, texts)]
        return min(found, key=lambda each: each[0])[1] if found else None

    def passages_with(self, text: str) -> frozenset[object]:
        """What the passages are known by in which a value stands."""
        value = canonical(text)
        return frozenset(name for _, texts, name in self._passages if _stands(value, texts))

    @property
    def _passages(self) -> list[tuple[Label, list["_Searchable"], object]]:
        """Made for the first value that is asked about: most answers have none."""
        if self._searchable is None:
            self._searchable = [
                (label, [_Searchable.of(text) for text in texts if text], name) for label, texts, name in self._given
            ]
        return self._searchable


class ReadableText(ValueOrigins):
    """A text that the caller may read, with this label: every value in it stands in it."""

    def __init__(self, label: Label) -> None:
        super().__init__(())
        self._label = label

    def label_of(self, text: str) -> Label | None:  # noqa: ARG002  # the same for each
        return self._label


def _stands(value: str, texts: Sequence["_Searchable"]) -> bool:
    return bool(value) and any(text.holds(value) for text in texts)


@dataclass(frozen=True, slots=True)
class _Searchable:
    """The canonical form of a text, and where in it a word or number begins."""

    text: str
    begins: bytes = field(repr=False)

    @classmethod
    def of(cls, raw: str) -> "_Searchable":
        parts: list[str] = []
        begins = bytearray()
        kind = -1
        for character in fold(raw)[0].casefold():
            now = _kind(character)
            if now:
                parts.append(character)
                begins.append(now != kind or now == _OTHER)
            kind = now
        begins.append(1)
        return cls("".join(parts), bytes(begins))

    def holds(self, value: str) -> bool:
        """Whether the value stands there and is not part of a longer number or word."""
        at = self.text.find(value)
        while at >= 0:
            if self.begins[at] and self.begins[at + len(value)]:
                return True
            at = self.text.find(value, at + 1)
        return False


_DIGIT, _LETTER, _OTHER = 1, 2, 3  # of scripts without blanks a word may begin at every character


def _kind(character: str) -> int:
    if not character.isalnum():
        return 0
    if character.isdigit():
        return _DIGIT
    return _LETTER if character.isascii() or character.isupper() or character.islower() else _OTHER
