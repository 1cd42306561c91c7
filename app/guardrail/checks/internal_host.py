r"""Names of machines in the house, and what they share: db-3.corp.example.internal, printer.lan, \\server\share.

Off by default: a handbook for engineers is full of them.
"""

import re

from app.guardrail.check import PatternCheck

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
# Zones that no public name server answers for, and labels that say the same of a zone that one does answer for.
_ZONE = r"(?:internal|intranet|lan|local|localdomain|corp|private|home\.arpa)"
_WITHIN = r"(?:internal|intranet|intern|intra|corp|lan)"
_PORT = r"(?::\d{1,5}(?!\d))?"
_ENDS = r"(?![A-Za-z0-9_]|-\w|\.[A-Za-z0-9])"
_NAME = re.compile(
    rf"(?:{_LABEL}\.){{1,8}}?(?:{_ZONE}{_ENDS}|{_WITHIN}\.(?:{_LABEL}\.){{0,4}}[A-Za-z]{{2,24}}{_ENDS}){_PORT}",
    re.IGNORECASE,
)
# In Markdown and in code each backslash may be two.
_SHARE = re.compile(rf"\\\\(?:\\\\)?{_LABEL}(?:\.{_LABEL}){{0,6}}(?:\\{{1,2}}[\w$.\-]+)+(?<![.\-])")
OPTIONAL = (
    PatternCheck(
        "host",
        "name of a machine in the house",
        _NAME,
        opener=re.compile(r"(?<![A-Za-z0-9._\-\\@])[A-Za-z0-9](?=[A-Za-z0-9\-]{0,62}\.[A-Za-z0-9])"),
        needs=".",
    ),
    PatternCheck(
        "host",
        "share on a machine in the house",
        _SHARE,
        opener=re.compile(r"(?<![\\\w])\\\\(?=(?:\\\\)?[A-Za-z0-9])"),
        needs="\\\\",
    ),
)
