"""Passwords in prose, configuration and commands: a value that something before it calls a password."""

import re

from app.guardrail.check import Cue, PatternCheck, Tail
from app.guardrail.checks.code import COUNT
from app.guardrail.cues import FrameEnd, column_names, frame, no_values
from app.guardrail.lookalikes import cased, lowered
from app.guardrail.values import QUOTED_RUN, QUOTED_START, VALUE_START, is_code, is_mixed

# The key of a network stands on the line under its name.
_FRAME, _NAMES = frame(
    "password",
    name=r"(?:ssid|wlan|wi-?fi)[^\n]{0,40}(?:\n[ \-*>|]{0,4}|[ |])(?:network |security )?(?:key|schlüssel|clé|clave)",
)
_OPTION = r"(?P<option>--?(?:password|passwd|pass|pwd|passphrase)[ =])"
_PAIR = (
    r"(?P<pair>(?:-u|--user)[ =]{1,3}[\"']?[\w.@+\-]{1,40}:|"
    r"(?:credentials?|creds|log ?in|sign in)(?: (?:are|is|with|as|using|details))?:? {1,2}[\w.@+\-]{2,24} ?[/:|] ?|"
    r"(?:credentials?|creds|log ?in|zugang|zugangsdaten|anmeldung|anmeldedaten|accès|identifiants?|acceso|credenciales|"
    r"accesso|credenziali|acesso|credenciais|toegang|inloggegevens|dostęp|dane logowania|přístup|доступ|логин|"
    r"wi-?fi|wlan)"
    r"(?: [^\W\d_][\w\-]{1,18}){0,2} ?(?::|->|=>|→) {0,2}[\w.@+\-]{2,24} ?(?://?|[:|]) ?)"
)
_PAIRED = (
    *("zugang", "anmeld", "accès", "acceso", "accesso", "acesso", "identifiant", "toegang", "inlog", "dostęp"),
    *("dane logowania", "přístup", "доступ", "логин"),
)
_CUE_WORDS = (
    *_NAMES,
    *("wifi", "wi-fi", "wlan", "cred", "login", "log in", "sign in", "-u ", "-u=", "--user", "ssid"),
    *(form for word in _PAIRED for form in cased(word)),
)
_SAID = rf"(?:{_FRAME}|{_OPTION}|{_PAIR})"
_MAY_END = FrameEnd("password", r"wi-?fi|wlan|cred|log ?in|sign in|-u|--user|key|schlüssel|clé|clave")
_CUE = Cue(_CUE_WORDS, re.compile(_SAID + r"\(?\Z"), _MAY_END)
_QUOTED_CUE = Cue(_CUE_WORDS, re.compile(_SAID + r"""[(\[]?["'`]\Z"""), _MAY_END)
# Words that follow "the password is" without being one.
_WORDS = frozenset(
    """
    a about above access account active admin after again against all allowed already also always an and another any
    are as ask asked at authentication automatically available back be because been before being below between blank
    both but by can cannot case-sensitive changed chosen changes changing clear compromised confirm confirmation contain
    contains correct created current database default did different do does don't done each either email empty
    enabled encrypted enter entered every exactly expire expired expires expiring exposed field file first followed
    for forgot forgotten found from generated get given go good great had hard has hash hashed have hidden hint how
    if ignored immediately important in included incorrect input insecure instead into invalid is it its just kept
    know known last later leaked left less like limited linked located locked login long longer lost made making
    managed manager managers mandatory many masked may me method might minimum missing more most must my necessary
    need needed needs never new no not nothing now null of off old on once one only optional or other our out over
    passed per please policy prompt prompted protected protecting protection provided public random recommended
    recovery redacted refused rejected remember required requirement requirements requires reset resets resetting
    rotated rotation safe same saved secret secrets secure secured see sensitive sent set sets shared should show
    shown similar simple so some something specified still stolen storage store stored string strong such sure
    synced system temporary text than that the their them then there these they this those through to token too true
    twice type typed unchanged under unique unknown unset until up updated us use used user username users using
    valid validated value vault verified very via visible wait was we weak what when where whether which who why
    will with within without work works would written wrong you your yourself
    """.split()  # noqa: SIM905 (a list would take one line a word)
)
_NO_VALUES = no_values()
_COLUMNS = column_names()
# What names of programs and protocols behind a name have not: "log in with SAML / OAuth2".
_TOLD_APART = re.compile(r"\d[^\d]*\d|[!@#$%^&*?+~]|\d[A-Za-z]")
_LESS = ("bare", "titled", "later", "asked")  # what says least: a value must look like one
# "Password Policy2024", "Passwort-Richtlinie v2": what pages and programs are called.
_TITLE = re.compile(
    r"(?:polic(?:y|ies)|guid|rule|manage|reset|recover|require|standard|safe|vault|generat|polit|política|règle|regel|richtlini|beleid)"
    r"[^\W\d_]{0,9}[ _.\-]?v?\d{0,4}(?:\.\d{1,3}){0,2}"
)
SUFFIXES = ("ed", "ing", "ly", "able", "ible", "tion", "ment", "less")


_CALLED_PASSWORD = re.compile(r"[a-z_]*pass(?:word|wd)?[a-z_]*")


def _says_enough(value: str) -> bool:
    """Whether a value behind words that say little looks like a password, and is no title of a page."""
    enough = len(value) >= 6 and is_mixed(value) and any(character.isdigit() for character in value)
    return enough and "](" not in value and _TITLE.fullmatch(lowered(value)) is None


def _is_password(match: re.Match[str], before: str) -> bool:
    cue = _CUE.found(lowered(before))
    value = match[0]
    if cue is None or "1password" in lowered(value):
        return False
    if value.isdigit():
        few = 12 if cue["assign"] is None else 20  # keys of networks have up to 20 digits
        return 4 <= len(value) <= few and cue["bare"] is None and COUNT.match(match.string, match.end()) is None
    if len(value) < 4 or is_code(value):
        return False
    if any(cue[group] is not None for group in _LESS):
        return _says_enough(value)
    if is_mixed(value):
        return cue["pair"] is None or ":" in cue[0] or "-u" in cue[0] or _TOLD_APART.search(value) is not None
    column = cue[0].rstrip().endswith("|") and lowered(value) in _COLUMNS
    ends = match.string[match.end() : match.end() + 1] in ("", "\n", ".", ",", ";", "!", ")")
    return (
        cue["pair"] is None
        and not column
        and len(value) >= 5
        and not is_word_of_sentence(lowered(value))
        and (ends or cue["is"] is None)
    )


def is_word_of_sentence(word: str) -> bool:
    """Whether a word in small letters belongs to a sentence about passwords rather than being one."""
    return (
        word in _WORDS or word in _NO_VALUES or word.endswith(SUFFIXES) or _CALLED_PASSWORD.fullmatch(word) is not None
    )


def _is_quoted_password(match: re.Match[str], before: str) -> bool:
    value = match["value"].strip()
    cue = _QUOTED_CUE.found(lowered(before))
    if cue is None or len(value) < 3 or "[redacted: " in value or is_code(value) or lowered(value) in _WORDS:
        return False
    if cue["bare"] is not None:
        return is_mixed(value)
    return lowered(value) not in {"password", "passwd", "pass", "username"}


_SIGN = r"""[^ \n"'`<>;|]"""

PROSE = PatternCheck(
    kind="credential",
    reason="called a password",
    # Without the punctuation of the sentence around it; one that is longer than the window is swallowed to its end.
    pattern=re.compile(rf"""{_SIGN}{{1,127}}?(?=[.,;:)\]}}\\|]{{0,4}}(?:[ \n"'`<>;|]|\Z))|{_SIGN}{{128}}"""),
    accept=_is_password,
    opener=VALUE_START,
    cue=_CUE,
    tail=Tail(re.compile(rf"{_SIGN}*"), closer=False),
)
QUOTED = PatternCheck(
    kind="credential",
    reason="quoted and called a password",
    pattern=re.compile(r"""(?P<value>[^"'`\n]{3,80})(?=["'`])"""),
    accept=_is_quoted_password,
    run=QUOTED_RUN,
    opener=QUOTED_START,
    cue=_QUOTED_CUE,
)
