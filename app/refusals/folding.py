"""A question as rules read it: without what hides its words. Pure, and the same for a question and for a rule.

Several views, since one disguise may stand for two things: a character that is not seen may cut a word in half, or
spell a text of its own. A rule that finds something in any of them has found it in the question.
"""

import re
import unicodedata

from app.guardrail.lookalikes import lowered

# What no reader sees, though its category says nothing of it: joiners, fillers, an empty braille cell.
_UNSEEN = dict.fromkeys((847, 4447, 4448, 6068, 6069, 10240, 12644, 65440))
# Accents, strike-through, keycaps and variants: laid over a letter they do not make it another one for a reader.
_OVERLAYS = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F))
_MORE_VARIANTS = (0xE0100, 0xE01EF)
_TAGS = range(0xE0020, 0xE007F)
_QUOTES = str.maketrans("‘’‚‛′´`“”„‟″«»‐‑‒–—―−", "'''''''\"\"\"\"\"\"\"-------")
# Marks of emphasis within or around a word, and what is left of a word's end.
_MARKUP = re.compile(r"[*_~`|]+")
_BLANKS = re.compile(r"\s+")
# "o p e n  u p": letters that stand alone; where four of them do in a row, two are a word as well.
_APART = re.compile(r"(?<!\w)\w(?:[ .\-_/]\w){3}(?!\w)")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_/]\w)+(?!\w)")
_BETWEEN_LETTERS = re.compile(r"[ .\-_/]")
_WORD_GAP = re.compile(r"[ \t]{2,}")
# Digits and signs for letters, in a word that has letters too.
_MIXED = re.compile(r"(?=[\w@$!]*[a-z])(?=[\w@$!]*[0134578@$!])[\w@$!]+")
_LETTERS = str.maketrans("0134578@$!", "oleastbasi")
_OTHER_LETTERS = str.maketrans("1", "i")
_REVERSED = re.compile("[\u202e\u2067]([^\u202c\u2069\n]{1,4000})")


def fold(text: str) -> str:
    """The text in small letters, one alphabet where letters look alike, one blank between words, nothing unseen."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).translate(_QUOTES))
    seen = "".join(character for character in plain.translate(_UNSEEN) if _is_seen(character))
    folded = lowered(unicodedata.normalize("NFC", seen)).casefold()
    return _BLANKS.sub(" ", _MARKUP.sub("", folded)).strip()


def views(text: str) -> tuple[str, ...]:
    """What a question may be read as, each once: as it stands, with letters that stand apart brought together, with
    digits that stand for letters, with text in tags shown, and with text turned round that is shown from right to left.
    """
    raw = [text]
    if any(ord(character) in _TAGS for character in text):
        raw.append("".join(chr(ord(c) - 0xE0000) if ord(c) in _TAGS else c for c in text))
    if _REVERSED.search(text):
        raw.append(_REVERSED.sub(lambda found: found[1][::-1], text))
    found: dict[str, None] = {}
    for each in raw:
        folded = fold(each)
        found[folded] = None
        joined = fold(_joined("".join(filter(_is_seen, each))))
        found[joined] = None
        for letters in (_LETTERS, _LETTERS | _OTHER_LETTERS):
            found[_MIXED.sub(lambda word, letters=letters: word[0].translate(letters), joined)] = None  # type: ignore[misc]
    return tuple(found)


def _joined(text: str) -> str:
    """With letters that stand apart joined to words; two blanks, or other signs, are between words."""
    if not _APART.search(text):
        return text
    words = _WORD_GAP.split(text)
    return " ".join(_SPACED.sub(lambda found: _BETWEEN_LETTERS.sub("", found[0]), word) for word in words)


def _is_seen(character: str) -> bool:
    code = ord(character)
    if code < 0x300:
        return (code >= 0x20 and code != 0xAD and not 0x7F <= code < 0xA0) or character in "\n\t\r\x0b\x0c\x85"
    if any(low <= code <= high for low, high in (*_OVERLAYS, _MORE_VARIANTS)):
        return False
    return unicodedata.category(character) not in {"Cf", "Cc", "Co", "Cn"}
