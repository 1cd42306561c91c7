"""Personal numbers of some eighty states: for tax, social security, residence and identity cards."""

import re

from app.guardrail.check import PatternCheck, Run
from app.guardrail.checks import national_id_americas, national_id_asia, national_id_europe
from app.guardrail.checks.number_table import table_checks

KIND = "national id"
ROWS = national_id_europe.ROWS + national_id_americas.ROWS + national_id_asia.ROWS
# These name a number of any country.
_ANY_WORDS = (
    r"national id\w*(?: (?:number|no|card))?|identity (?:card|number|code|no)|id (?:card|number|no)|"
    r"personal (?:id|identity|identification)(?: (?:number|no|code))?|citizen(?:ship)? (?:id|number)|social security(?: number)?|"
    r"ausweisnummer|personalausweis\w*|carte d'identit[ée]|documento de identidad|carta d'identit[àa]|identiteitskaart\w*|"
    r"dow[óo]d osobisty|tax(?:payer)? (?:id\w*|number)(?: number)?"
)
_NINO_RUN = Run(re.compile(r"(?:[A-Za-z](?:[A-Za-z](?: ?(?:\d[\dA-Da-d \-]{0,12})?)?)?)?", re.ASCII), 16)
_NO_NINO = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})  # prefixes never issued


def _is_nino(match: re.Match[str], _before: str) -> bool:
    return match[0][:2].upper() not in _NO_NINO and (match[0].isupper() or match[0].islower())


_NINO = PatternCheck(
    KIND,
    "United Kingdom: national insurance number",
    re.compile(
        r"(?<![A-Za-z0-9])(?<!\d[.\-])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d[ \-]?){3}[A-D](?![A-Za-z0-9]|[.\-]\d)",
        re.ASCII | re.IGNORECASE,
    ),
    _is_nino,
    run=_NINO_RUN,
    opener=re.compile(r"(?i)(?<![a-z0-9])(?=[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z][ \d])", re.ASCII),
)
CHECKS = (_NINO, *table_checks(KIND, ROWS, _ANY_WORDS))
