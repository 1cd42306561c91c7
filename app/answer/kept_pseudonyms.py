"""Keeps what the pseudonyms of an answer stand for: sealed under the key of who asked, for a while."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from app import log
from app.audit.encryption import Sealer, seal
from app.audit.events.base import SealedText
from app.db.session import WriteSession
from app.guardrail.policy.pseudonyms import MAX_VALUE, Pseudonym, place_of
from app.identity.subject import Subject
from app.retrieval.pseudonym_rows import SealedPseudonym, add_pseudonyms

NEVER_KEPT = "credential"


def keep_pseudonyms(  # whose answer, what, sealed how, for how long
    session: WriteSession,
    subject: Subject,
    trail: uuid.UUID,
    pseudonyms: Sequence[Pseudonym],
    sealer: Sealer,
    expires: dt.timedelta,
) -> bool:
    """Keep them inside the caller's transaction, which must be the subject's; says whether that could be done.

    What is left out is never revealed: credentials, values that are too long, and those of which the subject may no
    longer read a passage. A failure is no reason to lose the caller's own record.
    """
    kept = [each for each in pseudonyms if each.kind != NEVER_KEPT and len(each.value) <= MAX_VALUE and each.chunks]
    if len(kept) < len(pseudonyms):
        log.get().warning("pseudonyms.left_out", trail=str(trail), count=len(pseudonyms) - len(kept))
    if not kept:
        return True
    refused = ""
    # A document that moves to another scope in this very moment is found there at the second try.
    for _ in range(2):
        try:
            with session.begin_nested():
                key = sealer.ensure_key(session, subject.user_id)
                add_pseudonyms(session, subject, trail, [_sealed(key, trail, each) for each in kept], expires)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            refused = type(error.orig).__name__
        else:
            return True
    log.get().error("pseudonyms.not_kept", trail=str(trail), error=refused)
    return False


def _sealed(key: bytes, trail: uuid.UUID, each: Pseudonym) -> SealedPseudonym:
    value = seal(key, SealedText(each.value), record=trail, field=place_of(each.kind, each.number))
    return SealedPseudonym(each.kind, each.number, value, each.chunks)
