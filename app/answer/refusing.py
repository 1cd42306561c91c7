"""Questions that are not answered: the one place where they are judged, and the reply that their askers get.

The verdict is on the question alone, before anything is looked for, so that it tells nothing about any document.
"""

from collections.abc import AsyncGenerator

from anyio.to_thread import run_sync as in_thread

from app.acl.visible import Visible, visible_scopes
from app.answer import conversation_store as conversations
from app.answer.audit_trail import Trail
from app.answer.components import Components
from app.answer.events import AnswerEvent, Delta, Done, Mode, Refusal
from app.answer.replies import reply
from app.db.session import ReadSession
from app.guardrail.credentials import mask_credentials
from app.guardrail.redactor import Redactor
from app.identity.names import known_roles
from app.identity.subject import Subject
from app.indexing.analysis.language import question_language
from app.refusals.judge import judge
from app.refusals.rules import RefusalRules
from app.retrieval.filters import restrict_to_collections


async def is_refused(parts: Components, trail: Trail, question: str) -> bool:
    """Judge a question by the rules of this moment, count what was found, and leave the verdict with the trail."""
    if parts.refusals is None:
        return False
    rules = parts.refusals.rules
    asked = (await in_thread(mask_credentials, question)).text
    roles = await in_thread(exempt_roles_of, parts, trail.subject, rules)
    redact = Redactor(parts.redaction)
    trail.verdict = verdict = await judge(rules, asked, roles, redact=redact)
    for model in verdict.asked:
        if model.out:
            parts.guardrail.model_out(model.model, model.said)
    for ruling in (*verdict.flags, *([verdict.ruling] if verdict.ruling else ())):
        parts.guardrail.ruled(ruling.category, "unchecked" if ruling.outage else ruling.action)
    trail.mark_stage("refusals")
    return verdict.ruling is not None


def exempt_roles_of(parts: Components, subject: Subject, rules: RefusalRules) -> frozenset[str]:
    """Those of the roles that are exempt from something which the subject is in, directly or by nesting."""
    if not rules.exempt_roles:
        return frozenset()
    with parts.database.reading(subject.user_id) as session:
        known = known_roles(session, sorted(rules.exempt_roles))
    return frozenset(name for name, role in known.items() if role in subject.roles)


def open_refused(parts: Components, trail: Trail, question: str, mode: Mode) -> str:
    """Commit the record of a question that is refused; returns the question without credentials. Nothing was looked
    for. Raises for a conversation or a collection that is not the subject's, as for any question.
    """
    asked, subject = mask_credentials(question).text, trail.subject

    def read(session: ReadSession) -> Visible:
        visible = visible_scopes(session, subject)
        if trail.conversation is not None:
            conversations.require_own(session, subject, trail.conversation)
        _, trail.collection_ids = restrict_to_collections(session, subject, visible, trail.collections)
        return visible

    visible = parts.database.retrieve(subject.user_id, read)
    trail.open(parts, asked, visible, mode=mode, context=None, route=None)
    trail.mark_stage("audit")
    return asked


async def refuse(trail: Trail, mode: Mode, asked: str) -> AsyncGenerator[AnswerEvent, None]:
    """What the category says to who asks such a question, in the language of the question."""
    if trail.verdict is None or trail.verdict.ruling is None:
        raise ValueError("a question that is not refused")
    ruling, language = trail.verdict.ruling, question_language(asked)
    text = reply("unchecked", language) if ruling.outage else ruling.message(language)
    trail.end("refused", ":".join(("Refusal", ruling.category, ruling.rule)))
    trail.output.append(text)
    refusal = Refusal(ruling.category, "redirect" if ruling.action == "redirect" else "refuse", ruling.outage)
    done = trail.completed(Done(trail.id, mode, "refused", (), conversation=trail.conversation, refusal=refusal))
    yield Delta(text)
    yield done
