"""Codes of doors, devices and sign-ins, and answers to security questions: values that only their name gives away."""

import re

from app.guardrail.check import DIGIT, Cue, PatternCheck, Run
from app.guardrail.cues import FrameEnd, frame
from app.guardrail.lookalikes import cased, lowered
from app.guardrail.values import VALUE_START

_QUESTION = r"(?:security|secret) question[^\n]{0,80}?answer|answer to (?:[a-z]+ ){0,3}(?:security|secret) question"
_FRAME, _WORDS = frame("code", name=rf"{_QUESTION}|(?:host|meeting|conference) key")
# "The lockbox opens with", "switch the alarm off with", "dial", "use code".
_OPENS = (
    r"(?P<opens>(?:open|unlock|disarm|(?:switch|turn)(?:ed|s)?(?: it)? off|deactivat|disabl|arm)[a-z]*[^\n.:;]{0,24}"
    r" (?:with|by|using|by dialling|by typing|by entering) (?:the )?(?:code |pin |number )?"
    r"|(?:use|enter|type|dial) (?:the )?code "
    r"|(?:alarm|keypad|door|gate|lock|lift|elevator|safe|panel)[^\n.:;]{0,32} (?P<takes>takes) )"
)
# Others of the same list were found before.
_OTHERS = r"(?:\](?:,|;| and| und| et| y| or)*[ \n]{1,2}){0,8}"
# A code without more said, of something that a code opens: "alarm: code 3391".
_PLACED = (
    r"(?P<placed>(?:alarm|door|gate|keypad|lock|safe|lift|elevator|garage|entrance|t[üu]r|tor|haus|eingang|tresor|porte|portail|"
    r"porta|portone|cancello|puerta|portón|deur|drzwi|двер)"
    r"[^\n.;]{0,32}(?<![a-z])(?:code|kode|pin|código|codice|kod|код)[: ] ?)"
)
_CUE = Cue(
    (
        *_WORDS,
        "code",
        "kode",
        "^pin",
        "códig",
        "codice",
        "kod",
        *cased("код"),
        "open",
        "unlock",
        "disarm",
        "off",
        "deactiv",
        "disabl",
        "question",
        " key",
        "takes ",
        "expects",
        "wants",
        "accepts",
    ),
    re.compile(rf"""(?:{_FRAME}|{_OPENS}|{_PLACED}){_OTHERS}(?:(?:le|la|el|il) )?[(\[]?["'`]?\Z"""),
    FrameEnd(
        "code",
        r"with|using|dialling|typing|entering|code|key|takes|kode|kod|pin|código|codice|код|le|la|el|il",
    ),
)
_DIGITS = r"[*#]?\d{3,10}[*#]?|\d{1,4}(?:[ \-]\d{1,4}){1,4}"
_CODE = re.compile(
    rf"(?:{_DIGITS}|(?=[A-Z\-]*\d)[A-Z\d]{{2,8}}(?:-[A-Z\d]{{2,8}}){{0,4}}|(?=[a-z\-]*\d)[a-z\d]{{3,8}}(?:-[a-z\d]{{3,8}}){{1,5}}"
    r"|[A-Z][\w'\-]{2,24}(?: [A-Z][\w'\-]{1,24})?)(?![A-Za-z0-9])"
)
_RUN = Run(re.compile(r"[^ \n]{0,44}(?: (?:[A-Z][\w'\-]{0,24}|\d{0,4}(?: \d{0,4}){0,3})?)?"), 70)
# "The code is 12 digits long", "the combination is 3 words": no value but a count.
COUNT = re.compile(
    r"[ \-](?:char|letter|digit|zeichen|stell|caract|chiffre|cifr|lettre|word|line|day|hour|minute|month|year|user"
    r"|attempt|account|time|people|page|%)"
)
_ANSWERS = (
    "answer", "maiden", "antwort", "mädchen", "réponse", "jeune fille", "respuesta", "risposta", "resposta",
)  # fmt: skip
_ANSWER = re.compile("|".join(_ANSWERS))
_VAGUE = re.compile(r"(?:the|your|der|le|el|il|o|de) c[oó]d(?:e|igo|ice)")


_CARD_CODE = re.compile(r"security code|cv[vc]")


_LETTERED = re.compile(r"[A-Z]?\d{3,6}[A-Z]?")


def digits_alone(value: str) -> bool:
    """Whether it is what a keypad takes: digits, with a star or hash around them."""
    return value.strip("*#").isdigit() and len(value) >= 4


def _is_code(match: re.Match[str], before: str) -> bool:
    cue = _CUE.found(lowered(before))
    value = match[0]
    if cue is None or COUNT.match(match.string, match.end()) is not None:
        return False
    lettered = cue["placed"] is not None and _LETTERED.fullmatch(value) is not None
    if (cue["placed"] or cue["takes"]) and not (lettered or digits_alone(value)):
        return False
    if value[0].isalpha() and not any(character.isdigit() for character in value):
        return _ANSWER.search(cue[0]) is not None
    digits = sum(character.isdigit() for character in value)
    said_less = any(cue[group] is not None for group in ("bare", "titled", "later", "asked"))
    if said_less and _CARD_CODE.match(cue[0]) is not None:
        return digits >= 3
    vague = _VAGUE.match(cue[0]) is not None
    least = 4 if said_less or vague else 3
    enough = digits >= least and not (vague and said_less and cue["bare"] is None)
    one_letter = digits >= len(value) - 1
    return enough and (value.strip("*#").isdigit() or one_letter or not said_less or not value.isalnum())


# A code has a digit; only the answer to a question may be a name. So most words are told from both without a look
# at what stands before them.
CHECK = PatternCheck(
    kind="credential",
    reason="called a code",
    pattern=_CODE,
    accept=_is_code,
    run=_RUN,
    opener=re.compile(rf"{VALUE_START.pattern}(?=[^ \n]{{0,48}}?\d)"),
    needs=DIGIT,
    cue=_CUE,
)
_USED = re.compile(r"(?i)(?<![a-z])(?:use|enter|type|input) (?:(?:the |this )?(?:code|pin|number)?:? ?)?[\"'`]?\Z")


def _is_used(_match: re.Match[str], before: str) -> bool:
    return _USED.search(before, max(len(before) - 32, 0)) is not None


# With a letter and a sign, and neither a place nor an address.
_VALUE = r"(?=[^ ]*[A-Za-z])(?=[^ ]*[!#$%^&*?~@])(?![^ ]*(?:/|@[\w\-]+\.\w))[^ \n\"'`,;(\[]{6,32}"
# "Use 482913 to sign in", "use 'Maple@Leaf1' to unlock the file": what it is for says what it is.
FOR_PURPOSE = PatternCheck(
    kind="credential",
    reason="code for a purpose",
    pattern=re.compile(
        rf"(?:\d{{4,8}}|\d{{3}}[ \-]\d{{3}}|{_VALUE})"
        r"(?=[\"'`]? to (?:verify|confirm|log ?in|sign in|authenticate|activate|unlock|reset|decrypt|extract|unzip)"
        r"(?![a-z]))"
    ),
    accept=_is_used,
    run=Run(
        re.compile(
            r"(?:[^ \n\"'`,;(\[]{1,32}(?: \d{1,3})?[\"'`]?"
            r"(?: (?:t(?:o(?: [a-z]{0,12}(?: [a-z]{0,3})?)?)?)?)?)?"
        ),
        54,
        min_extent=9,
    ),
    opener=re.compile(r"(?<=[ \"'`])(?=\d{3}|(?=[^ \n\"'`,;(\[]{0,31}?[!#$%^&*?~@])[^ \n\"'`,;(\[]{0,31}?\d)"),
    needs=DIGIT,
)
ANSWER = PatternCheck(
    kind="credential",
    reason="answer to a question",
    pattern=_CODE,
    accept=_is_code,
    run=_RUN,
    opener=re.compile(rf"{VALUE_START.pattern}(?=[A-Z])"),
    cue=Cue(_ANSWERS, _CUE.pattern, _CUE.may_end),
)
