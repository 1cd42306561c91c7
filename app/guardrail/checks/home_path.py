r"""Paths below somebody's home folder, which name that person: /home/anna/keys, C:\Users\anna\Desktop, ~anna/plans.

Off by default: a handbook for engineers is full of paths. Those of accounts that are nobody's stay.
"""

import re

from app.guardrail.check import PatternCheck, Run

_NOBODY = frozenset((
    "user", "username", "user_name", "user-name", "your-user", "youruser", "your_user", "you", "your-name",
    "yourname", "name", "me", "myuser", "example", "shared", "public", "default", "all", "all-users", "guest",
    "test", "admin", "administrator", "root", "app", "ubuntu", "debian", "centos", "fedora", "alpine", "ec2-user",
    "azureuser", "opc", "core", "pi", "vagrant", "runner", "runneradmin", "jenkins", "gitlab-runner", "git",
    "node", "www-data", "nginx", "postgres", "deploy", "deployer", "ansible", "vscode", "coder", "jovyan",
    "linuxbrew", "containeruser", "containeradministrator", "defaultapppool",
))  # fmt: skip
_USER = r"(?P<user>[^\W\d_][\w.\-@]{0,63})"
_REST = r"""[^\s"'`<>|*?;,()\[\]{}]*"""
_END = r"(?<![.:!])"
_UNIX = re.compile(
    rf"/(?:var/|export/|mnt/[a-z]/|Volumes/\w{{1,24}}/)?(?:home|Users)/{_USER}(?<![.\-])(?:/{_REST}{_END})?"
)
_TILDE = re.compile(rf"~{_USER}/{_REST}{_END}")
_BACK = r"(?:\\\\?|/)"
_SPACED = r"(?P<user>[^\W\d_][\w.\-@]{0,40}(?: [^\W\d_][\w.\-]{0,24}(?=[\\/]))?)"
_WINDOWS = re.compile(
    rf"[A-Z]:{_BACK}(?:Users|Benutzer|Documents and Settings){_BACK}{_SPACED}(?<![.\-])(?:{_BACK}{_REST}{_END})?",
    re.IGNORECASE,
)
_LINE = Run(re.compile(r"[^\n\"<>|*?]*"), 128)


def _of_somebody(match: re.Match[str], _: str) -> bool:
    return match["user"].lower() not in _NOBODY


OPTIONAL = (
    PatternCheck(
        "path",
        "path below a home folder",
        _UNIX,
        accept=_of_somebody,
        opener=re.compile(r"(?<![\w.\-~])/(?=(?:var|export|mnt|Volumes|home|Users)/)"),
        needs="/",
    ),
    PatternCheck(
        "path",
        "path below somebody's home folder",
        _TILDE,
        accept=_of_somebody,
        opener=re.compile(r"(?<![\w.\-~/])~(?=[^\W\d_][\w.\-]{0,63}/)"),
        needs="~",
    ),
    PatternCheck(
        "path",
        "path below a home folder of Windows",
        _WINDOWS,
        accept=_of_somebody,
        run=_LINE,
        opener=re.compile(r"(?<![A-Za-z0-9])[A-Za-z]:(?=[\\/])"),
        needs=":",
    ),
)
