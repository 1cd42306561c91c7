"""Makes text from elsewhere safe for a terminal: whatever would act on it is shown, and does nothing."""

import unicodedata

# Controls, format characters (bidi among them), lone surrogates, separators of lines and paragraphs.
ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str, *, keep: str = "") -> str:
    """`text` with each acting character written out, as \\x1b or \\u202e; those in `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or unicodedata.category(c) not in ACTING else _written(c) for c in text)


def _written(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
