"""Personal numbers of European states."""

import re

from stdnum.at import tin as at_tin
from stdnum.at import vnr
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.ch import ssn as ahv
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.ee import ik
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nif as fr_nif
from stdnum.fr import nir
from stdnum.gb import nhs, utr
from stdnum.gr import amka
from stdnum.gr import vat as afm
from stdnum.hr import oib
from stdnum.hu import anum
from stdnum.ie import pps
from stdnum.is_ import kennitala
from stdnum.it import codicefiscale
from stdnum.lt import asmens
from stdnum.lv import pvn
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import cc
from stdnum.pt import nif as pt_nif
from stdnum.ro import cnp
from stdnum.ru import inn
from stdnum.se import personnummer
from stdnum.si import emso
from stdnum.tr import tckimlik
from stdnum.ua import rntrc

from app.guardrail.checks.number_table import ANY_FORM, IdForm, anything
from app.guardrail.checks.numbers import digits, luhn, verhoeff, weighted


def de_pension(number: str) -> bool:
    """Area, date of birth, letter of the birth name, serial and check digit (VKVV § 4)."""
    letter = f"{ord(number[8]) - 64:02d}"
    spread = number[:8] + letter + number[9:11]
    total = sum(
        sum(divmod(int(digit) * weight, 10))
        for digit, weight in zip(spread, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True)
    )
    return total % 10 == int(number[11]) and 1 <= int(number[4:6]) <= 12 and 1 <= int(number[2:4]) % 50 <= 31


def ru_snils(number: str) -> bool:
    rest = weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, 1), 101)
    return rest % 100 == int(number[9:]) and len(set(number)) > 1


def lu_matricule(number: str) -> bool:
    """Year, month, day and serial, then a digit by Luhn and one by Verhoeff."""
    dated = 1 <= int(number[4:6]) <= 12 and 1 <= int(number[6:8]) <= 31
    return dated and luhn(number[:12]) and verhoeff(number[:11] + number[12])


def se_personal(number: str) -> bool:
    """Personal and coordination numbers; the separator may be missing."""
    plain = digits(number)
    coordination = 61 <= int(plain[-6:-4]) <= 91 and 1 <= int(plain[-8:-6]) <= 12
    return luhn(plain[-10:]) and (coordination or personnummer.is_valid(number))


def fi_hetu(number: str) -> bool:
    """Temporary ones too, which are given in hospitals."""
    return hetu.is_valid(number, allow_temporary=True)


NO_NINO = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})  # prefixes never issued
_NINO = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")


def uk_nino(number: str) -> bool:
    """In one piece; those with blanks have a check of their own."""
    return _NINO.fullmatch(number) is not None and number[:2] not in NO_NINO


def es_dni(number: str) -> bool:
    return dni.is_valid(number.zfill(9))


def lv_code(number: str) -> bool:
    return pvn.is_valid(number) and 1 <= int(number[:2]) <= 31 and 1 <= int(number[2:4]) <= 12


_JMBG = r"jmbg|emšo|emso|мбг|јмбг|matični broj|maticni broj|matična številka"
_TAX_DE = r"steuer(?:liche)?[ -]?(?:id\w*|nummer)|steueridentifikationsnummer|idnr|tax id|tin"
_SWEDISH = r"personnummer|samordningsnummer|personal (?:identity )?(?:number|code)|swedish id(?: code)?"
_PERSONAL_CODE = r"personal (?:identification |identity )?(?:code|number)"

ROWS: tuple[IdForm, ...] = (
    IdForm("Austria", "insurance number", vnr.is_valid,
        r"svnr|sv[ -]nummer|sozialversicherungs\w*|vsnr|versicherungsnummer", "9{10}, 9999 999999, 9999 99 99 99"),
    IdForm("Austria", "tax number", at_tin.is_valid, r"steuernummer|abgabenkontonummer|st\.?[ -]?nr",
        "9{9}, 99 999/9999, 99-999/9999"),
    IdForm("Belgium", "national number", nn.is_valid,
        r"rijksregister\w*|registre national|national number|insz|niss|nrn|num[ée]ro national",
        "9{11}, 999999-999-99, 999999 999 99, 99 99 99 999 99", "99.99.99-999.99", whole=ANY_FORM),
    IdForm("Bulgaria", "EGN", egn.is_valid, r"egn|егн|единен граждански номер", "9{10}", whole=ANY_FORM),
    IdForm("Croatia", "OIB", oib.is_valid, r"oib|osobni identifikacijski broj", "9{11}"),
    IdForm("Cyprus", "identity card number", anything, r"cyprus id|δελτίο ταυτότητας|αριθμός ταυτότητας|cypriot id",
        "9{6}, 9{7}, 9{8}, 9{10}"),
    IdForm("Czechia and Slovakia", "birth number", rc.is_valid,
        r"rodn[ée] č[íi]slo|rodne cislo|rodn[ée]ho č[íi]sla|r\. ?č\.?|birth number", "9{9}, 9{10}", "999999/9999",
        whole=ANY_FORM),
    IdForm("Denmark", "CPR number", cpr.is_valid, r"cpr(?:[ -]?(?:nr|nummer|number|no))?\.?|personnummer",
        "9{10}, 999999-9999, 999999 9999"),
    IdForm("Estonia", "isikukood", ik.is_valid, r"isikukood\w*|personal code|estonian id", "9{11}", whole=ANY_FORM),
    IdForm("Finland", "personal identity code", fi_hetu, r"hetu|henkilötunnus|personbeteckning", "",
        "999999-999A, 999999A999A, 999999+999A, 999999A9999, 999999-9999, 999999+9999", raw=True),
    IdForm("France", "social security number", nir.is_valid,
        r"nir|s[ée]curit[ée] sociale|n° ?s[ée]cu|num[ée]ro de s[ée]cu\w*", "",
        "9{15}, 9 99 99 99 999 999 99, 9{13} 99, 999999A999999 99, 999999A99999999, 9 99 99 9A 999 999 99"),
    IdForm("France", "tax number", fr_nif.is_valid, r"num[ée]ro fiscal|nif|spi", "9{13}, 99 99 999 999 999"),
    IdForm("Germany", "tax id", idnr.is_valid, _TAX_DE, "9{11}", "99 999 999 999", whole=ANY_FORM),
    IdForm("Germany", "pension insurance number", de_pension,
        r"rentenversicherungs\w*|sozialversicherungs\w*|rvnr|svnr|sv-nummer", "99999999A999, 99 999999 A 999",
        "99999999A999"),
    IdForm("Greece", "AMKA", amka.is_valid, r"amka|αμκα", "9{11}", whole=ANY_FORM),
    IdForm("Greece", "AFM", afm.is_valid, r"afm|αφμ|α\.φ\.μ\.?", "9{9}"),
    IdForm("Hungary", "tax number", anum.is_valid, r"adósz[áa]m\w*|tax number", "9{8}-9-99"),
    IdForm("Hungary", "personal number", anything,
        r"személyi (?:szám|azonosító)\w*|taj(?:[ -]sz[áa]m\w*)?|adóazonosító jel\w*",
        "9{9}, 999 999 999, 999-999-999, 9-999999-9999, 9{11}, 9{10}"),
    IdForm("Iceland", "kennitala", kennitala.is_valid, r"kennitala\w*|kt\.?", "9{10}", "999999-9999", whole=ANY_FORM),
    IdForm("Ireland", "PPS number", pps.is_valid, r"pps[n]?(?: ?(?:no|number))?\.?|personal public service",
        "9{7}A, 9{7}AA"),
    IdForm("Italy", "codice fiscale", codicefiscale.is_valid, r"codice fiscale|cod\. ?fisc\.?|c\.?f\.?", "",
        "AAAAAA99A99A999A"),
    IdForm("Latvia", "personal code", lv_code, r"personas kods?|personal code", "9{11}", "999999-99999",
        whole=ANY_FORM),
    IdForm("Lithuania", "asmens kodas", asmens.is_valid, r"asmens kod\w+|personal code", "9{11}", whole=ANY_FORM),
    IdForm("Luxembourg", "matricule", lu_matricule, r"matricule|ccss|cns|luxembourg",
        "9{13}, 9999 99 99 999 99, 99999999 99999", whole=ANY_FORM),
    IdForm("Malta", "identity card number", anything, r"malt(?:a|ese) id|identity card|karta tal-identità",
        "999A, 9999A, 99999A, 999999A, 9999999A"),
    IdForm("Netherlands", "BSN", bsn.is_valid, r"bsn|burgerservicenummer|sofi\w*",
        "9{9}, 9999.99.999, 999999 999, 999.999.999"),
    IdForm("Norway", "fødselsnummer", fodselsnummer.is_valid,
        r"fødselsnummer|fnr\.?|personnummer|d-nummer|birth number", "9{11}, 999999-99999", "999999 99999",
        whole=ANY_FORM),
    IdForm("Poland", "PESEL", pesel.is_valid, r"pesel", "9{11}", whole=ANY_FORM),
    IdForm("Portugal", "NIF", pt_nif.is_valid,
        r"nif|n[úu]mero de (?:identifica[çc][ãa]o fiscal|contribuinte)|contribuinte", "9{9}, 999 999 999"),
    IdForm("Portugal", "citizen card", cc.is_valid, r"cart[ãa]o de cidad[ãa]o|cc", "999999999AA9"),
    IdForm("Romania", "CNP", cnp.is_valid, r"cnp|cod(?:ul)? numeric personal", "9{13}", whole=ANY_FORM),
    IdForm("Russia", "SNILS", ru_snils, r"снилс\w*|snils", "9{11}, 999-999-999-99", "999-999-999 99", whole=ANY_FORM),
    IdForm("Russia", "INN", inn.is_valid, r"инн|inn|идентификационный номер налогоплательщика", "9{12}, 9{10}"),
    IdForm("Slovenia, Croatia, Serbia, Bosnia, Montenegro, North Macedonia, Kosovo", "JMBG", emso.is_valid, _JMBG,
        "9{13}", whole=ANY_FORM),
    IdForm("Spain", "DNI", es_dni, r"dni|nif|d\.n\.i\.?|documento nacional",
        "99.999.999-A, 9{8} A, 9{7}A, 99.999.999A", "9{8}A, 9{8}-A", whole="9{7}A"),
    IdForm("Spain", "NIE", nie.is_valid, r"nie|n[úu]mero de identi\w+ de extranjer\w+", "",
        "A9{7}A, A-9{7}-A, A9{7}-A, A-9{7}A"),
    IdForm("Sweden", "personal number", se_personal, _SWEDISH, "9{10}, 9{12}",
        "999999-9999, 99999999-9999, 999999+9999", raw=True, whole=ANY_FORM),
    IdForm("Switzerland and Liechtenstein", "AHV number", ahv.is_valid, r"ahv\w*|avs|numéro avs|avs-nummer", "9{13}",
        "999.9999.9999.99, 999 9999 9999 99", whole=ANY_FORM),
    IdForm("Turkey", "T.C. kimlik number", tckimlik.is_valid,
        r"t\.?c\.?(?: ?kimlik)?(?: no| numaras[ıi])?|kimlik\w*|tckn|turkish id", "9{11}", whole=ANY_FORM),
    IdForm("Ukraine", "RNTRC", rntrc.is_valid, r"рнокпп|іпн|ипн|rnokpp|rntrc|ідентифікаційний (?:номер|код)",
        "9{10}"),
    IdForm("United Kingdom", "national insurance number", uk_nino, r"nino|national insurance", "",
        "AA9{6}A, AA99-99-99-A, AA-99-99-99-A"),
    IdForm("United Kingdom", "NHS number", nhs.is_valid, r"nhs(?: (?:no|number))?\.?",
        "9{10}, 999 999 9999, 999-999-9999"),
    IdForm("United Kingdom", "taxpayer reference", utr.is_valid, r"utr|unique taxpayer",
        "9{10}, 99999 99999, 9{10}K"),
)  # fmt: skip
