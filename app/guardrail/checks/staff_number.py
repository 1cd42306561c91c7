"""Numbers that a company gives to people: staff and customer numbers, beside a word for them."""

from app.guardrail.checks.number_table import IdForm, Table, anything

_SHAPES = (
    "9{4}, 9{5}, 9{6}, 9{7}, 9{8}, 9{9}, 9{10}, A9{4}, A9{5}, A9{6}, A9{7}, A9{8}, AA9{4}, AA9{5}, "
    "AA9{6}, AA9{7}, AAA9{3}, AAA9{4}, "
    "AAA9{5}, AAA9{6}, AAA9{7}, A-9{4}, A-9{5}, A-9{6}, AA-9{4}, AA-9{5}, AA-9{6}, AAA-9{3}, "
    "AAA-9{4}, AAA-9{5}, AAA-9{6}, AAA-9{7}, "
    "AAAA-9{4}, AAAA-9{5}, AAAA-9{6}, 99-9999, 999-999, 999-9999, 9999-9999, 99999-99999, A999AA999, "
    "A999A999, AAAA9{4}, AAAA9{6}"
)
_STAFF = (
    r"(?:employee|staff|personnel|worker|payroll|badge|clock)[ -]?(?:id|ids|number|no|nr|#)|"
    r"emp(?:loyee)?[ -]?(?:id|no|#)|"
    r"personalnummer|pers\.?-?nr|mitarbeiter(?:nummer|-?nr|-?id)|matricule(?: (?:salari[ée]|"
    r"employ[ée]))?|num[ée]ro d'employ[ée]|"
    r"n[úu]mero de emplead[oa]|legajo|matricola|numero di matricola|matr[íi]cula funcional|"
    r"personeelsnummer|numer pracownika|"
    r"anställningsnummer|medarbejdernummer|табельный номер|sicil no|工号|员工编号|社員番号|사번|사원번호"
)
_CUSTOMER = (
    r"(?:customer|client|member(?:ship)?|policy ?holder|subscriber|patron|loyalty)[ -]?(?:id|ids|"
    r"number|no|nr|#|account)|cust(?:omer)?[ -]?(?:id|no|#)|"
    r"kunden(?:nummer|-?nr|-?id)|kd\.?-?nr|mitglieds(?:nummer|-?nr)|num[ée]ro (?:de )?client|"
    r"n[úu]mero de cliente|numero cliente|"
    r"codice cliente|klantnummer|klant-?nr|numer klienta|kundnummer|kundenummer|asiakasnumero|müşteri "
    r"(?:no|numarası)|номер клиента|客户号|客户编号|会员号|顧客番号|会員番号|고객번호|회원번호"
)
TABLES = (
    Table("staff number", (IdForm("", "staff number", anything, _STAFF, _SHAPES),)),
    Table("customer number", (IdForm("", "customer number", anything, _CUSTOMER, _SHAPES),)),
)
