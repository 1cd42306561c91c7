"""The one normal form of paths in a collection: of documents, folders, filters and patterns.

A rule applies to a document only where both write the path alike, so there is one function, and everybody calls it.
Two spellings that a person cannot tell apart become one path or are refused:

- Unicode in NFC (macOS writes names in NFD), every kind of blank as a plain one, and none at either end of a name;
- refused: empty names, `.` and `..`, backslashes, control characters, line separators, marks of direction and other
  characters that cannot be seen, lone surrogates (names of files that are no UTF-8), and what is too long.

A folder may be written with slashes at its ends; a document that begins with one is refused, since it is no path within
a collection.

Case counts, and so do dots at the end of a name: `HR` and `hr` are two folders. Names that merely look alike have the
same `skeleton`, of which whoever makes a rule is warned.
"""

import unicodedata
from collections.abc import Iterator

from app.errors import InvalidInput

MAX_CHARACTERS = 1000
# The index over paths holds entries of some 2,700 bytes.
MAX_BYTES = 2400
MAX_NAME = 255
# Shorter names are told apart by one letter.
MIN_ALIKE = 4
# Longer input is refused before it is normalised, which may take a few characters together.
MAX_INPUT = 4 * MAX_CHARACTERS

# Nothing is to be seen of these, whatever their category says: joiners, fillers, variation selectors, Braille's blank.
_INVISIBLE = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
)  # fmt: skip
# Letters of other scripts that look like Latin ones: the commonest Cyrillic and Greek.
_LOOKALIKES = str.maketrans("аеорсухіѕјһԁԛԝкмтвнοανιρυτκχ", "aeopcyxisjhdqwkmtbhoavipytkx")
_HYPHENS = str.maketrans(" _\u2010\u2011\u2012\u2013\u2014", "-------")


def normal_path(text: str) -> str:
    """The normal form of a document's path, which is its own; raises InvalidInput for a text that is none.

    Name by name, so that `normal_path(f"{folder}/{name}")` begins with `folder_path(folder) + "/"`.
    """
    if len(text) > MAX_INPUT:
        raise _refused(f"is too long: at most {MAX_CHARACTERS} characters")
    # A folder's list has a hundred thousand paths, most of them in plain ASCII.
    plain = text.isascii() and text.isprintable() and "\\" not in text
    for character in "" if plain else text:
        if reason := _objection(character):
            raise _refused(reason)
    names = [_blanks_plain(name).strip(" ") for name in unicodedata.normalize("NFC", text).split("/")]
    path = "/".join(names)
    if len(path) > MAX_CHARACTERS or len(path.encode()) > MAX_BYTES:
        raise _refused(f"is too long: at most {MAX_CHARACTERS} characters and {MAX_BYTES} bytes")
    for name in names:
        if name in {"", ".", ".."}:
            raise _refused(f"has the name '{name}' in it" if name else "has an empty name in it")
        if len(name) > MAX_NAME:
            raise _refused(f"has a name of more than {MAX_NAME} characters in it")
    return path


def folder_path(text: str) -> str:
    """The normal form of a folder's path, with or without slashes at its ends; raises InvalidInput."""
    return normal_path(text.strip("/"))


def is_below(path: str, folder: str) -> bool:
    """Whether a document's path lies in a folder or below it; both in normal form."""
    return path.startswith(folder + "/")


def folders_of(path: str) -> Iterator[str]:
    """The folders that a path lies in, outermost first."""
    names = path.split("/")
    return ("/".join(names[:n]) for n in range(1, len(names)))


def skeleton(path: str) -> str:
    """What people tell a path by: without case, width, marks over letters, dots at the end; blanks are hyphens.

    Two paths of one skeleton are easily taken for each other. A help for warnings; no rule goes by it.
    """
    folded = unicodedata.normalize("NFKD", path).casefold().translate(_LOOKALIKES)
    plain = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return "/".join(name.translate(_HYPHENS).rstrip(".-") for name in plain.split("/"))


def look_alike(name: str, other: str) -> bool:
    """Whether one of two names of folders is easily taken for the other: of one skeleton, or one letter apart.

    Numbers of different years or parts are not meant to be alike, nor are names of a few letters.
    """
    if name == other:
        return False
    a, b = sorted((skeleton(name), skeleton(other)), key=len)
    if a == b:
        return True
    if len(a) < MIN_ALIKE or len(b) - len(a) > 1:
        return False
    same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    differing = b[same] + a[same : same + 1]
    rest = a[same:] if len(b) > len(a) else a[same + 1 :]
    return rest == b[same + 1 :] and not any(c.isdigit() for c in differing)


def _objection(character: str) -> str:
    """What is wrong with a character in a path; empty if nothing is."""
    if character == "\\":
        return "has a backslash in it: write /"
    category, code = unicodedata.category(character), ord(character)
    if category == "Cs":
        return "is no valid Unicode (a file's name that is not UTF-8?): rename it"
    if category in {"Cc", "Zl", "Zp"}:
        return f"has a control character or line separator in it (U+{code:04X})"
    if category.startswith("C") or any(first <= code <= last for first, last in _INVISIBLE):
        return f"has a character in it that cannot be seen (U+{code:04X})"
    return ""


def _blanks_plain(name: str) -> str:
    return "".join(" " if unicodedata.category(c) == "Zs" else c for c in name)


def _refused(reason: str) -> InvalidInput:
    return InvalidInput(f"The path {reason}. Write a relative path such as 'handbook/leave.md' or 'payroll/2026'.")
