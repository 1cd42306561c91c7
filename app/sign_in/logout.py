"""Ends that a provider brings about: somebody signed out there, and every session that began so ends."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.session import Database
from app.db.tables.people import User
from app.db.tables.sign_in import SignInSession, UsedLogoutToken
from app.identity.authenticate import person_behind, reader_of
from app.oidc.provider import Provider
from app.oidc.tokens import LEEWAY_SECONDS, LOGOUT_SECONDS, Claims, InvalidToken, verify_logout_token
from app.sign_in.sessions import end_sessions

CAUSE = "signed out at the provider"


def end_by_provider(database: Database, provider: Provider, token: str) -> int:
    """End the sessions that a logout token names: one by its `sid`, or all of its `sub`; how many that were.

    Raises InvalidToken, also for a token that was taken before, and ProviderUnavailable.
    """
    claims = verify_logout_token(token, provider.settings, provider.keys)
    _take_once(database, provider, claims)
    ended = 0
    for user_id, ids in _named(database, provider, claims).items():
        with database.writing(user_id) as session:
            who = reader_of(session, session.get_one(User, user_id))
            ended += end_sessions(
                session, who, session.scalars(select(SignInSession).where(SignInSession.id.in_(ids))), CAUSE
            )
    return ended


def _take_once(database: Database, provider: Provider, claims: Claims) -> None:
    with database.anonymous() as session:
        session.execute(delete(UsedLogoutToken).where(UsedLogoutToken.expires_at <= func.now()))
        until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2 * (LOGOUT_SECONDS + LEEWAY_SECONDS))
        values = {"issuer": provider.settings.issuer, "jti": claims["jti"], "expires_at": until}
        taken = insert(UsedLogoutToken).values(**values).on_conflict_do_nothing().returning(UsedLogoutToken.jti)
        if session.scalar(taken) is None:
            raise InvalidToken("it was taken before")


def _named(database: Database, provider: Provider, claims: Claims) -> dict[uuid.UUID, Sequence[uuid.UUID]]:
    """The living sessions that the token means, by their person. With both `sid` and `sub`, both have to fit."""
    query = select(SignInSession.user_id, SignInSession.id).where(
        SignInSession.source == provider.source, SignInSession.ended_at.is_(None)
    )
    if "sid" in claims:
        query = query.where(SignInSession.provider_session == claims["sid"])
    by_person = "sub" in claims and provider.settings.subject_claim == "sub"
    if not by_person and "sid" not in claims:
        raise InvalidToken("it names no session, and people of this provider are not known by its `sub`")
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    with database.anonymous() as session:
        if by_person:
            person = person_behind(session, provider.source, provider.settings.issuer, claims["sub"])
            query = query.where(SignInSession.user_id == (None if person is None else person.id))
        for user_id, session_id in session.execute(query):
            found.setdefault(user_id, []).append(session_id)
    return dict(found)
