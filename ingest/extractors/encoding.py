"""Bytes to text: decoded right, or refused with the reason; never a guess that nobody could defend.

What is certain comes first: a byte order mark, valid UTF-8, the escapes of ISO-2022. Then what the file declares, if
the text it gives could have been written by somebody. Then `chardet` names the encodings that fit; a decoding that no
language writes is struck out, and what is left must be one text, or clearly better than the next one.
"""

import codecs
import contextlib
import encodings
import pkgutil
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import chardet

from ingest.extractors.errors import Undecodable
from ingest.extractors.letters import ALPHABETS

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# What is looked for. DOS and old Macintosh pages beyond these would only add wrong answers for short texts.
CANDIDATES = (
    "cp1252", "cp1250", "iso8859-2", "iso8859-15", "cp1251", "koi8-r", "koi8-u", "cp1253", "iso8859-7", "cp1254",
    "cp1255", "cp1256", "cp1257", "mac-roman", "cp932", "euc-jp", "gb18030", "big5hkscs", "cp949", "cp874", "cp866",
    "iso8859-5",
)  # fmt: skip
# A declaration means the larger set that programs write under its name.
SUPERSETS = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs", "tis-620": "cp874", "iso8859-11": "cp874",
}  # fmt: skip
SEVEN_BITS = {"hz", "utf-7", "iso2022_jp", "iso2022_jp_2", "iso2022_kr"}
# Loaded at import: a confined process can load no codec, some load their tables at first use, and chardet
# asks for many that are no candidates.
for _module in pkgutil.iter_modules(encodings.__path__):
    with contextlib.suppress(LookupError, UnicodeError, ImportError):
        "a".encode(_module.name).decode(_module.name)
DECLARABLE = frozenset(codecs.lookup(name).name for name in (*CANDIDATES, "iso8859-4", "iso8859-13", "iso8859-16"))
ESCAPE = re.compile(rb"\x1b(?:\$[@AB]|\(J|\$\([CD]|\$\)C)")
SAMPLE = 32 * 1024  # bytes of lines beyond ASCII that are looked at

# Calibrated on texts of 35 languages, checked on others (docs/formats.md): how many times likelier than the next
# decoding the best one must be, for texts of fewer than 4, fewer than 12, and more characters beyond ASCII.
MARGINS = ((4, 5.0), (12, 1.3), (1 << 60, 1.05))
MIN_FOREIGN = 2  # one accent alone proves nothing
MIN_CONFIDENCE = 0.02
TOLERATED = 0.03  # of the characters beyond ASCII: names and slips in a text that is right

UNWRITTEN = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\u2500-\u259f\ufffd\u00a4]")
CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\t\n\r\x0b\x0c\x1b"]
CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
IDEOGRAPH = re.compile(f"[{CJK}]")
ISLAND = re.compile(rf"[A-Za-z][{CJK}]{{1,2}}[a-z]|[A-Za-z][\uff61-\uff9f]|[\uff61-\uff9f][A-Za-z]")
WORD = re.compile(r"[^\W\d_]+")
NO_LETTERS = {"Sk", "So", "Sm", "No", "Pi", "Pf", "Lm", "Ps", "Pe", "Sc"}
ALPHABETIC = ("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "THAI")


@dataclass(frozen=True, slots=True)
class _Reading:
    """One decoding of a sample: how likely `chardet` takes it to be, and how many slips it holds."""

    text: str
    encoding: str
    confidence: float
    slips: int


def decode(content: bytes, *, declared: str | None = None) -> str:
    """The text of `content`. Raises `Undecodable` where nothing says for sure what it is."""
    named = _codec(declared)
    if (text := _certain(content, named)) is not None:
        return text
    sample = _sample(content)
    declared_reading = _reading(sample, named, 1.0) if named else None
    return _whole(content, declared_reading or _likeliest(sample))


def _certain(content: bytes, named: str) -> str | None:
    """The text, where its bytes leave no doubt; None for one byte a character, or two, in an encoding to be found."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return _strict(content, encoding)
    if content.isascii() and (named in SEVEN_BITS or ESCAPE.search(content)):
        return _strict(
            content, named if named in SEVEN_BITS else "iso2022_kr" if b"\x1b$)C" in content else "iso2022_jp_2"
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        if b"\0" in content:
            return _wide(content)
        _refuse_damaged(content, error.start)
        return None
    # UTF-16 in Cyrillic or Thai is valid UTF-8 too, with a control character beside each letter.
    return _wide(content) if sum(map(text.count, CONTROLS)) * 20 > len(text) else text


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Undecodable(
            f"The file says that it is {encoding.upper()} and is not, from byte {error.start:,} on: save it as UTF-8 "
            "and upload that."
        ) from error


def _wide(content: bytes) -> str:
    """UTF-16 and UTF-32 without a mark show by where their zero bytes stand; other text has none."""
    even, odd = content[0::2].count(0), content[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    if len(content) % 4 == 0 and min(even, odd) > len(content) // 5:
        encoding = "utf-32-le" if content[3::4].count(0) >= content[0::4].count(0) else "utf-32-be"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    unassigned = any(unicodedata.category(c) in {"Cn", "Co"} for c in set(text))
    if even + odd < 3 or UNWRITTEN.search(text) or unassigned:
        raise Undecodable("The file holds control characters, which no text has: it is damaged. Save it as UTF-8.")
    return text


def _codec(declared: str | None) -> str:
    """The codec that a declaration means; empty for one that is unknown, or that a hostile file would name."""
    try:
        name = codecs.lookup((declared or "").strip("\"' ")).name
    except (LookupError, ValueError):
        return ""
    if name in SEVEN_BITS:
        return name
    name = SUPERSETS.get(name, name)
    return name if name in DECLARABLE else ""


def _refuse_damaged(content: bytes, place: int) -> None:
    """Mostly valid UTF-8 with a few broken bytes is a damaged file, not one in another encoding."""
    text = content.decode(errors="replace")
    broken = text.count("\ufffd")
    if sum(c > "\x7f" for c in text) - broken > 2 * broken:
        raise Undecodable(f"The file is UTF-8 and damaged at byte {place:,}: save it again as UTF-8 and upload that.")


def _sample(content: bytes) -> bytes:
    """Lines with bytes beyond ASCII, up to a bound; a line's end is a character's end in all candidates."""
    lines: list[bytes] = []
    size = 0
    for line in re.split(rb"(?<=[\r\n])", content):
        if not line.isascii():
            lines.append(line)
            size += len(line)
            if size >= SAMPLE:
                break
    return b"".join(lines)[: 4 * SAMPLE]


def _reading(sample: bytes, encoding: str, confidence: float) -> _Reading | None:
    """The sample in this encoding; None where that gives what nobody writes."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(sample, final=len(sample) < 4 * SAMPLE)
    except UnicodeDecodeError:
        return None
    text = text[:SAMPLE]
    if UNWRITTEN.search(text):
        return None
    foreign = sum(c > "\x7f" for c in text)
    slips = _slips(text)
    return _Reading(text, encoding, confidence, slips) if slips <= foreign * TOLERATED else None


def _likeliest(sample: bytes) -> _Reading:
    readings: dict[str, _Reading] = {}
    for found in chardet.detect_all(
        sample, ignore_threshold=True, include_encodings=CANDIDATES, prefer_superset=False, compat_names=False,
        no_match_encoding="cp1252",
    ):  # fmt: skip
        encoding = str(found["encoding"] or "")
        if encoding and found["language"] and (reading := _reading(sample, encoding, float(found["confidence"] or 0))):
            readings.setdefault(reading.text, reading)
    ranked = sorted(readings.values(), key=lambda r: -r.confidence)
    ranked = _without_twin(ranked)
    best = ranked[0] if ranked else None
    if best is None or best.confidence < MIN_CONFIDENCE or not _clear(ranked):
        raise Undecodable(
            "The file is no UTF-8, and which other encoding it has is not certain: save it as UTF-8 and upload that."
        )
    return best


def _without_twin(ranked: list[_Reading]) -> list[_Reading]:
    """ISO 8859-15 differs from Windows 1252 in eight characters: the one with fewer slips stays, else Windows."""
    twins = {r.encoding: r for r in ranked if r.encoding in ("cp1252", "iso8859-15")}
    if len(twins) < 2:
        return ranked
    loser = "cp1252" if twins["cp1252"].slips > twins["iso8859-15"].slips else "iso8859-15"
    return [r for r in ranked if r.encoding != loser]


def _clear(ranked: list[_Reading]) -> bool:
    """Whether the best reading has enough to go by, and stands out from the next one."""
    foreign = sum(c > "\x7f" and not c.isspace() for c in ranked[0].text)
    margin = next(margin for below, margin in MARGINS if foreign < below)
    return foreign >= MIN_FOREIGN and (len(ranked) == 1 or ranked[0].confidence >= margin * ranked[1].confidence)


def _whole(content: bytes, reading: _Reading) -> str:
    text = _strict(content, reading.encoding)
    if UNWRITTEN.search(text):
        raise Undecodable("The file holds characters that no text has: it is damaged, or no text. Save it as UTF-8.")
    return text


def _slips(text: str) -> int:
    """How often the text does what no language does: a wrong decoding does so all the time."""
    foreign = {c for c in text if c > "\x7f"}
    kinds = {c: unicodedata.category(c) for c in foreign}
    if any(kind in {"Co", "Cn", "Cs"} for kind in kinds.values()):
        return len(text)
    islands = len(ISLAND.findall(text))
    slips = islands if islands * 5 > len(IDEOGRAPH.findall(text)) else 0
    return slips + _split_words(text, kinds) + _strange_words(text) + _strange_letters(text)


def _split_words(text: str, kinds: dict[str, str]) -> int:
    """Signs between two letters of an alphabet, other than the apostrophe: "Gr÷e", "K„se"."""
    signs = {c for c, kind in kinds.items() if (kind in NO_LETTERS and c != "’") or c in "¡¿…†‡‰ªº§¶"}
    if not signs:
        return 0
    between = re.finditer(rf"([^\W\d_])[{re.escape(''.join(signs))}](?=([^\W\d_]))", text)
    return sum(bool(_alphabet(m[1]) and _alphabet(m[2])) for m in between)


def _strange_words(text: str) -> int:
    """Words of two alphabets, capitals behind small letters, and single foreign letters among Latin words."""
    words = WORD.findall(text)
    slips = 0
    for word in words:
        if not word.isascii():
            mixed = len({_alphabet(c) for c in word} - {""}) > 1
            slips += mixed or any(a.islower() and b.isupper() and not (a + b).isascii() for a, b in pairwise(word))
    foreign = [word for word in words if _alphabet(word[0]) not in ("", "LATIN")]
    if foreign and len(words) > 2 * len(foreign) and max(map(len, foreign)) < 3:
        slips += len(foreign)
    return slips


def _strange_letters(text: str) -> int:
    """Letters that the language does not have which has most of the others."""
    letters = Counter(c for c in text if c > "\x7f" and c not in "µªº")
    known = {c: n for c, n in letters.items() if _alphabet(c) in ("LATIN", "GREEK", "CYRILLIC")}
    return min(sum(n for c, n in known.items() if c not in alphabet) for alphabet in ALPHABETS)


@cache
def _alphabet(character: str) -> str:
    """The alphabet of a letter, or nothing for what has none of those told apart here."""
    script = unicodedata.name(character, "").split(" ")[0]
    return script if script in ALPHABETIC else ""
