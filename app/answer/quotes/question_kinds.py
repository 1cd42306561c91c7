"""What a question asks for (a number, a time, a person, steps, leave to do something, a place) and what would be it."""

import re
from typing import Literal

QuestionKind = Literal["amount", "time", "person", "steps", "permission", "place", "reason", "other"]

# Where a question word asks, and joins no clause: it begins the question, a clause of it, or follows a preposition.
_BEGINS = r"(?:^\W*(?:\w{1,4}[:.]\s+)?|[,;]\s|\b(?:and|or|until|since|from|by|to|with|for|und|seit|ab|bis|et|y)\s)"
# The first that matches decides. In English, German, French and Spanish; another language has kind "other".
_ASKS: tuple[tuple[QuestionKind, str], ...] = (
    (
        "amount",
        r"how (?:much|many|long|far|big|large|old|fast|high)\b|\bcosts?\b|\bwas kostet\b"
        r"|\bwie (?:viele?|lange|hoch|weit)\b|\bcombien\b|\bcu[aá]nt[oa]s?\b"
        r"|\bwhat (?:is|are) the (?:\w+ )?(?:price|amount|limit|rate|budget|number)\b",
    ),
    (
        "time",
        rf"{_BEGINS}(?:when|wann|quand|cu[aá]ndo)\b|how (?:soon|often)\b|what (?:time|date|day)\b|\bdeadline\b",
    ),
    ("person", rf"{_BEGINS}(?:who(?:m|se)?|we[rnm]|qui|qui[eé]n(?:es)?|which (?:team|person|department))\b"),
    ("place", rf"{_BEGINS}(?:where|wo(?:hin)?|où|a?d[oó]nde)\b"),
    ("reason", rf"{_BEGINS}(?:why|warum|wieso|pourquoi|por qué)\b|what (?:is|are) the (?:purpose|reason|goal)s?\b"),
    (
        "steps",
        r"how (?:do|to|can|should|would|will|does|did)\b|what (?:should|do|must) (?:i|we|you)\b|\bsteps\b"
        rf"|\bwie (?:kann|muss|soll|geht|mache|beantrage)\b|{_BEGINS}(?:comment|c[oó]mo)\b",
    ),
    (
        "permission",
        r"^\W*(?:\w{1,4}[:.]\s+)?(?:can|may|am|is|are|do|does|should|will|must|has|have|darf|dürfen|kann|können|muss"
        r"|puis-je|peut-on|dois-je|puedo|debo)\b|\b(?:can|may|should|must) (?:i|we|you|they)\b|\bwhat if\b",
    ),
)
ASKS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKS)

_MONTHS = "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|okt|oct|nov|dec|dez"
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:[$€£]\s?)?\d+(?:[.,:]\d+)*(?:\s?(?:%|°|[$€£]))?")
TIME = re.compile(
    rf"\b\d{{4}}-\d\d|\b\d{{1,2}}[:.]\d\d\b|\b\d{{1,2}}\.?\s+(?:{_MONTHS})\w*|\b(?:{_MONTHS})\w*\.?\s+\d{{1,2}}\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:dai|week|month|quarter|year)ly\b|\bannually\b"
    r"|\b(?:every|each|within|until|before|after|by|once|during|per)\s+(?:\w+\s+){0,2}(?:days?|weeks?|months?|quarters?"
    r"|years?|hours?|minutes?|end|start)\b|\b\d+\s+(?:business\s+|working\s+)?(?:days?|weeks?|months?|years?|hours?|minutes?)\b"
    r"|\b(?:täglich|wöchentlich|monatlich|jährlich)\b|\b(?:innerhalb|spätestens|bis zum|avant|dans les|antes|dentro)\b",
    re.IGNORECASE,
)
# A capital in the middle of a sentence, an address, a handle; or a word for a post.
PERSON = re.compile(
    r"(?<=[a-zà-ÿ,] )[A-ZÀ-Þ][a-zà-ÿ]+|[\w.]+@[\w.]+|(?<!\w)[@#]\w[\w-]*"
    r"|\b(?:team|manager|lead|director|officer|department|head|supervisor)\b"
)
PLACE = re.compile(
    r"(?<!\w)[#/]\w[\w/-]*|\b(?:located|stored|saved|kept|found|link|folder|channel|page|drive|portal|room|floor|site)\b"
)
PERMISSION = re.compile(
    r"\b(?:can|cannot|can't|may|must|should|not|never|allowed|required|needs?|eligible|only|yes|no|won't|don't"
    r"|darf|dürfen|nicht|muss|müssen|erlaubt|nur|ja|nein|peut|peuvent|doit|interdit|puede|debe|prohibido)\b",
    re.IGNORECASE,
)
REASON = re.compile(
    r"\b(?:because|since|so that|reason|in order to|helps?|ensures?|weil|damit|parce|porque|para)\b", re.I
)
YES_NO = re.compile(r"\W*(?:a:\s*)?(?:yes|no|yep|nope|ja|nein|oui|non|sí)\b", re.IGNORECASE)

EVIDENCE = {
    "amount": NUMBER, "time": TIME, "person": PERSON, "place": PLACE, "permission": PERMISSION, "reason": REASON,
}  # fmt: skip
# Kinds that one number, date or name answers.
SHORT_ANSWERS: dict[QuestionKind, re.Pattern[str]] = {"amount": NUMBER, "time": TIME, "person": PERSON}


def question_kind(question: str) -> QuestionKind:
    """What a question asks for, by its words alone."""
    return next((kind for kind, pattern in ASKS if pattern.search(question)), "other")


def holds_evidence(kind: QuestionKind, text: str) -> bool:
    """Whether a text has what such a question asks for; steps are told by their form, not by words."""
    pattern = EVIDENCE.get(kind)
    return pattern is not None and pattern.search(text) is not None
