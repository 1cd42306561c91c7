"""Signing in with an identity provider: off to it, back with a code, and whom its subject stands for here."""

import contextlib
import datetime as dt
import secrets
import time
import uuid
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert

from app import log
from app.acl.change_guard import guard_change
from app.admin.claimed_roles import set_claimed_roles
from app.admin.provisioning import PersonDetails, create_person
from app.audit.encryption import Sealer
from app.db.session import Database
from app.db.tables.people import User
from app.db.tables.sign_in import SignInIdentity
from app.errors import Conflict, SignInNotAllowed, SignInUnavailable
from app.identity.authenticate import person_behind, provisioner_of
from app.identity.subject import Subject
from app.oidc.provider import Provider, ProviderUnavailable
from app.oidc.tokens import (
    LEEWAY_SECONDS,
    Claims,
    InvalidToken,
    groups_of_claims,
    subject_of_claims,
    verify_id_token,
)
from app.sign_in.attempts import NewAttempt, begin_attempt, take_attempt
from app.sign_in.sessions import Proof

OFF = "You are switched off here. Ask an administrator."


@dataclass(frozen=True)
class Departure:
    """Where the browser goes, and the secret that stays with it until it comes back."""

    url: str
    attempt: NewAttempt


@dataclass(frozen=True)
class Arrival:
    """Who came back, how they showed it, and where they were going."""

    user_id: uuid.UUID
    proof: Proof
    return_to: str


@dataclass(frozen=True)
class Callback:
    """What the browser brought back from a provider; `browser` is the secret that stayed with it."""

    state: str
    browser: str | None
    code: str | None
    issuer: str | None


def redirect_uri(public_url: str, source: str) -> str:
    """The one address to which this provider sends people back: one for each, so that none answers for another."""
    return f"{public_url}/sign-in/{source}/callback"


def depart(
    database: Database, provider: Provider, public_url: str, *, return_to: str, again: bool, browser: str | None
) -> Departure:
    """Begin a sign-in at the provider. `again`: it is to ask, though somebody is signed in there.

    Raises SignInUnavailable, or SignInNotAllowed when too many are on their way.
    """
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    details = {
        "source": provider.source,
        "nonce": nonce,
        "verifier": verifier,
        "return_to": return_to,
        "again_since": int(time.time()) if again else None,
    }
    with database.anonymous() as session:
        attempt = begin_attempt(session, "provider", details, browser=browser)
    try:
        url = provider.authorization_url(
            redirect_uri=redirect_uri(public_url, provider.source),
            state=attempt.state,
            nonce=nonce,
            verifier=verifier,
            again=again,
        )
    except ProviderUnavailable as error:
        raise _unavailable(provider, error) from None
    return Departure(url, attempt)


def arrive(
    database: Database,
    provider: Provider,
    sealer: Sealer,
    public_url: str,
    answer: Callback,
) -> Arrival:
    """Finish a sign-in: whoever the provider vouches for, if they may come in.

    The attempt is spent whatever follows. Raises SignInNotAllowed; InvalidToken with the reason, for the log, where the
    answer is not to be believed; SignInUnavailable.
    """
    with database.anonymous() as session:
        details = take_attempt(session, "provider", answer.state, answer.browser)
    if details["source"] != provider.source:
        raise InvalidToken("another provider answers than was asked")
    _check_issuer(provider, answer.issuer)
    if answer.code is None:
        raise SignInNotAllowed(f"{provider.label} did not sign you in. Begin again at /sign-in.")
    try:
        token = provider.exchange(
            answer.code, verifier=details["verifier"], redirect_uri=redirect_uri(public_url, provider.source)
        )
        claims = verify_id_token(token, provider.settings, provider.keys, nonce=details["nonce"])
    except ProviderUnavailable as error:
        raise _unavailable(provider, error) from None
    since = details["again_since"]
    if since is not None and not isinstance(claims.get("auth_time"), int | float):
        raise InvalidToken("it does not say when the person signed in")
    if since is not None and claims["auth_time"] < since - LEEWAY_SECONDS:
        raise InvalidToken("the person was not asked again")
    user = _person(database, provider, sealer, claims)
    roles = _take_groups(database, provider, user, claims)
    sid = claims.get("sid")
    proof = Proof("provider", provider.source, sid if isinstance(sid, str) else None, token, roles)
    return Arrival(user, proof, details["return_to"])


def _check_issuer(provider: Provider, given: str | None) -> None:
    """The issuer in the answer itself (RFC 9207), where the provider sends one: else one could answer for another."""
    try:
        sends = bool(provider.metadata().get("authorization_response_iss_parameter_supported"))
    except ProviderUnavailable as error:
        raise _unavailable(provider, error) from None
    if given != provider.settings.issuer and (given is not None or sends):
        raise InvalidToken("another issuer answers than was asked")


def _unavailable(provider: Provider, error: ProviderUnavailable) -> SignInUnavailable:
    log.get().warning("oidc.unavailable", source=provider.source, reason=str(error))
    return SignInUnavailable(f"{provider.label} does not answer as it should; try again in a moment.")


def _person(database: Database, provider: Provider, sealer: Sealer, claims: Claims) -> uuid.UUID:
    """The person whom the claims are about; a new one where policy says so. Raises SignInNotAllowed."""
    subject = subject_of_claims(claims, provider.settings)
    found = _known(database, provider, subject)
    if found is None and provider.settings.create_people:
        _create(database, provider, sealer, claims)
        found = _known(database, provider, subject)
    if found is None:
        raise SignInNotAllowed("You are not among the people who were set up here. Ask an administrator to let you in.")
    if not found.active:
        raise SignInNotAllowed(OFF)
    return found.id


def _known(database: Database, provider: Provider, subject: str) -> User | None:
    with database.anonymous() as session:
        found = person_behind(session, provider.source, provider.settings.issuer, subject)
        if found is not None:
            session.expunge(found)
        return found


def _create(database: Database, provider: Provider, sealer: Sealer, claims: Claims) -> None:
    """Make the person in the name of the service that keeps this source. Another sign-in may have been faster."""
    keeper = _keeper(database, provider)
    if keeper is None:
        raise SignInNotAllowed(
            f"Nobody keeps the people of '{provider.source}' yet. An administrator lets it make people with "
            f"'clearance people add-service {provider.source}-sign-in --provisions {provider.source}'."
        )
    subject = subject_of_claims(claims, provider.settings)
    former = select(exists().where(User.source == provider.source, User.former_external_id == subject))
    with database.anonymous() as session:
        if session.scalar(former):
            raise SignInNotAllowed(OFF)
    name = str(claims.get(provider.settings.name_claim) or claims.get("name") or subject)
    shown = str(claims.get("name") or name)[:200]
    with contextlib.suppress(Conflict), database.writing(keeper.user_id) as session:
        person = PersonDetails(name, shown, subject)
        create_person(session, keeper, sealer, provider.source, person)


def _keeper(database: Database, provider: Provider) -> Subject | None:
    with database.anonymous() as session:
        return provisioner_of(session, provider.source)


def _take_groups(database: Database, provider: Provider, user_id: uuid.UUID, claims: Claims) -> str | None:
    """Note as whom the person signed in; give them the roles of the groups that the claim lists, and take the others.

    A claim that does not say is no reason to keep any: `unknown`. Roles that a directory gave directly stay as they
    are. None: the provider's claims change no role, or the person is of another source.
    """
    identity = {
        "issuer": provider.settings.issuer,
        "subject": subject_of_claims(claims, provider.settings),
        "user_id": user_id,
    }
    keeper = _keeper(database, provider)
    if keeper is None:
        with database.writing(user_id) as session:
            session.execute(insert(SignInIdentity).values(**identity).on_conflict_do_nothing())
        return None
    groups = groups_of_claims(claims, provider.settings)
    with database.writing(keeper.user_id) as session:
        guard_change(session, keeper)
        user = session.get_one(User, user_id)
        if user.source != provider.source:
            return None
        now = session.scalars(select(func.now())).one()
        until = now + dt.timedelta(hours=provider.settings.groups_hours)
        said = {
            "user_id": user_id,
            "groups": None if groups is None else sorted(groups),
            "groups_until": None if groups is None else until,
        }
        keys = [SignInIdentity.issuer, SignInIdentity.subject]
        session.execute(
            insert(SignInIdentity).values(**identity | said).on_conflict_do_update(index_elements=keys, set_=said)
        )
        if not provider.settings.groups_claim:
            return None
        set_claimed_roles(session, keeper, user, groups or frozenset(), until)
    return "unknown" if groups is None else "known"
