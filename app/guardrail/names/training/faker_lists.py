"""Names, places and words of many languages, as Faker has them. An optional part: `pip install clearance[names]`."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_PLACES = (
    "cities", "city_names", "cities_names", "municipalities", "countries", "states", "departments", "regions"
)  # fmt: skip


class NameListsMissing(ValueError):
    """The package with the lists is not installed."""


@dataclass(frozen=True, slots=True)
class NameList:
    """The names of one language or country, in order."""

    locale: str
    given: tuple[str, ...]
    surnames: tuple[str, ...]


def name_lists() -> list[NameList]:
    """One list for each locale that has given names and surnames."""
    found = []
    for locale, provider in _providers("person"):
        given, surnames = _names(provider, "first_"), _names(provider, "last_")
        if given and surnames:
            found.append(NameList(locale, given, surnames))
    return found


def places() -> list[str]:
    """Cities, countries and what lies between, in Latin letters."""
    found = {name for _, provider in _providers("address") for each in _PLACES for name in _texts(provider, each)}
    return sorted(name for name in found if name.isascii())


def english_words() -> list[str]:
    """Common words of English."""
    return [word for locale, provider in _providers("lorem") if locale == "en_US" for word in provider.word_list]


def _providers(topic: str) -> Iterator[tuple[str, Any]]:
    """Its provider of each locale, in order."""
    try:
        package = importlib.import_module(f"faker.providers.{topic}")
    except ImportError:
        raise NameListsMissing(
            "training needs lists of names, and 'faker' is not installed: pip install clearance[names]"
        ) from None
    for locale in sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg):
        yield locale, importlib.import_module(f"{package.__name__}.{locale}").Provider


def _names(provider: Any, prefix: str) -> tuple[str, ...]:
    """What its lists of first or last names hold, those in other letters too ("last_romanized_names")."""
    lists = (name for name in vars(provider) if name.startswith(prefix) and "name" in name)
    return tuple(sorted({name for each in lists for name in _texts(provider, each)}))


def _texts(provider: Any, name: str) -> Iterator[str]:
    """What a list of it holds, or the keys of a table of shares; of rows the last column."""
    value = vars(provider).get(name)
    for each in value if isinstance(value, list | tuple | set | frozenset | dict) else ():
        text = each[-1] if isinstance(each, list | tuple) and each else each
        if isinstance(text, str) and text.strip():
            yield text.strip()
