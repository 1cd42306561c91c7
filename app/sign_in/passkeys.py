"""Passkeys (WebAuthn): added by a person in their session, and good for signing in without a name or a password.

A challenge is a sign-in on its way (`attempts`): good once, for a few minutes, and for the browser or session that
asked for it. The authenticator has to have checked who uses it, and we keep the public half of its key alone.
"""

import ipaddress
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, decode_credential_public_key, options_to_json_dict
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decoded_public_key_to_cryptography import decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.acl.change_guard import guard_change
from app.audit.actor import actor
from app.audit.events.base import SealedText
from app.audit.events.sign_in import PasskeyCreated
from app.audit.log import record
from app.db.session import Database
from app.db.tables.people import User
from app.db.tables.sign_in import Passkey
from app.errors import Conflict, InvalidInput, MissingCapability, SignInNotAllowed
from app.identity.subject import Subject, require_in_person
from app.sign_in.attempts import AGAIN, NewAttempt, begin_attempt, take_attempt
from app.sign_in.passkey_list import PasskeyView, own_passkeys, view_of

Credential = Mapping[str, Any]
SERVICE = "Clearance"
NOT_OFFERED = (
    "Passkeys belong to a name, and this service is reached by a number. An administrator can give it a name with "
    "CLEARANCE_SIGN_IN__PUBLIC_URL."
)
NOT_TAKEN = "This passkey cannot be added: it was made for another site, or the device did not check who you are."
ADD_AGAIN = "This took too long, was begun in another session, or was finished before. Add the passkey again."
MAX_PASSKEYS = 20
MAX_CREDENTIAL_ID = 1023  # bytes, by the specification
ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
# What the library raises for bytes that somebody made up: its own errors, and those of what it is built on.
_UNREADABLE = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


class PasskeyRefused(Exception):
    """Somebody is not signed in by a passkey. The reason is for the log: the caller is told the same of all."""

    def __init__(self, reason: str, passkey: uuid.UUID | None = None) -> None:
        super().__init__(reason)
        self.reason = f"passkey: {reason}"
        self.prefix = None if passkey is None else f"passkey:{passkey}"


@dataclass(frozen=True)
class RelyingParty:
    """Whom passkeys are for, in the words of WebAuthn: the host name of the public URL, and exactly that origin."""

    id: str
    origin: str


@dataclass(frozen=True)
class PasskeySignIn:
    """Who signed in with a passkey, and where they were going."""

    user_id: uuid.UUID
    return_to: str


def relying_party(origin: str) -> RelyingParty:
    """Raises InvalidInput where the public URL has an IP address: browsers make no passkeys for one."""
    host = urlsplit(origin).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, origin)
    raise InvalidInput(NOT_OFFERED)


def offers_passkeys(origin: str) -> bool:
    """Whether browsers can use passkeys at this origin."""
    try:
        relying_party(origin)
    except InvalidInput:
        return False
    return True


def begin_registration(database: Database, subject: Subject, origin: str) -> dict[str, Any]:
    """What the browser hands to the authenticator to make a passkey, once, within this session."""
    _require_session(subject)
    party = relying_party(origin)
    with database.anonymous() as session:
        user = session.get_one(User, subject.user_id)
        attempt = begin_attempt(session, "passkey.new", {"user": str(subject.user_id)}, browser=_session_of(subject))
        options = generate_registration_options(
            rp_id=party.id,
            rp_name=SERVICE,
            user_id=subject.user_id.bytes,
            user_name=subject.name,
            user_display_name=user.display_name,
            challenge=base64url_to_bytes(attempt.state),
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=each.credential_id) for each in own_passkeys(session, subject)
            ],
            supported_pub_key_algs=ALGORITHMS,
        )
    return options_to_json_dict(options)


def finish_registration(
    database: Database, subject: Subject, origin: str, credential: Credential, label: str
) -> PasskeyView:
    """Keep the passkey that the browser made for the options of this session. The attempt is spent whatever follows.

    Raises InvalidInput for one that does not verify, and Conflict for one that is known or is one too many.
    """
    _require_session(subject)
    party = relying_party(origin)
    challenge = _take(database, "passkey.new", credential, _session_of(subject))
    try:
        verified = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        # The library takes any point as a key here, and stumbles over it at the first sign-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
    except _UNREADABLE:
        raise InvalidInput(NOT_TAKEN) from None
    if len(verified.credential_id) > MAX_CREDENTIAL_ID:
        raise InvalidInput(NOT_TAKEN)
    with database.writing(subject.user_id) as session:
        guard_change(session, subject)
        if len(own_passkeys(session, subject)) >= MAX_PASSKEYS:
            raise Conflict(f"You have {MAX_PASSKEYS} passkeys; remove one that you no longer use.")
        new = {
            "user_id": subject.user_id,
            "credential_id": verified.credential_id,
            "public_key": verified.credential_public_key,
            "sign_count": verified.sign_count,
            "label": label,
        }
        made = session.scalar(insert(Passkey).values(**new).on_conflict_do_nothing().returning(Passkey))
        if made is None:
            raise Conflict("This passkey is known here already.")
        words = SealedText(made.label, person=made.user_id)
        record(session, PasskeyCreated(actor=actor(subject), user=made.user_id, passkey=made.id, label=words))
        return view_of(made, subject.name)


def begin_sign_in(
    database: Database, origin: str, *, return_to: str, browser: str | None
) -> tuple[dict[str, Any], NewAttempt]:
    """What the browser asks its authenticators for, naming nobody; and what stays with it in a cookie."""
    party = relying_party(origin)
    with database.anonymous() as session:
        attempt = begin_attempt(session, "passkey", {"return_to": return_to}, browser=browser)
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=base64url_to_bytes(attempt.state),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options), attempt


def finish_sign_in(database: Database, origin: str, credential: Credential, browser: str | None) -> PasskeySignIn:
    """Who signs in with this passkey. The attempt is spent whatever follows.

    Raises SignInNotAllowed for a challenge that is over or another browser's, and PasskeyRefused for all else.
    """
    party = relying_party(origin)
    client = _client_data(credential)
    with database.anonymous() as session:
        details = take_attempt(session, "passkey", client["challenge"], browser)
    with database.anonymous() as session:
        passkey = _find(session, credential)
    try:
        verified = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=base64url_to_bytes(client["challenge"]),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            # Compared below, when the signature is known to be good: before that the count is anybody's word.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise PasskeyRefused(f"it does not verify ({type(error).__name__})", passkey.id) from None
    _use(database, passkey, verified.new_sign_count)
    return PasskeySignIn(passkey.user_id, str(details["return_to"]))


def _require_session(subject: Subject) -> None:
    """A key that was stolen must not leave a way in behind that outlives it."""
    require_in_person(subject)
    if subject.means != "session":
        raise MissingCapability("Sign in with a browser to add a passkey: no key or token can do it.")


def _session_of(subject: Subject) -> str:
    """What stands for the browser while a passkey is added: the session, which the request has shown."""
    return f"session:{subject.key_id}"


def _take(database: Database, kind: str, credential: Credential, browser: str) -> bytes:
    """The challenge that the credential answers, which is spent by this."""
    try:
        state = _client_data(credential)["challenge"]
        with database.anonymous() as session:
            take_attempt(session, kind, state, browser)
    except SignInNotAllowed:
        raise InvalidInput(ADD_AGAIN) from None
    return base64url_to_bytes(state)


def _client_data(credential: Credential) -> dict[str, Any]:
    """What the browser says it asked the authenticator for: the challenge, which is our state of the attempt."""
    try:
        data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        if not isinstance(data["challenge"], str) or data.get("crossOrigin"):
            raise SignInNotAllowed(AGAIN)
    except _UNREADABLE:
        raise SignInNotAllowed(AGAIN) from None
    return dict(data)


def _find(session: Session, credential: Credential) -> Passkey:
    """The living passkey of this credential, if it is of the person whom the authenticator names."""
    try:
        credential_id = base64url_to_bytes(credential["rawId"])
        handle = base64url_to_bytes(credential["response"]["userHandle"])
    except _UNREADABLE:
        raise PasskeyRefused("unreadable") from None
    query = select(Passkey, User.active).join(User, User.id == Passkey.user_id)
    found = session.execute(query.where(Passkey.credential_id == credential_id, User.kind == "person")).one_or_none()
    if found is None:
        raise PasskeyRefused("unknown")
    passkey, active = found
    if passkey.revoked_at is not None:
        raise PasskeyRefused("revoked", passkey.id)
    if not active:
        raise PasskeyRefused("of somebody who is switched off", passkey.id)
    if handle != passkey.user_id.bytes:
        raise PasskeyRefused("it names another person than its owner", passkey.id)
    session.expunge(passkey)
    return passkey


def _use(database: Database, passkey: Passkey, count: int) -> None:
    """Note the use, unless it was revoked meanwhile or its count did not grow: then two authenticators hold its key.

    Authenticators that do not count say zero always.
    """
    grows = Passkey.sign_count < count if count else Passkey.sign_count == 0
    with database.writing(passkey.user_id) as session:
        living = update(Passkey).where(Passkey.id == passkey.id, Passkey.revoked_at.is_(None), grows)
        used = living.values(sign_count=count, last_used_at=func.now()).returning(Passkey.id)
        if session.scalar(used) is None:
            raise PasskeyRefused("its count went back, so a copy of it may be in use", passkey.id)
