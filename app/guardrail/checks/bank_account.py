"""Bank accounts that are no IBAN: account, routing, sort code, Bankleitzahl, BIC, CLABE, beside a word for them."""

from stdnum.us import rtn

from app.guardrail.checks.number_table import IdForm, Table, anything

_ACCOUNT = (
    r"(?:bank |checking |savings |current |giro)?accounts?(?: ?(?:number|no|nr|#))|acct?(?: "
    r"?(?:number|no|nr|#))?|bank account|"
    r"kontonummer|konto(?:-?nr)?|kto\.?(?:-?nr)?|num[ée]ro de compte|compte bancaire|n[úu]mero de "
    r"cuenta|cuenta(?: bancaria| corriente)?|"
    r"conta(?: corrente| banc[áa]ria)?|numero di conto|conto corrente|rekeningnummer|numer (?:konta|"
    r"rachunku)|rachunek|bankkonto|bankgiro|"
    r"账号|帐号|帳號|银行账号|口座番号|계좌번호|plusgiro|расч[её]тный сч[её]т|р/с|iban|банковск\w+ сч[её]т"
)
_SORT = (
    r"sort(?:[ -]?code)?|bankleitzahl|blz|bank code|branch code|bsb|ifsc|transit(?: number)?|"
    r"clearing(?:nummer)?|agencia|ag[êe]ncia|abi|cab|code banque"
)


def us_routing(number: str) -> bool:
    return rtn.is_valid(number)


ROWS: tuple[IdForm, ...] = (
    IdForm("United States", "routing number", us_routing, r"aba|routing(?: (?:number|no|transit))?|rtn|ach|wire",
        "9{9}, 9999-9999-9"),
    IdForm("", "sort code", anything, _SORT,
        "99-99-99, 99 99 99, 9{6}, 9{8}, 999-999, 999 999 99, AAAA09{6}, AAAA9{7}, AAAA0A{6}, 99999-999, "
        "9{4}, 9{5}"),
    IdForm("", "account number", anything, _ACCOUNT,
        "9{6}, 9{7}, 9{8}, 9{9}, 9{10}, 9{11}, 9{12}, 9{13}, 9{14}, 9{15}, 9{16}, 9{17}, 999999-9, "
        "999-999-9999, 99 9999 9999, 9999 9999, 9999 9999 99, 999 999 999, "
        "99-9999-9999999-99, 99-9999-9999999-999, 9{4}-9{4}-9{2}-9{10}, 9{4} 9{4} 9{2} 9{10}, "
        "999-9999, 9999-9999, 99999999-9, 99999-9, 999 999 99 99, 999-9999-9999"),
    IdForm("Mexico", "CLABE", anything, r"clabe(?: interbancaria)?", "9{18}"),
    IdForm("", "BIC", anything, r"bic|swift(?:[ -]?(?:code|bic))?",
        "A{6}99, A{6}9A, A{6}A9, A{6}99AAA, A{6}99999, A{6}9AAAA, A{6}A9AAA, A{6}9A999, A{6}99A99"),
)  # fmt: skip
TABLE = Table("bank account", ROWS)
