"""Tax and registration numbers of companies; sole traders' are personal numbers too."""

from stdnum.au import abn, acn
from stdnum.br import cnpj
from stdnum.de import stnr
from stdnum.eu import vat
from stdnum.fr import siren, siret
from stdnum.it import iva
from stdnum.kr import brn
from stdnum.pe import ruc
from stdnum.pl import nip, regon
from stdnum.se import orgnr
from stdnum.sg import uen
from stdnum.us import ein

from app.guardrail.checks.number_table import ANY_FORM, IdForm, Table, anything
from app.guardrail.checks.numbers import weighted

_VAT = r"vat(?: (?:no|number|id|reg\w*))*|ust-?id\w*|umsatzsteuer\w*|btw\w*|tva\w*|iva|p\.? ?iva|moms\w*|dph"


def in_gstin(number: str) -> bool:
    """State, PAN, serial, "Z" and a check character, which is wrong in many printed examples: not asked for."""
    return 1 <= int(number[:2]) <= 38


def au_company(number: str) -> bool:
    return acn.is_valid(number)


def kr_company(number: str) -> bool:
    total = weighted(number, (1, 3, 7, 1, 3, 7, 1, 3, 0), 10) + int(number[8]) * 5 // 10 + int(number[8]) * 5
    return brn.is_valid(number) and -total % 10 == int(number[9])


def ph_tin(number: str) -> bool:
    """Eight digits and a check digit, then the branch; the sum leaves 10 for no number."""
    return number[:9] != "0" * 9 and weighted(number, (9, 8, 7, 6, 5, 4, 3, 2), 11) == int(number[8])


def se_company(number: str) -> bool:
    """The first digit is the kind of company; the third, which is none of a month's, tells it from a person's."""
    return number[0] not in "04" and number[2] >= "2" and orgnr.is_valid(number)


ROWS: tuple[IdForm, ...] = (
    IdForm("United States", "EIN", ein.is_valid, r"f?ein|employer id\w*|tax ?id|federal id", "9{9}, 99-9{7}"),
    IdForm("Australia", "ABN", abn.is_valid, r"abn|business number", "9{11}", "99 999 999 999", whole=ANY_FORM),
    IdForm("Australia", "ACN", au_company, r"acn|company number", "9{9}, 999 999 999"),
    IdForm("Brazil", "CNPJ", cnpj.is_valid, r"cnpj", "9{14}", "99.999.999/9999-99", whole=ANY_FORM),
    IdForm("European Union", "VAT number", vat.is_valid, _VAT,
        "AA9{8}, AA9{9}, AA9{10}, AA9{11}, AA9{12}, AAA9{8}, AA9{9}A99, AA9{7}A, AA9{7}AA, AAA9{7}A, "
        "AA9{8}A, AA9A9{5}A", "AAA9{8}, AA9{9}A99"),
    IdForm("France", "SIREN or SIRET", lambda number: siren.is_valid(number) or siret.is_valid(number),
        r"siren|siret", "9{9}, 999 999 999, 9{14}, 999 999 999 99999"),
    IdForm("Germany", "tax number", stnr.is_valid, r"steuer-?(?:nummer|nr)\.?|st\.?-?nr\.?",
        "99/999/99999, 999/999/99999, 999/9999/9999, 9{10}, 9{11}, 9{13}"),
    IdForm("India", "GSTIN", in_gstin, r"gst(?:in)?(?: \w+)?", "99A{5}9999A9A9, 99A{5}9999A9AA, 99A{5}9999A99",
        "99A{5}9999A9A9, 99A{5}9999A9AA"),
    IdForm("Italy", "partita IVA", iva.is_valid, r"partita iva|p\.? ?iva", "9{11}", whole=ANY_FORM),
    IdForm("Korea", "business number", kr_company, r"brn|사업자등록번호|business registration", "9{10}, 999-99-99999",
        whole="999-99-99999"),
    IdForm("Peru", "RUC", ruc.is_valid, r"ruc", "9{11}", whole=ANY_FORM),
    IdForm("Philippines", "TIN", anything, r"bir(?: tin)?", "9{12}"),
    IdForm("Philippines", "TIN", ph_tin, r"bir(?: tin)?|tin|taxpayer", "999-999-999, 9{12}",
        "999-999-999-999, 999-999-999-99999"),
    IdForm("Poland", "NIP", nip.is_valid, r"nip", "9{10}, 999-999-99-99, 999-99-99-999"),
    IdForm("Poland", "REGON", regon.is_valid, r"regon", "9{9}, 9{14}"),
    IdForm("Singapore", "UEN", uen.is_valid, r"uen", "9{8}A, 9{9}A", "A99AA9999A", whole="9{8}A, 9{9}A"),
    IdForm("Sweden", "company number", se_company,
        r"org(?:anisations)?[.-]?(?:nr|nummer)|company (?:identity code|reg\w*)", "9{10}", "999999-9999",
        whole=ANY_FORM),
)  # fmt: skip
TABLE = Table("tax id", ROWS)
