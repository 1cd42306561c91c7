"""Clean text: without the characters that no store or model should meet."""

import re
import unicodedata

# C0 and C1 controls but tab and newline (PostgreSQL cannot store NUL), lone surrogates (no UTF-8), the byte order mark
# and the soft hyphen, which would split a word for every search.
UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\xad\ufffe\uffff]")
LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def clean(text: str) -> str:
    """`text` in NFC, newlines as "\\n", spaces as " ", without control characters, outer blank lines removed."""
    text = SPACES.sub(" ", LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", UNWANTED.sub("", text)).strip("\n").rstrip()


def one_line(text: str) -> str:
    """`clean` text with every run of white space made one space."""
    return " ".join(clean(text).split())
