"""A text as cue words are looked for in it. Pure."""

from app.lookalikes import LOOKALIKES

# Of these the small form depends on what follows, or is two characters: each has to be one by itself.
_SMALL = {**LOOKALIKES, ord("ς"): ord("σ")}


def lowered(text: str) -> str:
    """The text as cue words are looked for in it: in small letters, look-alikes as the Latin ones. As long as it was,
    and of a part of the text the part.
    """
    if text.isascii():
        return text.lower()
    return text.replace("İ", "i").lower().translate(_SMALL)
