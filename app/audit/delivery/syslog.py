"""Delivers to a syslog receiver over TLS (RFC 5425): a message of RFC 5424 for each entry, counted in octets.

The protocol has no acknowledgement. So each batch has a connection of its own, which ends with a close by both sides: a
receiver closes its side in order when it has read ours to the end, and resets it where it left something unread. What
it does with what it read is not to be seen from here.
"""

import array
import contextlib
import datetime as dt
import fcntl
import re
import socket
import ssl
import termios

from app.audit.delivery.addresses import DeliveryAddress, host_and_port
from app.audit.delivery.batch import Batch, DeliveredEntry
from app.audit.delivery.target import ContentRefused, TargetUnavailable, tls_context
from app.audit.export_forms.event_classes import CEF_SEVERITY, event_class

SECONDS = 30.0
# Facility 13, "log audit"; severities of syslog by those of CEF: informational, notice, warning, error.
FACILITY = 13
SEVERITY = {1: 6, 3: 5, 5: 4, 8: 3}
# Of examples and documentation (RFC 5612): we have no number of our own.
ENTERPRISE = 32473
APP_NAME = "clearance"
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")


class SyslogTarget:
    """A receiver at 'HOST:PORT'."""

    def __init__(self, address: DeliveryAddress) -> None:
        self._address = address
        self._host, self._port = host_and_port(address.where)
        self._own_name = _NOT_PRINTABLE.sub("", socket.gethostname())[:255] or "-"

    def send(self, batch: Batch) -> None:
        """Send a message for each entry. Raises ContentRefused where one is too long for the receiver."""
        lines = batch.lines.splitlines()
        messages = [self._message(entry, line, batch.target) for entry, line in zip(batch.entries, lines, strict=True)]
        if any(len(message) > self._address.longest for message in messages):
            raise ContentRefused(f"longer than {self._address.longest} bytes")
        self._send(b"".join(b"%d %s" % (len(message), message) for message in messages))

    def _message(self, entry: DeliveredEntry, line: bytes, target: str) -> bytes:
        at = entry.exported.at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        priority = 8 * FACILITY + SEVERITY[CEF_SEVERITY[event_class(entry.kind).severity]]
        kind = _NOT_PRINTABLE.sub("", entry.kind)[:32] or "-"
        data = f'[clearance@{ENTERPRISE} target="{target}" seq="{entry.exported.seq}" id="{entry.id}"]'
        return f"<{priority}>1 {at} {self._own_name} {APP_NAME} - {kind} {data} ".encode() + line

    def _send(self, frames: bytes) -> None:
        context = tls_context(self._address.files)
        try:
            with socket.create_connection((self._host, self._port), SECONDS) as plain:
                connection = _TlsConnection(plain, context, self._host)
                connection.send(frames)
                connection.close()
        except OSError as error:  # those of TLS among them
            raise TargetUnavailable(type(error).__name__) from error


class _TlsConnection:
    """TLS over a socket of our own. `SSLSocket.unwrap` would not do: it takes an alert, by which the other side refuses
    our certificate after we have sent, for an orderly end.
    """

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._plain, self._incoming, self._outgoing = plain, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self._tls.write(content)
        self._flush()

    def close(self) -> None:
        """Send our end, and wait for the other side's. Raises OSError for a reset, an alert or silence, and
        TargetUnavailable.
        """
        with contextlib.suppress(ssl.SSLWantReadError):
            while self._tls.read(65_536):  # what came with the handshake
                pass
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()  # nothing is left to read, so that this only writes
        self._flush()
        while True:
            try:
                if not self._tls.read(65_536):
                    return
            except ssl.SSLZeroReturnError:
                return
            except ssl.SSLWantReadError:
                self._receive()
            except ssl.SSLEOFError:
                # It closed in order, without a word of TLS, as rsyslog does. If its TCP acknowledged all of ours, it
                # had read it: what comes to a closed socket, or lies unread in one that closes, is answered by a reset.
                if unacknowledged(self._plain):
                    raise TargetUnavailable("it closed before it had read everything") from None
                return

    def _flush(self) -> None:
        self._plain.sendall(self._outgoing.read())

    def _receive(self) -> None:
        if received := self._plain.recv(65_536):
            self._incoming.write(received)
        else:
            self._incoming.write_eof()


def unacknowledged(connection: socket.socket) -> int:
    """Bytes that the other side's TCP has not acknowledged yet (SIOCOUTQ of Linux)."""
    count = array.array("i", [0])
    fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, count)
    return count[0]
