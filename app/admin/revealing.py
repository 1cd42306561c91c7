"""What a pseudonym of an answer stands for, for who may reveal (`reveal`) and reads a passage now in which it stands.

Each attempt is recorded, with its reason and without the value, and the record is committed before the value is given.
Whether there is such an answer or pseudonym, and whether it is over, is told to nobody else: all of it is not found.
"""

import re

from sqlalchemy.exc import DBAPIError

from app import log
from app.acl.visible import visible_scopes
from app.admin.reasons import checked_reason
from app.audit.actor import actor
from app.audit.encryption import SealBroken, Sealer, unseal
from app.audit.events.base import Event, SealedText
from app.audit.events.guardrail import PseudonymRefused, PseudonymRevealed
from app.audit.log import record
from app.db.session import Database, WriteSession
from app.errors import DatabaseUnavailable, InvalidInput, NotFound
from app.guardrail.policy.pseudonyms import KIND_PATTERN, place_of
from app.identity.subject import Capability, Subject, require_capability, require_in_person
from app.retrieval.pseudonym_rows import FoundPseudonym, NamedPseudonym, find_pseudonym

MAX_NUMBER = 1_000_000
_KIND = re.compile(KIND_PATTERN)


def reveal(database: Database, sealer: Sealer, subject: Subject, named: NamedPseudonym, reason: str) -> str:
    """What it stands for, once the record of this look is committed.

    Raises MissingCapability, InPersonNeeded, InvalidInput for a reason that is none, and DatabaseUnavailable where the
    log cannot be written. Raises NotFound, which is recorded too, for whatever else keeps it from the subject.
    """
    require_capability(subject, Capability.REVEAL)
    require_in_person(subject)
    why = SealedText(checked_reason(reason, "the value is to be revealed"))
    if not (_KIND.fullmatch(named.kind) and 1 <= named.number <= MAX_NUMBER):
        raise InvalidInput("Name a pseudonym as the answer does: its kind, such as phone, and its number.")
    try:
        with database.writing(subject.user_id) as session:
            found = find_pseudonym(session, visible_scopes(session, subject), named)
            value = None if found is None else _opened(session, sealer, named, found)
            record(session, _event(subject, named, why, found if value is not None else None))
    except DBAPIError as error:
        raise DatabaseUnavailable("The audit log cannot be written, so nothing is revealed.") from error
    if value is None:
        raise NotFound
    return value


def _opened(session: WriteSession, sealer: Sealer, named: NamedPseudonym, found: FoundPseudonym) -> str | None:
    """The value, or None: the key of who asked is gone, or this is not what was sealed."""
    field = place_of(named.kind, named.number)
    try:
        key = sealer.find_key(session, found.asker)
        return None if key is None else unseal(key, found.sealed, record=named.trail, field=field).text
    except SealBroken:
        log.get().error("pseudonym.unreadable", trail=str(named.trail))
        return None


def _event(subject: Subject, named: NamedPseudonym, why: SealedText, given: FoundPseudonym | None) -> Event:
    """The record of a look, which gave this or nothing."""
    who = actor(subject)
    if given is None:
        return PseudonymRefused(actor=who, answer=named.trail, redaction=named.kind, number=named.number, reason=why)
    return PseudonymRevealed(
        actor=who,
        answer=named.trail,
        redaction=named.kind,
        number=named.number,
        reason=why,
        chunk=given.chunk,
        document=given.document,
    )
