"""Who calls, by whatever they show: the one place that knows keys, sessions and a provider's access tokens."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app import log
from app.admin.refusals import FailedCredential
from app.db.session import Database
from app.errors import NotSignedIn
from app.identity.authenticate import (
    AccessToken,
    identify,
    identify_session,
    identify_token,
    is_session,
    why_dead,
)
from app.identity.subject import Subject
from app.oidc.provider import Provider, ProviderUnavailable
from app.oidc.tokens import Claims, InvalidToken, claimed_issuer, subject_of_claims, verify_access_token

CredentialKind = Literal["none", "wrong", "key", "token", "session"]


@dataclass(frozen=True)
class Credential:
    """`secret` is the key, the token or the session's; `reason` says for the log what is wrong where it is `wrong`."""

    kind: CredentialKind
    secret: str = ""
    on_behalf_of: str | None = None
    reason: str = ""

    def __repr__(self) -> str:
        return f"Credential({self.kind})"


def identify_caller(database: Database, providers: Mapping[str, Provider], credential: Credential) -> Subject:
    """Who calls. Raises NotSignedIn, the same whatever is wrong, and what `identify` raises for a key."""
    if credential.kind in {"none", "wrong"}:
        raise NotSignedIn
    if credential.kind == "token":
        # Before a connection is taken: the provider may have to be asked for its keys.
        token = _access_token(providers, credential.secret)
    with database.anonymous() as session:
        match credential.kind:
            case "key":
                return identify(session, credential.secret, credential.on_behalf_of)
            case "session":
                return identify_session(session, credential.secret)
            case _:
                return identify_token(session, token)


def why_failed(
    database: Database, providers: Mapping[str, Provider], credential: Credential
) -> FailedCredential | None:
    """What the log says of a caller who was refused; None for a session that was ours and is over."""
    match credential.kind:
        case "key":
            with database.anonymous() as session:
                return FailedCredential(*why_dead(session, credential.secret))
        case "session":
            with database.anonymous() as session:
                return None if is_session(session, credential.secret) else FailedCredential("unknown session")
        case "token":
            try:
                source, _ = _verified(providers, credential.secret)
            except (InvalidToken, ProviderUnavailable) as error:
                return FailedCredential(f"token: {error}")
            return FailedCredential(f"token of {source}: nobody here, or somebody who left")
        case _:
            return FailedCredential(credential.reason)


def _access_token(providers: Mapping[str, Provider], secret: str) -> AccessToken:
    try:
        source, claims = _verified(providers, secret)
    except InvalidToken:
        raise NotSignedIn from None
    except ProviderUnavailable as error:
        log.get().warning("oidc.unavailable", reason=str(error))
        raise NotSignedIn from None
    provider = providers[source]
    issued = dt.datetime.fromtimestamp(claims["iat"], dt.UTC)
    return AccessToken(source, provider.settings.issuer, subject_of_claims(claims, provider.settings), issued)


def _verified(providers: Mapping[str, Provider], secret: str) -> tuple[str, Claims]:
    issuer = claimed_issuer(secret)
    provider = next((each for each in providers.values() if each.settings.issuer == issuer), None)
    if provider is None:
        raise InvalidToken("nobody here trusts its issuer")
    return provider.source, verify_access_token(secret, provider.settings, provider.keys)
