"""A text as cue words are looked for in it. Pure."""

from app.lookalikes import LOOKALIKES

# Capitals whose small letters look like nothing Latin, or like another letter: В is a B, and в is none.
_CAPITALS = str.maketrans("АВСЕНІЈКМОРЅТХУԌԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abcehijkmopstxygwabezhikmnoptyx")
# Of these the small form depends on what follows, or is two characters: each has to be one by itself.
_SMALL = {**LOOKALIKES, ord("ς"): ord("σ")}


def lowered(text: str) -> str:
    """The text as cue words are looked for in it: in small letters, look-alikes as the Latin ones. As long as it was,
    and of a part of the text the part.
    """
    if text.isascii():
        return text.lower()
    return text.replace("İ", "i").translate(_CAPITALS).lower().translate(_SMALL)


def cased(word: str) -> tuple[str, ...]:
    """How `lowered` has a word of small letters, however it is written: by the case of its letters, for some of other
    alphabets are read as another Latin letter where they are capitals.
    """
    if word.isascii():
        return (word.lower(),)
    return tuple(dict.fromkeys(map(lowered, (word, word.upper(), word[:1].upper() + word[1:]))))
