"""An authenticator in software: makes passkeys (ES256, attestation none) and signs, rightly or as it is told."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class HeldPasskey:
    """The private half of a passkey, and for whom it was made."""

    id: bytes
    key: ec.EllipticCurvePrivateKey
    user: bytes
    count: int = 0


@dataclass(frozen=True)
class Behaviour:
    """What browser and authenticator say; the defaults are the truth."""

    origin: str = "http://localhost:8700"
    rp_id: str = "localhost"
    verified: bool = True
    present: bool = True
    counts: bool = True
    cross_origin: bool = False


@dataclass
class Authenticator:
    """A device with its passkeys, and the browser in front of it."""

    behaviour: Behaviour = Behaviour()
    held: list[HeldPasskey] = field(default_factory=list)

    def create(self, options: Mapping[str, Any], **lies: Any) -> dict[str, Any]:
        """What `navigator.credentials.create` gives for these options."""
        how = replace(self.behaviour, **lies)
        made = HeldPasskey(
            secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1()), decode(options["user"]["id"])
        )
        self.held.append(made)
        attested = bytes(16) + len(made.id).to_bytes(2, "big") + made.id + _cose(made.key)
        data = _authenticator_data(how, ATTESTED, made.count) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = _client_data(how, "webauthn.create", options["challenge"])
        return _credential(made, {"clientDataJSON": encode(client), "attestationObject": encode(statement)})

    def get(self, options: Mapping[str, Any], passkey: HeldPasskey | None = None, **lies: Any) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, with the passkey that was made last unless one is given."""
        how = replace(self.behaviour, **lies)
        used = passkey or self.held[-1]
        used.count += 1 if how.counts else 0
        data = _authenticator_data(how, 0, used.count)
        client = _client_data(how, "webauthn.get", options["challenge"])
        signature = used.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": used.user}
        return _credential(used, {name: encode(value) for name, value in parts.items()})


def _credential(passkey: HeldPasskey, response: dict[str, str]) -> dict[str, Any]:
    return {"id": encode(passkey.id), "rawId": encode(passkey.id), "type": "public-key", "response": response}


def _client_data(how: Behaviour, kind: str, challenge: str) -> bytes:
    said = {"type": kind, "challenge": challenge, "origin": how.origin, "crossOrigin": how.cross_origin}
    return json.dumps(said).encode()


def _authenticator_data(how: Behaviour, flags: int, count: int) -> bytes:
    flags |= (USER_PRESENT if how.present else 0) | (USER_VERIFIED if how.verified else 0)
    return hashlib.sha256(how.rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")


def _cose(key: ec.EllipticCurvePrivateKey) -> bytes:
    point = key.public_key().public_numbers()
    fields = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
    encoded: bytes = cbor2.dumps(fields)
    return encoded
