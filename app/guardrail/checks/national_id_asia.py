"""Personal numbers of states in Asia, Africa and the Pacific."""

from stdnum.au import tfn
from stdnum.id import nik
from stdnum.il import idnr as il_idnr
from stdnum.in_ import aadhaar, pan
from stdnum.iso7064 import mod_11_2
from stdnum.jp import in_ as my_number
from stdnum.ke import pin as ke_pin
from stdnum.my import nric as mykad
from stdnum.nz import ird
from stdnum.pk import cnic
from stdnum.th import pin as th_pin
from stdnum.za import idnr as za_idnr

from app.guardrail.checks.number_table import ANY_FORM, IdForm, anything
from app.guardrail.checks.numbers import digits, luhn, weighted

_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # Taiwan's values of letters: 10 and up
_NRIC = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "KLJNPQRTUWX"),
}


def dated(number: str, at: int = 0) -> bool:
    """Whether month and day stand in a YYMMDD that begins at `at`."""
    return 1 <= int(number[at + 2 : at + 4]) <= 12 and 1 <= int(number[at + 4 : at + 6]) <= 31


def cn_id(number: str) -> bool:
    """District, date of birth, serial and check character (GB 11643)."""
    return number[6:8] in ("19", "20") and dated(number, 8) and mod_11_2.is_valid(number)


def sg_nric(number: str) -> bool:
    if number[0] not in _NRIC:
        return False
    offset, letters = _NRIC[number[0]]
    rest = (offset + weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2), 11)) % 11
    if number[0] == "M":
        rest = 10 - rest
    return letters[rest] == number[8]


def sg_form(number: str) -> bool:
    """Whether the last letter is one that numbers with such a first letter end with."""
    return number[0] in _NRIC and number[8] in _NRIC[number[0]][1]


def hk_id(number: str) -> bool:
    spaced = number.rjust(9)
    values = [36 if sign == " " else int(sign, 36) for sign in spaced]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def tw_id(number: str) -> bool:
    if number[0] not in _LETTERS or number[1] not in "1289":
        return False
    spread = str(_LETTERS.index(number[0]) + 10) + number[1:]
    return weighted(spread, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), 10) == 0


def kr_resident(number: str) -> bool:
    """Since October 2020 the last six digits are random: date of birth and century are all that can be checked."""
    return dated(number) and number[6] in "12345678"


def ae_id(number: str) -> bool:
    return number.startswith("784") and luhn(number)


def sa_id(number: str) -> bool:
    return number[0] in "12" and luhn(number)


def eg_id(number: str) -> bool:
    return number[0] in "23" and dated(number, 1)


def kw_id(number: str) -> bool:
    return (
        number[0] in "23"
        and dated(number, 1)
        and (11 - weighted(number, (2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), 11)) % 11 == int(number[11])
    )


def lk_nic(number: str) -> bool:
    return number[-1] in "VX" and 1 <= int(number[2:5]) % 500 <= 366


def in_pan(number: str) -> bool:
    """Of persons: companies' have another fourth letter."""
    return number[3] == "P" and pan.is_valid(number)


def id_nik(number: str) -> bool:
    return nik.is_valid(number) and digits(number) == number


_SINGAPORE = r"nric|fin(?: (?:no|number))?"
_GENERIC_CN = r"身份证\w*|身分证\w*|公民身份号码|shenfenzheng|chinese id"

ROWS: tuple[IdForm, ...] = (
    IdForm("Australia", "tax file number", tfn.is_valid, r"tfn|tax file", "9{9}, 9{8}, 999 999 999, 999-999-999",
        whole="999 999 999"),
    IdForm("Bangladesh", "NID", anything, r"nid|জাতীয় পরিচয়পত্র|bangladesh\w* id", "9{10}, 9{13}, 9{17}"),
    IdForm("China", "resident identity number", cn_id, _GENERIC_CN, "", "9{18}, 9{17}A"),
    IdForm("Egypt", "national number", eg_id, r"egypt\w* id|الرقم القومي", "9{14}", whole=ANY_FORM),
    IdForm("Ghana", "Ghana card", anything, r"ghana ?card", "AAA9{9}9", "AAA-9{9}-9"),
    IdForm("Hong Kong", "identity card number", hk_id, r"hkid\w*|hong kong id\w*|身份證\w*",
        "A9{7}, AA9{7}, A9{6}A, A999999-9", "A9{6}(9), AA9{6}(9), A9{6}(A)"),
    IdForm("India", "Aadhaar number", aadhaar.is_valid, r"aadhaa?r|uid(?:ai)?|आधार", "9{12}",
        "9999 9999 9999, 9999-9999-9999", whole=ANY_FORM),
    IdForm("India", "PAN", in_pan, r"pan(?: (?:card|no|number))?|permanent account", "", "A{5}9999A"),
    IdForm("India", "voter id", anything, r"voter\w*|epic|vote|election card", "AAA9{7}"),
    IdForm("Indonesia", "NIK", id_nik, r"nik|ktp|e-ktp|nomor induk", "9{16}"),
    IdForm("Israel", "identity number", il_idnr.is_valid,
        r"teudat zehut|t\.?z\.?|israeli? id|ת\.?ז\.?|תעודת זהות|מספר זהות", "9{9}, 9{8}-9"),
    IdForm("Japan", "My Number", my_number.is_valid, r"my ?number|マイナンバー|個人番号",
        "9{12}, 9999 9999 9999, 9999-9999-9999"),
    IdForm("Kenya", "KRA PIN", ke_pin.is_valid, r"kra(?: pin)?", "A9{9}A", "A9{9}A"),
    IdForm("Kenya", "identity number", anything, r"kenya\w* id|huduma", "9{7}, 9{8}"),
    IdForm("Korea", "resident registration number", kr_resident,
        r"rrn|frn|jumin|resident registration|주민등록번호|외국인등록번호", "9{13}", "999999-9{7}", whole=ANY_FORM),
    IdForm("Kuwait", "civil id", kw_id, r"civil id|البطاقة المدنية", "9{12}", whole=ANY_FORM),
    IdForm("Malaysia", "MyKad number", mykad.is_valid, r"mykad|nric|kad pengenalan|ic(?: (?:no|number))?", "9{12}",
        "999999-99-9999"),
    IdForm("Morocco", "CIN", anything, r"cin|cnie|carte nationale", "A9{5}, A9{6}, AA9{5}, AA9{6}"),
    IdForm("New Zealand", "IRD number", ird.is_valid, r"ird(?: (?:no|number))?",
        "9{8}, 9{9}, 99-999-999, 999-999-999"),
    IdForm("Nigeria", "NIN", anything, r"nin|national identification number|nimc|bvn", "9{11}"),
    IdForm("Pakistan", "CNIC", cnic.is_valid, r"cnic|nicop|شناختی کارڈ", "9{13}", "99999-9{7}-9"),
    IdForm("Philippines", "PhilSys, SSS or TIN", anything,
        r"philsys|psn|sss|gsis|umid|philhealth|pag-?ibig|bir(?: tin)?",
        "9999-9999-9999, 99-9{7}-9, 9{12}, 9{9}, 999-999-999-999, 999-999-999-99999, 999-999-999, "
        "9999-9999-9999-9999"),
    IdForm("Saudi Arabia", "identity number", sa_id, r"iqama|saudi id|رقم الهوية|الهوية الوطنية", "9{10}",
        whole=ANY_FORM),
    IdForm("Singapore", "NRIC or FIN", sg_nric, _SINGAPORE, "", "A9{7}A"),
    IdForm("Singapore", "NRIC or FIN", sg_form, _SINGAPORE, "A9{7}A", whole="A9{7}A"),
    IdForm("South Africa", "identity number", za_idnr.is_valid, r"(?:sa|south african|rsa) id|identity number",
        "9{13}, 999999 9999 999, 999999 9999 9 9 9", whole=ANY_FORM),
    IdForm("Sri Lanka", "NIC", lk_nic, r"nic|sri lanka\w* id", "9{9}A", "9{9}A"),
    IdForm("Taiwan", "identity number", tw_id, r"身分證\w*|taiwan\w* id|統一編號", "A9{9}"),
    IdForm("Thailand", "identity number", th_pin.is_valid,
        r"thai(?:land)?(?: national)? id|เลข(?:ที่)?บัตร\w*|เลขประจำตัว\w*", "9{13}, 9 9999 99999 99 9",
        "9-9999-99999-99-9", whole=ANY_FORM),
    IdForm("United Arab Emirates", "Emirates ID", ae_id, r"emirates id|رقم الهوية", "9{15}", "999-9999-9{7}-9",
        whole=ANY_FORM),
    IdForm("Vietnam", "CCCD", anything, r"cccd|cmnd|căn cước(?: công dân)?|chứng minh nhân dân|vietnam\w* id",
        "9{9}, 9{12}"),
)  # fmt: skip
