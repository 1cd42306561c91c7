"""Personal numbers of American states."""

from stdnum.ar import cuit
from stdnum.ar import dni as ar_dni
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.cl import rut
from stdnum.cr import cpf as cr_cpf
from stdnum.cu import ni
from stdnum.do import cedula
from stdnum.ec import ci
from stdnum.mx import curp, rfc
from stdnum.us import ssn
from stdnum.ve import rif

from app.guardrail.checks.number_table import ANY_FORM, IdForm, anything
from app.guardrail.checks.numbers import weighted

_SOCIAL = r"ssn|itin|social ?sec\w*(?: number)?|social ?num\w*|social(?= (?:is|was|#))|soc\. sec|taxpayer|tax ?id"


def uy_cedula(number: str) -> bool:
    return -weighted(number, (2, 9, 8, 7, 6, 3, 4), 10) % 10 == int(number[7])


def us_number(number: str) -> bool:
    """Social security numbers, and taxpayer numbers, whose first digit is 9."""
    group = int(number[3:5])
    taxpayer = number[0] == "9" and number[5:] != "0000" and (50 <= group <= 65 or 70 <= group <= 88 or group >= 90)
    return taxpayer or ssn.is_valid(number)


ROWS: tuple[IdForm, ...] = (
    IdForm("United States", "social security or taxpayer number", us_number, _SOCIAL,
        "9{9}, 999 99 9999, 99999-9999, 999-999999, 999-99 9999, 999 99-9999", "999-99-9999, 999.99.9999"),
    IdForm("Canada", "SIN", sin.is_valid, r"s\.?i\.?n\.?|n\.?a\.?s\.?|social insurance(?: number)?|assurance sociale",
        "9{9}, 999 999 999, 999-999-999", whole="9{9}, 999 999 999, 999-999-999"),
    IdForm("Argentina", "DNI", ar_dni.is_valid, r"dni|documento(?: nacional)?", "9{7}, 9{8}, 99.999.999, 9.999.999"),
    IdForm("Argentina", "CUIT or CUIL", cuit.is_valid, r"cui[tl]", "9{11}", "99-9{8}-9", whole=ANY_FORM),
    IdForm("Brazil", "CPF", cpf.is_valid, r"cpf", "9{11}, 9{9}-99, 999 999 999 99", "999.999.999-99", whole=ANY_FORM),
    IdForm("Chile", "RUT", rut.is_valid, r"r\.?u\.?[tn]\.?|rol [úu]nico",
        "9{8}, 9{9}, 99999999-9, 9999999-9, 99999999-A, 9999999-A",
        "99.999.999-9, 9.999.999-9, 99.999.999-A, 9.999.999-A"),
    IdForm("Colombia", "cédula", anything, r"c[ée]dula(?: de ciudadan[íi]a)?|c\.c\.",
        "9{6}, 9{7}, 9{8}, 9{10}, 99.999.999, 9.999.999.999, 999.999.999"),
    IdForm("Costa Rica", "cédula", cr_cpf.is_valid, r"c[ée]dula", "9-9999-9999, 9{9}"),
    IdForm("Cuba", "identity number", ni.is_valid, r"carn[ée] de identidad|n[úu]mero de identidad", "9{11}"),
    IdForm("Dominican Republic", "cédula", cedula.is_valid, r"c[ée]dula", "9{11}", "999-9{7}-9"),
    IdForm("Ecuador", "cédula", ci.is_valid, r"c[ée]dula|c\.?i\.?", "9{10}, 9{9}-9", whole=ANY_FORM),
    IdForm("Guatemala", "DPI", anything, r"dpi|cui", "9{13}, 9999 99999 9999"),
    IdForm("Mexico", "CURP", curp.is_valid, r"curp", "", "A{4}9{6}A{6}99, A{4}9{6}A{7}9"),
    IdForm("Mexico", "RFC", rfc.is_valid, r"r\.?f\.?c\.?|registro federal",
        "A{4}9{6}AA9, A{4}9{6}A99, A{4}9{6}AAA, A{4}9{6}9A9, A{4}9{6}999, A{4}9{6}9AA, A{4}9{6}99A"),
    IdForm("Peru", "DNI", anything, r"dni|documento nacional", "9{8}, 9{8}-9"),
    IdForm("Uruguay", "cédula", uy_cedula, r"c[ée]dula|c\.?i\.?", "9{8}", "9.999.999-9"),
    IdForm("Venezuela", "cédula or RIF", rif.is_valid, r"rif|c[ée]dula|c\.i\.", "A9{9}, A-9{8}-9", "A-9{8}-9"),
    IdForm("Venezuela", "cédula", anything, r"c[ée]dula|c\.i\.", "A-99.999.999, A-9{8}, A-9{7}, A9{8}"),
)  # fmt: skip
