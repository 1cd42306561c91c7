"""Bytes to clean text: the encoding, the characters that no store or model should meet."""

import re
import unicodedata

from charset_normalizer import from_bytes

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
# C0 and C1 controls but tab and newline (PostgreSQL cannot store NUL), lone surrogates (no UTF-8), the byte order mark
# and the soft hyphen, which would split a word for every search.
UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\xad\ufffe\uffff]")
LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def decode(content: bytes, *, declared: str | None = None) -> str:
    """Text of `content`: by its byte order mark, as UTF-8, by the declared encoding, or by the likeliest one.

    Valid UTF-8 wins over a declaration, which lies more often; only ISO-2022 text, seven bits with escapes, is both.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    candidates = ["utf-8"] if b"\x1b" not in content else []
    for encoding in [*candidates, declared or "utf-8"]:
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    best = from_bytes(content[:262144]).best()
    return content.decode(best.encoding if best else "cp1252", errors="replace")


def clean(text: str) -> str:
    """`text` in NFC, newlines as "\\n", spaces as " ", without control characters, outer blank lines removed."""
    text = SPACES.sub(" ", LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", UNWANTED.sub("", text)).strip("\n").rstrip()


def one_line(text: str) -> str:
    """`clean` text with every run of white space made one space."""
    return " ".join(clean(text).split())
