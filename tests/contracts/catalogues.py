"""The catalogues of the console's words: what is said in templates and code, and `locale/LANGUAGE/ROOM.po` beside it.

`python -m tests.contracts.catalogues` brings the files up to date: new messages come in untranslated, old ones go.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from app import errors

CONSOLE = Path(__file__).parents[2] / "app" / "web" / "console"
ROOMS = ("reading", "library", "company", "evidence")
FRAME = "frame"
LANGUAGES = ("de",)
KEYWORDS: Mapping[str, tuple[int, int] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}


def sources(room: str) -> Iterator[Path]:
    """The templates and modules of a room; of the frame, all that is in no room."""
    for file in sorted(CONSOLE.rglob("*")):
        parts = file.relative_to(CONSOLE).parts
        inside = next((part for part in parts[:-1] if part in ROOMS), FRAME)
        if file.suffix in {".html", ".py"} and inside == room:
            yield file


def messages_of(room: str) -> Catalog:
    """What a room says, in the order in which it stands there; the frame says the titles of errors too."""
    found = Catalog()
    for error in vars(errors).values() if room == FRAME else ():
        if isinstance(error, type) and issubclass(error, errors.AppError):
            found.add(error.title)
    for file in sources(room):
        method = "jinja2" if file.suffix == ".html" else "python"
        method = "jinja2.ext:babel_extract" if method == "jinja2" else method
        options = {"trimmed": "true"} if file.suffix == ".html" else {}
        with file.open("rb") as opened:
            for line, message, comments, context in extract(method, opened, KEYWORDS, (), options):
                del line, comments
                found.add(message, context=context)
    return found


def catalogue(language: str, room: str) -> Catalog:
    """The translations of a room as they stand in the file; none if there is no file."""
    file = CONSOLE / "locale" / language / f"{room}.po"
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as opened:
        return read_po(opened, locale=language)


def up_to_date(language: str, room: str) -> bytes:
    """The file as it should be: every message, with the translation that it has, here or else in another room."""
    made = Catalog(locale=language, header_comment="", fuzzy=False)
    others = [other for other in (FRAME, *ROOMS) if other != room]
    known = {m.id: m.string for each in (*others, room) for m in catalogue(language, each) if any(m.string or ())}
    for message in messages_of(room):
        if message.id:
            made.add(message.id, known.get(message.id))
    written = io.BytesIO()
    write_po(written, made, width=0, omit_header=True)
    return written.getvalue()


def untranslated(language: str) -> list[str]:
    """The messages that have no translation, with their room."""
    return [
        f"{room}: {message.id}"
        for room in (FRAME, *ROOMS)
        for message in catalogue(language, room)
        if message.id and not (all(message.string) if isinstance(message.string, tuple) else message.string)
    ]


if __name__ == "__main__":
    for language in LANGUAGES:
        for room in (FRAME, *ROOMS):
            file = CONSOLE / "locale" / language / f"{room}.po"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(up_to_date(language, room))
        missing = untranslated(language)
        print(f"{language}: {len(missing)} untranslated", *missing, sep="\n  ")
