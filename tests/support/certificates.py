"""Certificates for search processes, right ones and wrong ones, and for a package index."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclasses.dataclass(frozen=True)
class Made:
    """A private key and its certificate, and both as the file that all processes share."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    pem: bytes


def certified(
    *, days: int = 60, issuer: Made | None = None, name: str = "clearance search", host: str | None = None
) -> Made:
    """Valid for so many days; signed by itself, or by another. That of a host is no authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    by = issuer.certificate.subject if issuer else subject
    builder = x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=60)).not_valid_after(now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    signer, identifier = issuer.key if issuer else key, x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(identifier, critical=False).add_extension(authority, critical=False)
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made = builder.sign(signer, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Made(key, made, private + made.public_bytes(Encoding.PEM))


def written(path: Path, content: bytes) -> Path:
    """A file that is its owner's alone."""
    path.touch(0o600)
    path.write_bytes(content)
    return path
