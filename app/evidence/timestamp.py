"""Time stamps (RFC 3161): an authority signs that it saw some bytes, and when.

The library `rfc3161-client`, which nothing else here needs, checks a token with OpenSSL: its signature, the chain from
the certificate in it to a root that the reader trusts, as it was at the moment of the stamp, and that this certificate
is for time stamps and nothing else. Not looked at is whether a certificate was revoked since.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

MAX_TOKEN_BYTES = 32_768
SHA256 = "2.16.840.1.101.3.4.2.1"
# PKIStatusInfo: granted. It stands in front of a token in the answer of an authority, and says nothing of its own.
GRANTED = bytes([0x30, 3, 2, 1, 0])

VERIFY_ERROR = re.compile(r'Verify error: ([^"]+)"')


class BadTimestamp(ValueError):
    """It is no time stamp of these bytes by an authority that the reader trusts."""


def read_roots(pem: bytes) -> "list[Certificate]":
    """The certificates of a PEM file; raises ValueError where it holds none."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415  # see above

    return load_pem_x509_certificates(pem)


@dataclass(frozen=True)
class TimestampQuery:
    """What an authority is asked: the bytes of the query, and the nonce that its answer must repeat."""

    text: str
    body: bytes
    nonce: int

    @classmethod
    def over(cls, text: str) -> "TimestampQuery":
        """Ask for a stamp over the SHA-256 of a text in UTF-8, with the certificate of who makes it."""
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415  # see above

        builder = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        if request.nonce is None:
            raise BadTimestamp("the query has no nonce")
        return cls(text, request.as_bytes(), request.nonce)

    def token_of(self, answer: bytes, roots: "Sequence[Certificate]") -> tuple[bytes, dt.datetime]:
        """The token in an authority's answer, and its moment; raises BadTimestamp where the answer is not to this."""
        response = _decoded(answer)
        moment = _checked(response, self.text, roots, nonce=self.nonce)
        return response.time_stamp_token(), moment


def stamped_at(token: bytes, text: str, roots: "Sequence[Certificate]") -> dt.datetime:
    """When the text was stamped, by an authority under one of these roots; raises BadTimestamp."""
    if len(token) > MAX_TOKEN_BYTES:
        raise BadTimestamp(f"a token of more than {MAX_TOKEN_BYTES} bytes is not read")
    body = GRANTED + token
    # The length as X.690 writes it from 128 bytes on; no token is shorter.
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return _checked(_decoded(bytes([0x30, 0x80 | len(size)]) + size + body), text, roots, nonce=None)


def _decoded(answer: bytes) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415  # see above

    try:
        return decode_timestamp_response(answer)
    except ValueError as error:
        raise BadTimestamp("it is no answer of a time stamping authority") from error


def _checked(
    response: "TimeStampResponse", text: str, roots: "Sequence[Certificate]", *, nonce: int | None
) -> dt.datetime:
    """The moment of a stamp over this text; raises BadTimestamp."""
    from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415  # see above

    try:
        if response.status != 0:
            said = " ".join(response.status_string)[:200]
            raise BadTimestamp(f"the authority refused: status {response.status} {said}")
        imprint = response.tst_info.message_imprint
        # The library would take a longer hash too; who recomputes ours knows one.
        if imprint.hash_algorithm.dotted_string != SHA256:
            raise BadTimestamp("it is not over a SHA-256")
        verifier = VerifierBuilder(roots=list(roots), nonce=nonce).build()
        verifier.verify(response, hashlib.sha256(text.encode()).digest())
        return response.tst_info.gen_time
    except BadTimestamp:
        raise
    except VerificationError as error:
        raise BadTimestamp(_short(error)) from error
    except Exception as error:  # whatever libraries make of bytes by strangers, it is no time stamp
        raise BadTimestamp(f"it cannot be read: {type(error).__name__}") from error


def _short(error: Exception) -> str:
    """What was wrong, without the stack of OpenSSL's errors that the library quotes."""
    said = str(error)
    found = VERIFY_ERROR.search(said)
    return found[1] if found else said.partition(": ErrorStack")[0]
