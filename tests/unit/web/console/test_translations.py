"""Languages of the pages: which one is chosen, plurals, and that what a preference cookie says is taken for no more."""

import datetime as dt

import pytest

from app.web.console.translations import LANGUAGES, negotiate
from app.web.console.viewer import Preferences
from tests.contracts.catalogues import FRAME, ROOMS, catalogue


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,de;q=0.5", "de"),
        ("en,de", "en"),
        ("de;q=0", "en"),
        ("xx", "en"),
        ("de;q=x, en", "en"),
        ("*", "en"),
        ("en;q=0.1, de;q=0.2", "de"),
        (",;q=,", "en"),
        ("../de", "en"),
    ],
)
def test_the_language_is_the_first_that_we_have(accepted: str, language: str) -> None:
    assert negotiate(accepted) == language


def test_plurals_dates_and_numbers_are_those_of_the_language() -> None:
    english, german = LANGUAGES["en"], LANGUAGES["de"]
    day = dt.datetime(2026, 3, 3, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert (english.date(day), german.date(day)) == ("Mar 3, 2026", "03.03.2026")
    assert (english.moment(day), german.number(12_345)) == ("Mar 3, 2026, 21:30 UTC", "12.345")
    assert english.ngettext("one", "many", 1) == "one"
    assert english.ngettext("one", "many", 0) == "many"


@pytest.mark.parametrize("language", sorted(LANGUAGES.keys() - {"en"}))
def test_a_message_is_said_in_one_way_in_all_rooms(language: str) -> None:
    """The rooms share one table: of two translations, the room that is read later would speak for both."""
    said: dict[object, dict[object, str]] = {}
    for room in (FRAME, *ROOMS):
        for message in catalogue(language, room):
            said.setdefault(message.id, {})[message.string] = room
    assert {message: found for message, found in said.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    "text", [None, "", "language:xx", "theme:purple", "shortcuts", "language:de\r\nX: y", "a" * 5_000]
)
def test_a_cookie_that_says_nothing_we_know_is_as_usual(text: str | None) -> None:
    assert Preferences.parse(text) in {Preferences(), Preferences(language="de")}


@pytest.mark.parametrize(
    "given", [Preferences(), Preferences("de", "dark", shortcuts=False), Preferences(None, "light")]
)
def test_preferences_come_back(given: Preferences) -> None:
    assert Preferences.parse(str(given)) == given
