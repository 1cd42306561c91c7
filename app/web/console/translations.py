"""The words of the pages in each language that has a catalogue; English is the language of the source.

A catalogue is `locale/LANGUAGE/`, a file for each room, read when the service starts. What it lacks is shown in
English.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from babel import Locale, dates, numbers
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"
Plural = tuple[str, ...]


@dataclass(frozen=True)
class Translations:
    """One language: its messages, its plurals, and how it writes dates and numbers."""

    language: str
    messages: Mapping[str, str]
    plurals: Mapping[str, Plural]
    plural_number: Callable[[int], int]

    @property
    def locale(self) -> Locale:
        return Locale.parse(self.language)

    def gettext(self, message: str) -> str:
        return self.messages.get(message, message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        found = self.plurals.get(singular)
        if found is None:
            return singular if number == 1 else plural
        return found[min(self.plural_number(number), len(found) - 1)]

    def date(self, moment: dt.datetime | dt.date) -> str:
        """A day, as in 3 Mar 2026; of a moment, the day in UTC."""
        day = moment.astimezone(dt.UTC).date() if isinstance(moment, dt.datetime) else moment
        return dates.format_date(day, "medium", locale=self.locale)

    def moment(self, moment: dt.datetime) -> str:
        """A day with its time in UTC, to the minute, which says so."""
        at = moment.astimezone(dt.UTC)
        return f"{self.date(at)}, {at:%H:%M} UTC"

    def second(self, moment: dt.datetime) -> str:
        """The same to the second."""
        at = moment.astimezone(dt.UTC)
        return f"{self.date(at)}, {at:%H:%M:%S} UTC"

    def number(self, value: float) -> str:
        return numbers.format_decimal(value, locale=self.locale)


def _read(folder: Path) -> Translations:
    messages: dict[str, str] = {}
    plurals: dict[str, Plural] = {}
    for file in sorted(folder.glob("*.po")):
        with file.open("rb") as opened:
            catalogue: Catalog = read_po(opened, locale=folder.name, abort_invalid=True)
        for message in catalogue:
            if not message.id or message.fuzzy:
                continue
            if isinstance(message.string, tuple):
                if all(message.string):
                    plurals[message.id[0]] = message.string
            elif message.string:
                messages[str(message.id)] = str(message.string)
    return Translations(folder.name, messages, plurals, _plural_number(Locale.parse(folder.name)))


def _plural_number(locale: Locale) -> Callable[[int], int]:
    """Which of a message's plural forms a number takes; of languages that have two."""
    return lambda number: 0 if locale.plural_form(number) == "one" else 1


LANGUAGES: Mapping[str, Translations] = {
    SOURCE_LANGUAGE: Translations(SOURCE_LANGUAGE, {}, {}, lambda number: int(number != 1)),
    **{folder.name: _read(folder) for folder in sorted(FOLDER.iterdir())},
}


def negotiate(accepted: str) -> str:
    """The first language of an Accept-Language header that there is a catalogue for; else English."""
    wanted: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    ordered = sorted(wanted, key=lambda one: -one[0])
    return next((tag for quality, tag in ordered if quality > 0 and tag in LANGUAGES), SOURCE_LANGUAGE)
