"""TLS between API processes and search processes on TCP: both sides show one certificate and accept no other.

One PEM file, a private key and its certificate, is copied to every process: whoever has it belongs to the installation,
and no certificate authority has a say in that. Hence names and addresses are not compared.
"""

import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from app.scope_index.remote.address import parse

SETTING = "CLEARANCE_LISTS__CERTIFICATE"


class WrongPeer(ConnectionError):
    """The process at the other end does not belong to this installation."""


class SharedCertificate:
    """The certificate that search processes and API processes share, with its private key."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError, without repeating anything from the file."""
        try:
            readable_by_others = path.stat().st_mode & 0o007
            # The first certificate alone: a file may go on with those of authorities, which would admit others.
            own = x509.load_pem_x509_certificates(path.read_bytes())[0]
            self._own, self.expires = own.public_bytes(Encoding.DER), own.not_valid_after_utc
            self._client, self._server = self._context(path, server=False), self._context(path, server=True)
        except (ssl.SSLError, ValueError):
            raise ValueError(
                f"{SETTING}: {path} must hold a certificate and its private key, without a password"
            ) from None
        except OSError as error:
            raise ValueError(f"{SETTING}: cannot read {path}: {error.strerror}") from None
        if readable_by_others:
            raise ValueError(f"{SETTING}: others may read {path}, and a private key is in it: chmod o= it")

    def _context(self, path: Path, *, server: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname, context.verify_mode = False, ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=self._own)
        context.load_cert_chain(path, password="")
        if server:
            # Each connection proves the key; and a ticket would look like an answer that nobody asked for.
            context.num_tickets = 0
        return context

    def wrap(self, opened: socket.socket, *, server: bool) -> ssl.SSLSocket:
        """The socket behind TLS, which takes it over; its handshake is still to come."""
        context = self._server if server else self._client
        return context.wrap_socket(opened, server_side=server, do_handshake_on_connect=False)

    def handshake(self, wrapped: ssl.SSLSocket) -> None:
        """Let both sides show the certificate and prove its key; raises OSError, its WrongPeer for another certificate.

        Compared byte for byte: a certificate that can sign others would admit those too.
        """
        try:
            wrapped.do_handshake()
        except ssl.SSLCertVerificationError as error:
            raise WrongPeer(f"it does not show the certificate of {SETTING}, or that has expired") from error
        if wrapped.getpeercert(binary_form=True) != self._own:
            raise WrongPeer(f"it does not show the certificate of {SETTING}")


def certificate_for(addresses: Sequence[str], path: str) -> SharedCertificate | None:
    """What these addresses need: nothing for Unix sockets, the certificate for host:port. Raises ValueError."""
    if {parse(address)[0] for address in addresses} <= {socket.AF_UNIX}:
        return None
    if not path:
        raise ValueError(f"{SETTING} is not set: an address with a port needs it; docs/scale.md says how to make one")
    return SharedCertificate(Path(path))
