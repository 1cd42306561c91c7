"""Secrets where configuration, code, commands and cookies keep them: the name is near, but more than a sign away."""

import re
from collections.abc import Callable

from app.guardrail.check import TOKEN_START, WORD, Cue, Finding, PatternCheck, Tail
from app.guardrail.checks import service_key
from app.guardrail.checks.randomness import is_placeholder, is_random
from app.guardrail.values import VALUE_START, is_code, is_mixed

Accept = Callable[[re.Match[str], str], bool]
_NAME = r"(?:key|token|secret|credential|auth|passw(?:or)?d|passwd|passphrase|pwd|userpwd|connectionstring)s?"
_STRUCTURE = re.compile(
    # <password>…, <add key="ApiKey" value="…, "name": "TOKEN", "value": "…, variable "db_password" { default = "…
    rf"""<(?:[a-z][a-z0-9_.:\-]{{0,24}})?{_NAME}(?: [^<>\n]{{0,24}})?>\Z"""
    rf"""|{_NAME}[a-z0-9_]{{0,16}}["']?[ ,\n{{}}\-]{{1,16}}["']?(?:value|default)["']? ?[=:] ?["']?\Z"""
    # getenv("TOKEN", "…, define('KEY', '…, setPassword("…, {{\"key\": \"…
    rf"""|{_NAME}[a-z0-9_]{{0,16}}["']?(?:,|\]? ?\?\?|\) or) ?b?["']\Z"""
    rf"""|(?:set|with|put|add)[a-z]{{0,16}}{_NAME}\(["']\Z"""
    rf"""|{_NAME}[a-z0-9_]{{0,16}}\\{{1,3}}["'] ?: ?\\{{1,3}}["']\Z"""
    rf"""|convertto-securestring(?: -string)? ["']\Z"""
    # password: str = "…, SECRET: Final = '…
    rf"""|{_NAME}[a-z0-9_]{{0,8}} ?: ?(?:str|string|final|&str|&'static str)\??(?:\[str\])? ?= ?["']\Z"""
)
_WORDS = (
    "securestring",
    "key",
    "token",
    "secret",
    "credential",
    "auth",
    "passw",
    "passphrase",
    "pwd",
    "connectionstring",
)
_IN_CODE = Cue(_WORDS, _STRUCTURE)
_SENTENCE = Cue(
    ("key", "token", "secret", "community string"),
    re.compile(
        r"(?:key|token|secret|community string)s?(?: (?:for|of|to|on|in|from|used)(?: [a-z0-9.\-]{1,16}){1,4})?"
        r"(?:[a-z0-9_]{0,16}[\"']?[ ,\n{}\-]{1,16}(?:value|default)(?=[:=]| [:=])|"
        r"(?: (?:is|was|being|now|used|below|here)){0,2})"
        r"""(?: ?:| =| is| was| \(|(?<=key)|(?<=token)|(?<=secret))[ \n]{0,2}["'`(]?\Z"""
    ),
)
_COOKIE = Cue(
    ("session", "sess_", "sessid", "sid=", 'sid"', "sid:", "csrf", "xsrf", "remember_token", "response="),
    re.compile(
        r"(?:sess(?:ion)?(?:[_\-]?id|_token|token)?|(?<![a-z?&])(?:connect\.)?sid|csrf[_\-]?token|xsrf-token|remember_token)"
        r"""(?:=|["']? ?: ?["']?)(?:s%3a)?\Z|response="\Z"""
    ),
)
# client = shop.Client("…
_CALL = Cue(
    ("client(", "api(", "auth(", "sdk(", "login(", "session("),
    re.compile(r"""(?:client|api|auth|sdk|login|session)\(["']\Z"""),
)
_SQL = Cue(
    ("identified ",), re.compile(r"""identified (?:with ['"]?[a-z0-9_]{1,32}['"]? )?(?:by|as)(?: password)? ['"]?\Z""")
)
_COMMAND = Cue(
    ("curl ", "mysql", "mariadb", "sshpass", "redis-cli", "wifi:", "net use ", "net user ", "cmdkey", " login "),
    re.compile(
        r"(?P<glued>(?:mysql|mariadb)[a-z\-]{0,12} (?:[^\n|;&]{0,48} )?)\Z|sshpass -p ?[\"']?\Z|"
        r"(?P<alone>curl [^\n|;&]{0,60}(?:-u|--user) ?)[\"']?\Z|redis-cli [^\n|;&]{0,40}-a [\"']?\Z|"
        r"net use [^\n|;&]{0,60}/user:[^ \n]{1,40} [\"']?\Z|"
        r"(?:docker|podman|buildah|skopeo|nerdctl|helm registry|az|oc) login (?:[^\n|;&]{0,56} )?-p[ =]?[\"']?\Z|"
        r"net user [a-z0-9._\-]{1,24} [\"']?\Z|cmdkey [^\n|;&]{0,60}/pass:[\"']?\Z|wifi:[^ \n]{0,50};p:\Z"
    ),
)
# The private members of a JSON Web Key (RFC 7518).
_JWK = re.compile(r"""[{,\s]"(?:d|k|p|q|dp|dq|qi)" ?: ?"\Z""")
_TAIL = Tail(re.compile(r"[\w+/=.\-~]*", re.ASCII), closer=False)
_WORTH = re.compile(
    r"(?=[\w\-+/.:%]{11})(?!https?:)(?:(?=[^ \n\d]{0,100}\d)|(?=[^ \n]{0,100}[a-z][A-Z])[\w\-+/.:]{16})", re.ASCII
)
_VALUE = re.compile(r"""[^ \n"'`<>\\;,]{6,128}""")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_STRONG = re.compile(r"api|access|secret|private|client|auth|encryption|sign|service|refresh|deploy|licen|token")
_IDENTIFIER = re.compile(r"[A-Za-z_.\-]+\d{0,3}")


# Where a quoted value or the text of an element begins.
_QUOTED_START = re.compile(r"""(?<=["'>])(?=[^ \n"'`=:<>()\[\]{},;&][^ \n"'`<>]{5})""")
_CUES = (_SQL, _COMMAND)
# One for all, so that the text is looked through once; each check then asks for its own.
_ANY = Cue(
    tuple(dict.fromkeys(word for cue in _CUES for word in cue.words)),
    re.compile("|".join(f"(?:{cue.pattern.pattern})" for cue in _CUES)),
)


_HEX_32 = re.compile(r"[0-9a-f]{32}")
_P_OPTION = re.compile(r"-p[^ ]")


def _behind(cue: Cue, accept: Accept) -> Accept:
    """What stands behind this cue and is accepted."""
    return lambda match, before: cue.found(before.lower()) is not None and accept(match, before)


def _is_literal(match: re.Match[str], before: str) -> bool:
    value = match[0]
    if is_code(value) or is_placeholder(value) or _IDENTIFIER.fullmatch(value) or before == "":
        return False
    return is_mixed(value) and (any(sign.isdigit() for sign in value) or is_random(value))


def _is_long_random(match: re.Match[str], before: str) -> bool:
    return before != "" and not is_code(match[0]) and is_random(match[0])


def _is_said(match: re.Match[str], before: str) -> bool:
    value = match[0]
    id_or_digest = _UUID.fullmatch(value) or (_HEX.fullmatch(value) and len(value) in {40, 64})
    return _is_long_random(match, before) and (not id_or_digest or _STRONG.search(before.lower()) is not None)


def _is_passed(match: re.Match[str], before: str) -> bool:
    value = match[0]
    return _is_long_random(match, before) and _UUID.fullmatch(value) is None and any(map(str.isdigit, value))


def _is_key_member(match: re.Match[str], before: str) -> bool:
    return _JWK.search(before) is not None and is_random(match[0])


def _is_cookie(match: re.Match[str], before: str) -> bool:
    if before.endswith('response="'):
        return _HEX_32.fullmatch(match[0]) is not None
    return _is_long_random(match, before)


def _is_said_in_sql(match: re.Match[str], before: str) -> bool:
    return before != "" and not is_code(match[0]) and is_mixed(match[0])


def _is_argument(match: re.Match[str], before: str) -> bool:
    cue, value = _COMMAND.found(before.lower()), match[0]
    if cue is None:
        return False
    if cue["alone"] is not None:  # a key takes the place of the user, and there is no password
        user, colon, password = value.partition(":")
        return bool(colon) and not password and is_random(user)
    if cue["glued"] is not None:
        return _P_OPTION.match(value) is not None and len(value) >= 6 and value[2:] not in {"assword", "ort"}
    return not is_code(value) and len(value) >= 4


IN_CODE = PatternCheck(
    kind="credential",
    reason="set as a key, token or secret",
    pattern=_VALUE,
    accept=_is_literal,
    opener=_QUOTED_START,
    cue=_IN_CODE,
    tail=_TAIL,
)
_SENTENCE_VALUE = PatternCheck(
    kind="credential",
    reason="said to be a key, token or secret",
    pattern=re.compile(r"[A-Za-z0-9_\-+/]{16,128}={0,2}(?![\w\-\[]|[+/=.][A-Za-z0-9\[])"),
    accept=_behind(_SENTENCE, _is_said),
)
_PASSED_VALUE = PatternCheck(
    kind="credential",
    reason="passed to a client",
    pattern=re.compile(r"[A-Za-z0-9_\-+/]{20,128}={0,2}(?=[\"'])"),
    accept=_behind(_CALL, _is_passed),
)
_COOKIE_VALUE = PatternCheck(
    kind="credential",
    reason="session of somebody",
    pattern=re.compile(r"[A-Za-z0-9_\-+/%.=:]{16,128}"),
    accept=_behind(_COOKIE, _is_cookie),
    tail=Tail(re.compile(r"[\w+/=.\-~%:]*", re.ASCII), closer=False),
)
SQL = PatternCheck(
    kind="credential",
    reason="password of a database user",
    pattern=re.compile(r"""[^ \n"'`;)\\]{4,128}"""),
    accept=_behind(_SQL, _is_said_in_sql),
    opener=VALUE_START,
    cue=_ANY,
    tail=_TAIL,
)
COMMAND = PatternCheck(
    kind="credential",
    reason="password of a command",
    pattern=re.compile(r"""[^ \n"'`;]{4,128}"""),
    accept=_behind(_COMMAND, _is_argument),
    opener=VALUE_START,
    cue=_ANY,
    tail=_TAIL,
)
HASH = PatternCheck(
    kind="credential",
    reason="hash of a password",
    pattern=re.compile(
        r"\$(?:apr1|1|2[aby]|5|6|y|7|argon2(?:id?|d)|scrypt|pbkdf2[a-z0-9\-]*)"
        r"\$[^ \n:\"'`<>$]{2,40}\$?[^ \n:\"'`<>]{20,100}"
    ),
    opener=re.compile(r"(?=\$[a-z0-9\-]{1,16}\$)"),
    needs="$",
)
_JWK_MEMBER = PatternCheck(
    kind="credential",
    reason="private part of a JSON Web Key",
    pattern=re.compile(r"[A-Za-z0-9_\-]{20,128}"),
    accept=_is_key_member,
    tail=_TAIL,
)
_PGPASS = PatternCheck(
    kind="credential",
    reason="password in a .pgpass entry",
    pattern=re.compile(
        r"[A-Za-z0-9][\w.\-]{0,60}:\d{4,5}:\w[\w\-]{0,30}:\w[\w.\-]{0,30}:[^ \n:/\"'`]{4,60}(?=[ \n]|\Z)"
    ),
)


class LongValueCheck:
    """Checks that need a long word with a digit or inner capitals in it, asked only where there is one."""

    kind = "credential"
    run = WORD
    opener = TOKEN_START
    needs = ""
    cue = None
    tail = _TAIL

    def at(self, window: str, start: int) -> Finding | None:
        if _WORTH.match(window, start) is None:
            return None
        for check in (service_key.CHECK, _SENTENCE_VALUE, _PASSED_VALUE, _COOKIE_VALUE, _JWK_MEMBER, _PGPASS):
            found = check.at(window, start)
            if found is not None:
                return found
        return None


CHECKS = (IN_CODE, SQL, COMMAND, HASH, LongValueCheck())
