"""Letters of other alphabets that look like a Latin one: Cyrillic, Greek, Armenian, and the dotless i. Pure."""

LOOKALIKES = str.maketrans(
    "каасеіјорԛѕхуҮһԁԝӏАВСЕНІЈКМОРЅТХУԌԜαονρυτιΑΒΕΖΗΙΚΜΝΟΡΤΥΧցհոսօı",
    "kaaceijopqsxyYhdwlABCEHIJKMOPSTXYGWaovputiABEZHIKMNOPTYXghnuoi",
)
LOOKALIKE_DIGITS = str.maketrans("ОоΟοЗзІіΙӀӏЧБб", "00003311111466")
# Also those that resemble one only to who expects it: small letters of which the capital looks like it, and the like.
RESEMBLING = {**LOOKALIKES, **str.maketrans("вмнтβεκχγѵազ", "bmhtbekxyvaq")}
