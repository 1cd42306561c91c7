"""Real receivers of a delivered log: an HTTP collector, syslog over TLS (ours and rsyslog), a server that speaks S3."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.support.certificates import Made, certified, written
from tests.support.environment import REPOSITORY, free_port, real_part_missing
from tests.support.http_stub import Answer, Request, http_stub, status
from tests.support.waiting import wait_for

OK = status(204, b"")
# As Debian installs it; not on the path of everybody.
RSYSLOGD = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
RSYSLOG = """
global(workDirectory="{folder}" maxMessageSize="128k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="{auth}")
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="all") {{ action(type="omfile" file="{out}" template="raw") }}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="all")
"""
# In an environment of its own: its client wants an older python-dateutil than we have.
S3_PYTHON = REPOSITORY / ".venv" / "s3" / "bin" / "python"
S3_KEY, S3_SECRET = "AKIATESTONLY", "test-secret-of-a-bucket"


@dataclass
class Collector:
    """Takes what is posted to it and answers as it is told to. `posts`: the key and body of each, in order; `taken`:
    of those that were acknowledged.
    """

    answer: Answer = OK
    posts: list[tuple[str, bytes]] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: Request) -> None:
        post = (request.headers["Idempotency-Key"], request.body)
        self.posts.append(post)
        self.headers.append(dict(request.headers.items()))
        if self.answer is OK:
            # Before the answer: who reads it may be killed by then.
            self.taken.append(post)
        self.answer(request)

    def lines(self) -> list[bytes]:
        """The lines that were acknowledged, each batch once, as a collector has them that knows a batch again."""
        return [line for body in dict(self.taken).values() for line in body.splitlines()]


def dropped(request: Request) -> None:
    """The connection ends when all was read, without an answer."""
    request.connection.shutdown(socket.SHUT_RDWR)


def refusing(poison: Sequence[bytes], code: int = 400) -> Callable[[Collector], Answer]:
    """A collector that takes no batch in which one of these stands."""

    def of(collector: Collector) -> Answer:
        def answer(request: Request) -> None:
            if any(each in request.body for each in poison):
                status(code)(request)
            else:
                collector.taken.append((request.headers["Idempotency-Key"], request.body))
                OK(request)

        return answer

    return of


@contextlib.contextmanager
def collecting(collector: Collector) -> Iterator[str]:
    """The URL at which it listens."""
    with http_stub(collector) as url:
        yield url


@dataclass(frozen=True)
class TlsFiles:
    """An authority, and what a host of this machine shows under it, as files."""

    authority: Made
    ca: Path
    both: Path
    certificate: Path
    key: Path


def tls_files(folder: Path, *, host: str = "localhost") -> TlsFiles:
    """A new authority, and a certificate of that host."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = certified(name="log house")
    made = certified(issuer=authority, host=host, name=host)
    key, _, certificate = made.pem.partition(b"-----BEGIN CERTIFICATE-----")
    return TlsFiles(
        authority,
        written(folder / "ca.pem", authority.pem[authority.pem.index(b"-----BEGIN CERTIFICATE-----") :]),
        written(folder / "both.pem", made.pem),
        written(folder / "certificate.pem", b"-----BEGIN CERTIFICATE-----" + certificate),
        written(folder / "key.pem", key),
    )


@dataclass
class SyslogServer:
    """A receiver over TLS: what came, and how it treats a connection. `ends`: close, quiet (in order, without a word of
    TLS), reset, or vanish, before it has read anything.
    """

    files: TlsFiles
    ends: str = "close"
    wants_certificate: bool = False
    read: list[bytes] = field(default_factory=list)
    port: int = 0

    @contextlib.contextmanager
    def listening(self) -> Iterator["SyslogServer"]:
        """It takes one connection after the other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.files.both))
        if self.wants_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(str(self.files.ca))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
            threading.Thread(target=self._serve, args=(listener, context), daemon=True).start()
            yield self

    def _serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), plain:
                secured = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
                try:
                    secured.do_handshake()
                except ssl.SSLError:
                    # It has said why. What lies unread when it closes would be answered by a reset, which says nothing.
                    with socket.socket(fileno=secured.detach()) as refused:
                        refused.settimeout(1)
                        while refused.recv(65_536):
                            pass
                    continue
                self._take(secured)

    def _take(self, secured: ssl.SSLSocket) -> None:
        stream = b""
        if self.ends == "vanish":
            secured.recv(10)
            secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            secured.close()
            return
        while piece := secured.recv(65_536):
            stream += piece
        self.read += frames(stream)
        if self.ends == "reset":
            secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            secured.close()
            return
        if self.ends == "quiet":
            secured.close()
            return
        secured.unwrap().close()


def frames(stream: bytes) -> list[bytes]:
    """The messages of a stream that counts octets (RFC 5425, section 4.3); fails where it is none."""
    found = []
    while stream:
        count, space, stream = stream.partition(b" ")
        assert space
        assert count.isdigit()
        assert len(stream) >= int(count)
        found.append(stream[: int(count)])
        stream = stream[int(count) :]
    return found


@contextlib.contextmanager
def rsyslog(folder: Path, files: TlsFiles, *, wants_certificate: bool = False) -> Iterator[tuple[int, Path]]:
    """The port of a real rsyslog, and the file into which it writes each message as it came."""
    if RSYSLOGD is None:
        real_part_missing("rsyslogd with rsyslog-gnutls is not installed")
    assert RSYSLOGD
    folder.mkdir(parents=True, exist_ok=True)
    port, out, said = free_port(), folder / "messages", folder / "said"
    auth = "x509/certvalid" if wants_certificate else "anon"
    names = {"ca": files.ca, "certificate": files.certificate, "key": files.key, "auth": auth}
    (folder / "rsyslog.conf").write_text(RSYSLOG.format(folder=folder, out=out, port=port, **names))
    command = [RSYSLOGD, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")]
    with said.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as child:
        try:
            wait_for(lambda: _listens(port), child=child, message=said.read_text)
            yield port, out
        finally:
            child.terminate()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """The URL of a server that speaks S3, empty."""
    folder.mkdir(parents=True, exist_ok=True)
    port, said = free_port(), folder / "said"
    if not S3_PYTHON.exists():
        real_part_missing("the server that speaks S3 is not installed (make .venv/.s3)")
    command = [str(S3_PYTHON), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with said.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY) as child:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: _answers(url), child=child, seconds=60, message=said.read_text)
            yield url
        finally:
            child.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False, timeout=5).status_code < 500
    except httpx2.TransportError:
        return False
