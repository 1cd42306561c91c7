"""Addresses that are themselves the secret: incoming webhooks and pre-signed storage links."""

import re

from app.guardrail.check import PatternCheck, Tail

_URL = re.compile(
    r"(?<![A-Za-z0-9])https://(?:hooks\.slack\.com/(?:services|workflows|triggers)/|(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d|"
    r"[\w\-]+\.webhook\.office\.com/webhookb2/|outlook\.office\.com/webhook/|hooks\.zapier\.com/hooks/catch/\d|"
    r"chat\.googleapis\.com/v1/spaces/[\w\-]+/messages\?key=)[^ \n\"'`<>)\]]{8,}"
)

CHECK = PatternCheck(
    kind="credential",
    reason="webhook address",
    pattern=_URL,
    opener=re.compile(r"(?<![A-Za-z0-9])(?=https://)"),
    needs="https://",
    tail=Tail(re.compile(r"[^ \n\"'`<>)\]]*"), closer=False),
)
