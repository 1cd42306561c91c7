"""What somebody trusts, as they give it on the command line: keys of logs and of witnesses, roots of authorities."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.client.errors import UserError
from app.evidence.signed_note import BadKey, VerifierKey
from app.evidence.timestamp import read_roots

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


class NoHead(UserError):
    """--head is no head of a log, --key no key, --tsa no certificate, or a file cannot be read or written."""


def read_key(given: str) -> VerifierKey:
    """A key from the command line, or from a file."""
    file = Path(given)
    try:
        return VerifierKey.parse(file.read_text("utf-8") if file.is_file() else given)
    except (BadKey, OSError, UnicodeDecodeError) as error:
        raise NoHead(f"{given!r} is no key: {error}") from error


def read_authorities(file: Path) -> "list[Certificate]":
    """The root certificates of a time stamping authority."""
    try:
        return read_roots(file.read_bytes())
    except OSError as error:
        raise NoHead(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise NoHead(f"{file} holds no certificate: --tsa takes a PEM file of root certificates") from error
