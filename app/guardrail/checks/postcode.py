"""Postcodes of the United Kingdom in one piece: beside a word for them, or where one is the whole answer.

With the blank that belongs in one they need neither (`address.py`).
"""

import re

from app.guardrail.checks.number_table import IdForm, Table

_AREA_CODES = (
    "AB AL B BA BB BD BF BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK "
    "FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP "
    "NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W "
    "WA WC WD WF WN WR WS WV YO ZE"
)
_AREAS = frozenset(_AREA_CODES.split())
_PARTS = re.compile(r"([A-Z]{1,2})\d[A-Z\d]?\d[ABD-HJLNP-UW-Z]{2}|GIR0AA")
_WORDS = r"post ?codes?|postal codes?|zip(?: ?codes?)?"


def uk_postcode(code: str) -> bool:
    """Area, district, sector and two letters of those that are used there; Girobank had one of its own."""
    parts = _PARTS.fullmatch(code)
    return parts is not None and (parts[1] is None or parts[1] in _AREAS)


_FORMS = "A999AA, AA99AA, AA999AA, A9A9AA, AA9A9AA, AAA9AA"
TABLE = Table("address", (IdForm("United Kingdom", "postcode", uk_postcode, _WORDS, _FORMS, whole=_FORMS),))
