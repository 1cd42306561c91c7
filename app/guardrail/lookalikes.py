"""Letters of other alphabets that look like a Latin one: Cyrillic, Greek, Armenian, and the dotless i. Pure."""

LOOKALIKES = str.maketrans(
    "каасеіјорԛѕхуҮһԁԝӏАВСЕНІЈКМОРЅТХУԌԜαονρυτιΑΒΕΖΗΙΚΜΝΟΡΤΥΧցհոսօı",
    "kaaceijopqsxyYhdwlABCEHIJKMOPSTXYGWaovputiABEZHIKMNOPTYXghnuoi",
)
LOOKALIKE_DIGITS = str.maketrans("ОоΟοЗзІіΙӀӏЧБб", "00003311111466")


def lowered(text: str) -> str:
    """The text as cue words are looked for in it: in small letters, look-alikes as the Latin ones."""
    small = text.lower()
    return small if small.isascii() else small.translate(LOOKALIKES)
