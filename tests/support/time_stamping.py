"""Time stamping authorities: certificates of right ones and wrong ones, whose answers OpenSSL makes."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.evidence.timestamp import TimestampQuery, read_roots
from tests.support.http_stub import Answer, Request, status

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
DATE = re.compile(rb"20[0-9]{12}Z")
CONFIG = """
[tsa]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


def issued(
    name: str, issuer: "tuple[x509.Certificate, rsa.RSAPrivateKey] | None", *, extension: x509.ExtendedKeyUsage | None,
    critical: bool = True, ends: datetime | None = None,
) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:  # fmt: skip
    """A certificate and its key: a root without an issuer, else an authority's."""
    key, now = rsa.generate_private_key(65537, 2048), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    by, signer = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    builder = x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=90)).not_valid_after(ends or now + timedelta(days=90))
    builder = builder.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(identifier, critical=False).add_extension(authority, critical=False)
    if extension is not None:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256()), key


@dataclass(frozen=True)
class TimestampAuthority:
    """An authority in a folder: `roots` is the PEM file by which its answers are checked."""

    folder: Path

    @classmethod
    def make(
        cls, folder: Path, *, purposes: Sequence[x509.ObjectIdentifier] = (STAMPING,), critical: bool = True,
        ends: datetime | None = None,
    ) -> "TimestampAuthority":  # fmt: skip
        """A root, and under it a certificate for these purposes, which ends then."""
        folder.mkdir(parents=True)
        root = issued("Time Root", None, extension=None)
        usage = x509.ExtendedKeyUsage(purposes) if purposes else None
        certificate, key = issued("Time Stamps", root, extension=usage, critical=critical, ends=ends)
        (folder / "root.pem").write_bytes(root[0].public_bytes(Encoding.PEM))
        (folder / "tsa.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "tsa.key").write_bytes(private)
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
        return cls(folder)

    @property
    def roots(self) -> Path:
        return self.folder / "root.pem"

    def reply(self, query: bytes, at: datetime | None = None) -> bytes:
        """The answer to a query, at another moment if one is given."""
        (self.folder / "query.tsq").write_bytes(query)
        self._openssl("ts -reply -config tsa.cnf -section tsa -queryfile query.tsq", "-out reply.tsr")
        reply = (self.folder / "reply.tsr").read_bytes()
        return reply if at is None else self.signed_anew(reply, at)

    def stamp(self, text: str, at: datetime | None = None) -> bytes:
        """The token over a text."""
        query = TimestampQuery.over(text)
        return query.token_of(self.reply(query.body, at), read_roots(self.roots.read_bytes()))[0]

    def signed_anew(self, reply: bytes, at: datetime | None = None) -> bytes:
        """What an authority stamped, signed by the certificate of this one, and dated otherwise if a moment is given:
        OpenSSL itself stamps by its clock, and with no certificate that is for something else.
        """
        (self.folder / "other.tsr").write_bytes(reply)
        self._openssl("ts -reply -in other.tsr -token_out -out other.tst")
        self._openssl("cms -verify -noverify -inform DER -in other.tst -out content.der")
        if at is not None:
            content = (self.folder / "content.der").read_bytes()
            (self.folder / "content.der").write_bytes(DATE.sub(f"{at:%Y%m%d%H%M%S}Z".encode(), content))
        sign = "cms -sign -binary -nodetach -md sha256 -econtent_type 1.2.840.113549.1.9.16.1.4 -in content.der"
        self._openssl(sign, "-outform DER -out token.der")
        return as_reply((self.folder / "token.der").read_bytes())

    def _openssl(self, command: str, more: str | None = None) -> None:
        """Run a command; with `more`, one that signs."""
        words = [
            *command.split(),
            *([] if more is None else ["-signer", "tsa.pem", "-inkey", "tsa.key", *more.split()]),
        ]
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def answer(self, request: Request) -> None:
        """Answer over HTTP, as `http_stub` asks."""
        assert request.headers["Content-Type"] == QUERY
        replying(self.reply(request.body))(request)


def replying(reply: bytes) -> Answer:
    """Whatever was asked: this reply."""
    return status(200, reply, **{"Content-Type": REPLY})


def as_reply(token: bytes) -> bytes:
    """An answer that grants this token."""
    body = bytes([0x30, 3, 2, 1, 0]) + token
    return bytes([0x30, 0x82]) + len(body).to_bytes(2) + body
