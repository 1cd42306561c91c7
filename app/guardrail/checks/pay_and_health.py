"""What someone earns, and what someone is ill with, where words say so. Off by default: handbooks are full of both.

Words can't tell a person's pay from a pay band, so these are for collections in which neither may leave.
"""

import re

from app.guardrail.check import Cue, PatternCheck, Run

_CURRENCY = r"(?:[$€£¥]|USD|EUR|GBP|CHF|PLN|SEK|NOK|DKK|CZK|AUD|CAD|INR|JPY|Rs\.?)"
_AMOUNT = re.compile(
    rf"(?:{_CURRENCY} ?\d[\d.,' ]{{0,12}}\d?(?: ?[kKmM](?!\w))?|\d[\d.,' ]{{0,12}}\d(?: ?[kKmM](?!\w)| "
    rf"?{_CURRENCY})|\d{{2,3}} ?[kK](?!\w)|"
    r"\d{1,3}(?:[,.']\d{3}){1,2}(?![\d.,]\d))"
)
_PAY_WORDS = (
    "salar", "earn", "wage", "compensation", "bonus", "payslip", "base pay", "gross pay", "net pay", "paid ",
    "gehalt", "lohn", "verdien", "salaire", "rémunération", "sueldo", "salario", "stipendio", "loon",
    "wynagrodzeni", "lön", "зарплат", "maaş",
)  # fmt: skip
_PAY = re.compile(
    r"(?<![^\W\d_])(?:salar(?:y|ies)|earn(?:s|ed|ing)?|wages?|compensation|bonus|payslip|(?:base|"
    r"gross|net) pay|paid|(?:jahres|monats|brutto|netto)?gehalt|"
    r"\w{0,10}lohn|verdien\w+|salaire|rémunération|sueldo|salario|stipendio|loon|wynagrodzeni\w+|lön|"
    r"зарплат\w+|maaş\w*)(?![^\W\d_])[^\n]{0,32}\Z"
)
_ILL_WORDS = (
    "diagnos", "suffer", "prescri", "treated for", "allergic", "tested positive", "disabilit", "pregnan",
    "therapy for", "leidet", "erkrankt", "souffre", "sufre", "atteint", "soffre", "cierpi",
)  # fmt: skip
_ILL = re.compile(
    r"(?<![^\W\d_])(?:diagnos(?:ed (?:with|as)|is(?: of)?:?|e:?|tiziert mit)|suffer(?:s|ed|ing) from|"
    r"prescribed|prescription for:?|treated for|allergic to|"
    r"tested positive for|therapy for|leidet (?:an|unter)|erkrankt an|souffre d[e']|sufre de|"
    r"atteinte? d[e']|soffre di|cierpi na) ?(?:an? |the |her |his |einer? )?\Z"
)
_CONDITION = re.compile(
    r"(?!(?:not|no|it|that|this|them|which|what)\b)[^\W\d_][\w\-']{2,30}(?: (?:of|the|and|de|du|mit|"
    r"type|stage) [\w\-']{2,30}| [^\W\d_][\w\-']{3,30}){0,2}"
)
OPTIONAL = (
    PatternCheck(
        "pay",
        "amount called pay",
        _AMOUNT,
        run=Run(re.compile(r"(?:[A-Z$€£¥\d][A-Z$€£¥\d.,' ]{0,18}[A-Za-z]{0,3})?"), 22),
        opener=re.compile(r"[\d$€£¥A-Z](?<![\w.].)"),
        cue=Cue(_PAY_WORDS, _PAY),
    ),
    PatternCheck(
        "health",
        "condition or treatment called so",
        _CONDITION,
        run=Run(re.compile(r"[\w\-' ]{0,96}"), 96),
        opener=re.compile(r"[^\W\d_](?<!\w.)"),
        cue=Cue(_ILL_WORDS, _ILL),
    ),
)
