"""Signed notes (c2sp.org/signed-note): a text, and under it a line for each key that signed it.

Keys are Ed25519, by the library `cryptography`, which nothing else here needs. A log signs its checkpoints as they
stand; a witness signs them with the moment at which it saw them (c2sp.org/tlog-cosignature). Keys are written as the Go
implementation (golang.org/x/mod/sumdb/note) writes them.
"""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app.evidence.merkle import decode, encode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Use = Literal["log", "witness"]
ALGORITHMS: dict[Use, int] = {"log": 0x01, "witness": 0x04}
USES = {algorithm: use for use, algorithm in ALGORITHMS.items()}
KEY_BYTES = 32
SIGNATURE_BYTES = {"log": 64, "witness": 72}
ID_BYTES = 4
PRIVATE = "PRIVATE+KEY+"
SIGNED_BY = "\N{EM DASH} "
MAX_NOTE_BYTES = 16_384
MAX_SIGNATURES = 64
MAX_TIME = 2**63 - 1
# No space of any kind, and no plus.
NAME = re.compile(r"[^\s+]{1,255}")


class BadKey(ValueError):
    """The text is no key for signed notes."""


class BadNote(ValueError):
    """The text is no signed note, or nobody whom the reader trusts signed it."""


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a key: who signs, what for, and 32 bytes. Written `name+id+key`."""

    name: str
    use: Use
    public: bytes

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BadKey("the name of a key has no spaces, no plus, and between 1 and 255 characters")
        if len(self.public) != KEY_BYTES:
            raise BadKey(f"a public key has {KEY_BYTES} bytes")

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart. They prove nothing: signatures are checked with the key."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._encoded).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode(self._encoded)}"

    @property
    def _encoded(self) -> bytes:
        return bytes([ALGORITHMS[self.use]]) + self.public

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+id+key`; raises BadKey."""
        name, use, public, identity = _parse(text.strip())
        key = cls(name, use, public)
        if key.id.hex() != identity:
            raise BadKey("the id of the key does not belong to its name and its bytes")
        return key

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether this key made the signature (without its leading id) of this text."""
        if len(signature) != SIGNATURE_BYTES[self.use]:
            return False
        message, made = text.encode(), signature
        if self.use == "witness":
            moment, made = int.from_bytes(signature[:8]), signature[8:]
            if moment > MAX_TIME:
                return False
            message = _cosigned(text, moment)
        return _made_by(self.public, made, message)


@dataclass(frozen=True)
class SigningKey:
    """The private half. Its text is a secret: `PRIVATE+KEY+name+id+seed`."""

    name: str
    use: Use
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str, use: Use = "log") -> "SigningKey":
        """A new key under this name; raises BadKey for a name that keys cannot have."""
        key = cls(name, use, secrets.token_bytes(KEY_BYTES))
        _ = key.verifier
        return key

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Read `PRIVATE+KEY+name+id+seed`. Raises BadKey, which says nothing of what the text was."""
        text = text.strip()
        if not text.startswith(PRIVATE):
            raise BadKey(f"a signing key begins with {PRIVATE}")
        name, use, seed, identity = _parse(text.removeprefix(PRIVATE))
        key = cls(name, use, seed)
        if key.verifier.id.hex() != identity:
            raise BadKey("the id of the signing key does not belong to its name and its bytes")
        return key

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.use, self._private.public_key().public_bytes_raw())

    def secret(self) -> str:
        """The text that `parse` reads. Whoever has it signs in this name."""
        encoded = encode(bytes([ALGORITHMS[self.use]]) + self.seed)
        return f"{PRIVATE}{self.name}+{self.verifier.id.hex()}+{encoded}"

    def sign(self, text: str, *, moment: int = 0) -> "NoteSignature":
        """Sign the text of a note. A witness says at which `moment` it saw it, in seconds since 1970."""
        if self.use == "log":
            return NoteSignature(self.name, self.verifier.id, self._private.sign(text.encode()))
        stamped = moment.to_bytes(8) + self._private.sign(_cosigned(text, moment))
        return NoteSignature(self.name, self.verifier.id, stamped)

    @property
    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  # see above

        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True)
class NoteSignature:
    """A line under a note: in whose name, by which of their keys, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{SIGNED_BY}{self.name} {encode(self.key_id + self.signature)}\n"

    @classmethod
    def parse(cls, line: str) -> "NoteSignature":
        """Read a line without its end; raises BadNote."""
        name, space, encoded = line.removeprefix(SIGNED_BY).partition(" ")
        try:
            signature = decode(encoded)
        except ValueError as error:
            raise BadNote("a signature of the note is not base64") from error
        if not (line.startswith(SIGNED_BY) and space and NAME.fullmatch(name) and len(signature) > ID_BYTES):
            raise BadNote("a line under the note is no signature")
        return cls(name, signature[:ID_BYTES], signature[ID_BYTES:])

    @property
    def moment(self) -> int:
        """When a witness says that it saw the note, in seconds since 1970; of no meaning for a log's signature."""
        return int.from_bytes(self.signature[:8])


@dataclass(frozen=True)
class SignedNote:
    """A text, which ends with a newline, and who signed it. Nothing in it is to be believed before `signers`."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or any(c < " " and c != "\n" for c in self.text):
            raise BadNote("the text of a note ends with a newline and holds no other control character")
        if not 0 < len(self.signatures) <= MAX_SIGNATURES:
            raise BadNote(f"a note has between 1 and {MAX_SIGNATURES} signatures")

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, note: str) -> "SignedNote":
        """Read a note; raises BadNote. Its signatures are not checked yet."""
        try:
            if len(note.encode()) > MAX_NOTE_BYTES:
                raise BadNote(f"a note of more than {MAX_NOTE_BYTES} bytes is not read")
        except UnicodeEncodeError as error:
            # As JSON can write one: nobody signed what has no bytes.
            raise BadNote("a note holds no lone surrogate") from error
        text, blank, lines = note.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise BadNote("a note is a text, an empty line and lines of signatures")
        return cls(text + "\n", tuple(NoteSignature.parse(line) for line in lines[:-1].split("\n")))

    def signers(self, trusted: Iterable[VerifierKey]) -> Sequence[VerifierKey]:
        """Those of the trusted keys that signed it, at least one.

        Signatures by others are ignored. Raises BadNote where nobody trusted signed it, and where a trusted key stands
        under it with a signature that is not its own.
        """
        keys = {(key.name, key.id): key for key in trusted}
        found = list[VerifierKey]()
        for each in self.signatures:
            key = keys.get((each.name, each.key_id))
            if key is None:
                continue
            if not key.signed(self.text, each.signature):
                raise BadNote(f"the signature of {key.name} does not belong to this text")
            if key not in found:
                found.append(key)
        if not found:
            raise BadNote("none of the keys that you trust signed it")
        return found


def _made_by(public: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # see above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415  # see above

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _cosigned(text: str, moment: int) -> bytes:
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


def _parse(text: str) -> tuple[str, Use, bytes, str]:
    """Name, use, bytes and id of a written key."""
    try:
        name, identity, encoded = text.split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise BadKey("a key is written name+id+base64") from None
    if len(data) != 1 + KEY_BYTES or data[0] not in USES:
        raise BadKey("it is no Ed25519 key of a log or of a witness")
    return name, USES[data[0]], data[1:], identity
