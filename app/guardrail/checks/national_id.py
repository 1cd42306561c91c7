"""Personal numbers of some eighty states: for tax, social security, residence and identity cards."""

import re

from app.guardrail.check import CAPITAL, NUMBER_START, Check, PatternCheck
from app.guardrail.checks import (
    bank_account,
    document_id,
    medical_id,
    national_id_americas,
    national_id_asia,
    national_id_europe,
    postcode,
    staff_number,
    tax_id,
    vehicle,
)
from app.guardrail.checks.national_id_europe import NO_NINO, de_pension
from app.guardrail.checks.number_table import Table, compact, table_checks
from app.guardrail.checks.runs import CODE, CODE_START, NUMBER_AND_LABEL

KIND = "national id"
ROWS = national_id_europe.ROWS + national_id_americas.ROWS + national_id_asia.ROWS + document_id.IDENTITY_CARDS
# These name a number of any country.
_ANY_WORDS = (
    r"national id\w*(?: (?:number|no|card))?|identity (?:card|number|code|no)|id (?:card|number|no)|"
    r"personal (?:id|identity|identification)(?: (?:number|no|code))?|citizen(?:ship)? (?:id|number)|"
    r"social security(?: number)?|"
    r"ausweisnummer|personalausweis\w*|carte d'identit[ée]|documento de identidad|carta d'identit[àa]|"
    r"identiteitskaart\w*|"
    r"dow[óo]d osobisty|tax(?:payer)? (?:id\w*|number)(?: number)?"
)


def _is_nino(match: re.Match[str], _before: str) -> bool:
    return match[0][:2].upper() not in NO_NINO and (match[0].isupper() or match[0].islower())


_NINO = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d[.\-])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d[ \-]?){3}[A-D](?![A-Za-z0-9]|[.\-]\d)",
    re.ASCII | re.IGNORECASE,
)
_PENSION = re.compile(r"\d\d \d{6} [A-Z] \d{3}(?!\w)", re.ASCII)


def _is_pension(match: re.Match[str], _before: str) -> bool:
    return de_pension(compact(match[0]))


CHECKS: tuple[Check, ...] = (
    PatternCheck(
        KIND,
        "Germany: pension insurance number",
        _PENSION,
        _is_pension,
        run=NUMBER_AND_LABEL,
        opener=NUMBER_START,
    ),
    document_id.ANY_PASSPORT,
    PatternCheck(
        KIND, "United Kingdom: national insurance number", _NINO, _is_nino, run=CODE, opener=CODE_START, needs=CAPITAL
    ),
    *table_checks(
        Table(KIND, ROWS, _ANY_WORDS),
        tax_id.TABLE,
        medical_id.TABLE,
        *document_id.TABLES,
        bank_account.TABLE,
        *staff_number.TABLES,
        vehicle.TABLE,
        postcode.TABLE,
    ),
)
