"""POST /guardrail/check: what the guardrail would hide in a text (administer)."""

from fastapi import APIRouter
from pydantic import Field

from app.admin.guardrail_check import check_text
from app.guardrail.policy.values import ReadableText
from app.identity.subject import Label
from app.settings.section import LabelName
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Administrator, ComponentsOf

router = APIRouter(prefix="/guardrail", tags=["health"])

MAX_TEXT = 60_000  # characters; the body is 64 KB at most


class GuardrailTextBody(ApiModel):
    """A text to try. Nothing of it is kept."""

    text: str = Field(min_length=1, max_length=MAX_TEXT, examples=["Write to ben@example.org."])
    roles: list[str] = Field([], max_length=100, description="of the reader, by name: what the policy has them see")
    label: LabelName = Field("internal", description="of the document that the text stands in")


class HiddenSpanOut(ApiModel):
    """What one placeholder stands for: characters start..end of the text, and the first finding in them."""

    start: int
    end: int
    kind: str
    action: str = Field(description="what the policy does with it; keep: it is shown")
    reason: str
    rule: str = Field(description="the check that found it, by its name in the code, or the reading")


class GuardrailCheckOut(ApiModel):
    """What would be hidden, in order, and the text as a reader would see it."""

    hidden: list[HiddenSpanOut]
    redacted: str


@router.post("/check")
def check_guardrail(body: GuardrailTextBody, subject: Administrator, parts: ComponentsOf) -> GuardrailCheckOut:
    """Show what the guardrail would hide in a text from who has these roles, why and by which rule (administer)."""
    redaction = parts.policy.current.redaction_for(frozenset(body.roles), ReadableText(Label.parse(body.label)))
    found = check_text(parts.database, subject, body.text, redaction)
    spans = [HiddenSpanOut.model_validate(span) for span in found.spans]
    return GuardrailCheckOut(hidden=spans, redacted=found.redacted)
