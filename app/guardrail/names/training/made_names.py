"""Makes names of people, and names of what is nobody: places, products, organisations, headings. Pure."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.guardrail.names.training.faker_lists import NameList

_SLOT = re.compile(r"\{(\w+)\}")
_NOT_LATIN = re.compile(r"[^\W\d_a-zA-ZÀ-ɏḀ-ỿ]")
_SHARE_NOT_LATIN = 0.05
_SHARE_MADE = 0.12  # of names that no list has, so that what stands around them counts too
_SHARE_TWO_SURNAMES = 0.03
_SHARE_PARTICLE = 0.02
_SHARE_MIXED = 0.2  # of people with a surname of another language
_SHARE_TRUE_PLACES = 0.8
_SHARE_TITLE_CASE = 0.8
_SHARE_RARE_WORDS = 0.3
_FEW = 10  # names that a list has at least
_CITIES_COUNT = 8  # times, beside the towns of the lists


@dataclass(frozen=True, slots=True)
class NameMaterial:
    """What there is to choose from. Common words are names too in part, the others are not."""

    names: Sequence[NameList]
    places: Sequence[str]
    common: Sequence[str]
    words: Sequence[str]


class MadeNames:
    """By the forms of `sentences.yaml`, and by chance."""

    def __init__(self, material: NameMaterial, forms: dict[str, Any], cities: list[str], chance: random.Random) -> None:
        self._forms, self._cities, self._random = forms, cities, chance
        self._latin = [each for names in material.names if (each := _only(names, latin=True)) is not None]
        self._others = [each for names in material.names if (each := _only(names, latin=False)) is not None]
        self._places = [*material.places, *(cities * _CITIES_COUNT)]
        self._words = (sorted(set(material.common)), sorted(set(material.words)))
        self._persons: tuple[list[str], list[int]] = (list(forms["person"]), list(forms["person"].values()))

    def makers(self) -> dict[str, Callable[[], str]]:
        """By what a template calls it. A name that something else is called by is one of `…_of`."""
        return {
            "person": self._person, "given": self._given, "surname": self._surname, "last_first": self._last_first,
            "given_of": self._given, "surname_of": self._surname, "place": self._place, "heading": self._heading,
            "org": lambda: self._formed("org"), "product": lambda: self._formed("product"), "word": self._word,
            "address": lambda: self._formed("address"), "mail": self._mail, "number": self._number,
            "acronym": self._acronym,
        }  # fmt: skip

    def _names(self) -> NameList:
        others = bool(self._others) and self._random.random() < _SHARE_NOT_LATIN
        return self._random.choice(self._others if others else self._latin)

    def _made(self) -> str:
        sounds = self._random.choices(self._forms["sound"], k=self._random.choice((1, 2, 2, 3)))
        ending: str = self._random.choice(self._forms["ending"])
        return f"{''.join(sounds)}{ending}".capitalize()

    def _given(self, names: NameList | None = None) -> str:
        if self._random.random() < _SHARE_MADE:
            return self._made()
        return self._random.choice((names or self._names()).given)

    def _surname(self, names: NameList | None = None) -> str:
        if self._random.random() < _SHARE_MADE:
            return self._made()
        surnames = (names or self._names()).surnames
        surname, chance = self._random.choice(surnames), self._random.random()
        if chance < _SHARE_TWO_SURNAMES:
            return f"{surname}-{self._random.choice(surnames)}"
        if chance < _SHARE_TWO_SURNAMES + _SHARE_PARTICLE:
            return f"{self._random.choice(self._forms['particle'])} {surname}"
        return surname

    def _person(self) -> str:
        names = self._names()
        given = self._given(names)
        surname = self._surname(None if self._random.random() < _SHARE_MIXED else names)
        form: str = self._random.choices(*self._persons)[0]
        return form.format(
            given=given, GIVEN=given.upper(), surname=surname, SURNAME=surname.upper(),
            second=self._random.choice(names.given), initial=self._random.choice("ABCDEFGHJKLMNPRSTVW"),
        )  # fmt: skip

    def _last_first(self) -> str:
        names = self._names()
        return f"{self._surname(names)}, {self._given(names)}"

    def _formed(self, what: str) -> str:
        """By one of its forms, in which each slot is chosen anew."""
        form: str = self._random.choice(self._forms[what])
        return _SLOT.sub(lambda slot: self._part(slot[1]), form)

    def _part(self, slot: str) -> str:
        match slot:
            case "given" | "surname" | "made":
                return str(getattr(self, f"_{slot}")())
            case "word":
                return self._word().capitalize()
            case "city":
                return self._random.choice(self._cities)
            case "digit":
                return str(self._random.randint(2, 12))
            case "digits":
                return str(self._random.randint(1, 9999))
        return self._formed(slot)

    def _place(self) -> str:
        true = self._random.random() < _SHARE_TRUE_PLACES
        return self._random.choice(self._places) if true else self._formed("place")

    def _heading(self) -> str:
        words = [self._word() for _ in range(self._random.choice((1, 2, 2, 2, 3, 3, 4)))]
        if self._random.random() < _SHARE_TITLE_CASE:
            return " ".join(word.capitalize() for word in words)
        return " ".join(words).capitalize()

    def _word(self) -> str:
        return self._random.choice(self._words[self._random.random() < _SHARE_RARE_WORDS])

    def _acronym(self) -> str:
        return "".join(self._random.choices("ABCDEFGHIKLMNOPRSTUVW", k=self._random.choice((2, 3, 3, 3, 4, 5))))

    def _mail(self) -> str:
        return f"{self._word()}.{self._word()}@example.{self._random.choice(('com', 'org', 'net'))}"

    def _number(self) -> str:
        ranges = ((1, 99), (1900, 2030), (100, 99_999_999))
        return str(self._random.randint(*self._random.choice(ranges)))


def _only(names: NameList, *, latin: bool) -> NameList | None:
    """Those of its names that are written in Latin letters, or not; None where they are few."""

    def those(each: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in each if (_NOT_LATIN.search(name) is None) == latin)

    found = NameList(names.locale, those(names.given), those(names.surnames))
    return found if min(len(found.given), len(found.surnames)) >= _FEW else None
