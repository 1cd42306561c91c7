"""Answers with pseudonyms, whose trails are closed as those of the service are."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from app.acl.visible import visible_scopes
from app.answer.audit_trail import Trail
from app.answer.components import Components
from app.guardrail.policy.pseudonyms import Pseudonym
from app.guardrail.redaction import Redaction
from tests.support.company import Company
from tests.support.service import subject_named


def chunks_of(company: Company, collection: str, path: str) -> frozenset[uuid.UUID]:
    """The passages of a document, by their public ids."""
    statement = "select c.public_id from chunk c join document d on d.id = c.document_id where d.public_id = %s"
    return frozenset(row["public_id"] for row in company.rows(statement, [company.documents[collection, path]]))


@dataclass
class Given:
    """What an answer's policy says at its end, without a policy."""

    pseudonyms: tuple[Pseudonym, ...]
    shown: Mapping[str, int] = field(default_factory=dict)
    shown_in: tuple[uuid.UUID, ...] = ()
    digest: str = ""


def answered(parts: Components, asker: str, *pseudonyms: Pseudonym) -> uuid.UUID:
    """The trail of an answer that this person was given, with these pseudonyms in it."""
    subject = subject_named(parts, asker)
    with parts.database.reading(subject.user_id) as session:
        visible = visible_scopes(session, subject)
    trail = Trail(subject)
    trail.open(parts, "Whom do I call?", visible, mode="quote", context=None, route=None)
    trail.redaction = cast("Redaction", Given(pseudonyms))
    trail.end("quoted")
    trail.close(parts)
    return trail.id
