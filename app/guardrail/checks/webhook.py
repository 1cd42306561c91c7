"""Addresses that are themselves the secret: incoming webhooks and pre-signed storage links."""

import re

from app.guardrail.check import PatternCheck, Tail

_HOSTS = (
    r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/",
    r"(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d",
    r"[\w\-]+\.webhook\.office\.com/webhookb2/",
    r"outlook\.office\.com/webhook/",
    r"[\w\-.]+\.logic\.azure\.com(?::443)?/workflows/",
    r"hooks\.zapier\.com/hooks/(?:catch|standard)/\d",
    r"hook\.(?:\w+\.)?(?:make|integromat)\.com/",
    r"chat\.googleapis\.com/v1/spaces/[\w\-]+/messages\?key=",
    r"maker\.ifttt\.com/trigger/\w+/(?:json/)?with/key/",
    r"api\.telegram\.org/(?:file/)?bot\d{6,12}:",
    r"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/",
    r"oapi\.dingtalk\.com/robot/send\?access_token=",
    r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=",
    r"events\.pagerduty\.com/integration/",
    r"[\w\-]+\.infura\.io/(?:ws/)?v3/",
    r"[\w\-]+\.g\.alchemy\.com/v2/",
    r"[\w\-.]+\.quiknode\.pro/",
    r"rpc\.ankr\.com/\w+/",
    r"[0-9a-f]{32}(?::[0-9a-f]{32})?@[\w.\-]*sentry\.",
)
_URL = re.compile(rf"(?<![A-Za-z0-9])https://(?:{'|'.join(_HOSTS)})(?=[^ \n]{{0,80}}\d)[^ \n\"'`<>)\]]{{4,}}")

CHECK = PatternCheck(
    kind="credential",
    reason="webhook address",
    pattern=_URL,
    opener=re.compile(r"(?<![A-Za-z0-9])(?=https://)"),
    needs="https://",
    tail=Tail(re.compile(r"[^ \n\"'`<>)\]]*"), closer=False),
)
