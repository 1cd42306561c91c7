"""Accounts, tenants and clients of a cloud, where configuration sets them.

They are no secrets, but they say whose cloud it is and stand beside what opens it. In a sentence ("our account for
tests is …") they stay, for there somebody asks for them.
"""

import re

from app.guardrail.check import Cue, PatternCheck, Run
from app.guardrail.values import VALUE_START

_CLOUD = r"(?:aws|amazon|azure|arm|ad|aad|entra|ms|msal|microsoft|graph|o365|m365|gcp)"
_CUE = Cue(
    ("account_id", "accountid", "account-id", "tenant_id", "tenantid", "tenant-id",
     "client_id", "clientid", "client-id",
     "subscription_id", "subscriptionid", "subscription-id"),
    re.compile(
        rf"(?:(?P<account>aws[_\-]?account[_\-]?id)|(?:{_CLOUD}[_\-]?)(?:client|subscription)[_\-]?id|tenant[_\-]?id)"
        r"""["']?\]? ?(?:=>|:=|=|:) ?["']?\Z"""
    ),
)  # fmt: skip
_VALUE = re.compile(
    r"(?P<number>\d{4}-?\d{4}-?\d{4})(?![\w\-])|(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![\w\-])"
)


def _is_account(match: re.Match[str], before: str) -> bool:
    cue = _CUE.found(before.lower())
    return cue is not None and (match["number"] is not None) == (cue["account"] is not None)


CHECK = PatternCheck(
    kind="customer number",
    reason="account, tenant or client of a cloud",
    pattern=_VALUE,
    accept=_is_account,
    run=Run(re.compile(r"[0-9A-Fa-f\-]{0,37}"), 37, min_extent=12),
    opener=VALUE_START,
    cue=_CUE,
)
