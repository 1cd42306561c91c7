"""Who may speak with a search process: those with the shared certificate on TCP, the same user on a Unix socket."""

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from structlog.typing import EventDict

from app.scope_index.remote.address import listen
from app.scope_index.remote.connection import Connection
from app.scope_index.remote.messages import ViewReply, pack
from app.scope_index.remote.tls import SharedCertificate, WrongPeer, certificate_for
from tests.support.certificates import Made, certified, written
from tests.support.environment import REPOSITORY
from tests.unit.scope_index.remote.search_server import (
    CERTIFICATE,
    NOW,
    OURS,
    VIEW,
    Peer,
    Running,
    address_of,
    member,
    running_at,
    shared,
    stranger,
    works,
)

EXPIRED = shared(certified(days=-1).pem)
DOCUMENTED = REPOSITORY / "docs" / "scale.md"
OTHERS: dict[str, Callable[[], Made | None]] = {
    "none": lambda: None,
    "another of the same name": certified,
    "one that ours has signed": lambda: certified(issuer=OURS, name="guest"),
}


def dial(address: str, context: ssl.SSLContext) -> Peer:
    """A connection by TLS that takes any server."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return Peer(context.wrap_socket(stranger(address).socket))


def refused(address: str, shows: Made | None, folder: Path) -> bool:
    """Whether a client that shows this certificate is given nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if shows is not None:
        context.load_cert_chain(written(folder / "shown.pem", shows.pem))
    peer = dial(address, context)
    with contextlib.suppress(OSError):
        peer.say(pack(VIEW))
        assert not peer.socket.recv(1)
    return peer.ended()


@pytest.mark.parametrize("shows", OTHERS)
def test_a_client_without_the_certificate_is_refused(on_tcp: Running, tmp_path: Path, shows: str) -> None:
    assert refused(on_tcp.address, OTHERS[shows](), tmp_path)
    works(on_tcp)


@pytest.mark.parametrize("shows", list(OTHERS)[1:])
def test_a_server_without_the_certificate_is_refused(tmp_path: Path, shows: str) -> None:
    """It takes any client, and learns nothing from this one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown = OTHERS[shows]()
    assert shown is not None
    context.load_cert_chain(written(tmp_path / "shown.pem", shown.pem))
    heard: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as opened:
            heard.append(opened.recv(1))

    with listen("127.0.0.1:0") as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(WrongPeer, match="CLEARANCE_LISTS__CERTIFICATE"):
            Connection.connect(address_of(listening), CERTIFICATE, time.monotonic() + 60)
        thread.join()
    assert heard in ([], [b""])


def test_an_authority_in_the_file_admits_nobody_else(tmp_path: Path) -> None:
    """A file of the whole chain, as authorities hand it out: their other certificates are those of strangers."""
    authority = certified(name="authority")
    own, another = (certified(issuer=authority) for _ in range(2))
    chain = shared(own.pem + authority.certificate.public_bytes(Encoding.PEM))
    with running_at("127.0.0.1:0", certificate=chain) as running:
        assert refused(running.address, another, tmp_path)
        assert running.remote(certificate=chain).view(NOW) is not None


@pytest.mark.parametrize(
    ("of_server", "of_client", "says"),
    [
        (CERTIFICATE, shared(certified().pem), "certificate of CLEARANCE_LISTS__CERTIFICATE"),
        (EXPIRED, EXPIRED, "expired"),
    ],
    ids=["another", "expired"],
)
def test_the_log_says_what_is_wrong_with_a_certificate(
    of_server: SharedCertificate, of_client: SharedCertificate, says: str, said: list[EventDict]
) -> None:
    with running_at("127.0.0.1:0", certificate=of_server) as running:
        assert running.remote(certificate=of_client).view(NOW) is None
    assert says in str(said)


def test_an_older_tls_is_refused(on_tcp: Running) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"(?i)version"):
        dial(on_tcp.address, context)
    works(on_tcp)


@contextlib.contextmanager
def between(address: str, change: Callable[[bytes], bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Somebody in between: the address, and what clients have said; each piece of it is changed on its way."""
    said: list[bytes] = []

    def forward(source: socket.socket, target: socket.socket, turn: Callable[[bytes], bytes]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(turn(piece))
            target.shutdown(socket.SHUT_WR)

    def turned(piece: bytes) -> bytes:
        said.append(piece)
        return change(piece)

    with listen("127.0.0.1:0") as listening, contextlib.ExitStack() as stack:

        def serve() -> None:
            near = stack.enter_context(listening.accept()[0])
            far = stack.enter_context(stranger(address).socket)
            back = threading.Thread(target=forward, args=(far, near, bytes))
            back.start()
            forward(near, far, turned)
            back.join()

        thread = threading.Thread(target=serve)
        thread.start()
        yield address_of(listening), said
        thread.join()


def test_what_was_recorded_is_worth_nothing_again_and_cannot_be_read(on_tcp: Running) -> None:
    with between(on_tcp.address, bytes) as (address, said), contextlib.closing(member(address)) as peer:
        peer.say(pack(VIEW))
        assert peer.hear() == ViewReply(NOW)
        peer.close()
    assert pack(VIEW)[:4] not in b"".join(said)
    again = stranger(on_tcp.address)
    with contextlib.suppress(OSError):
        for piece in said:
            again.socket.sendall(piece)
    assert again.ended()
    works(on_tcp)


def test_what_is_altered_on_the_way_is_not_answered(on_tcp: Running) -> None:
    alter = threading.Event()

    def change(piece: bytes) -> bytes:
        return piece[:-1] + bytes([piece[-1] ^ 1]) if alter.is_set() else piece

    with between(on_tcp.address, change) as (address, _):
        peer = member(address)
        peer.say(pack(VIEW))
        assert peer.hear() == ViewReply(NOW)
        alter.set()
        peer.say(pack(VIEW))
        assert peer.ended()
    works(on_tcp)


def test_a_process_of_another_user_is_refused_on_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides ask the kernel, and compare with their own user."""
    address = str(tmp_path / "private" / "search.sock")
    with running_at(address) as running:
        ours = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: ours + 1)
        with pytest.raises(WrongPeer, match="another user"):
            Connection.connect(address, None, time.monotonic() + 60)
        peer = member(address)
        with contextlib.suppress(OSError):
            peer.say(pack(VIEW))
        assert peer.ended()
        monkeypatch.undo()
        works(running)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_the_kernel_names_the_user_of_a_socket_that_anybody_may_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o777)

    def as_another(act: Callable[[], object]) -> None:
        os.seteuid(65534)
        try:
            act()
        finally:
            os.seteuid(0)

    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as theirs:
        listening.bind("ours")
        Path("ours").chmod(0o666)
        listening.listen()
        as_another(lambda: theirs.connect("ours"))
        accepted = Connection(listening.accept()[0], None, server=True)
        with contextlib.closing(accepted), pytest.raises(WrongPeer, match="another user"):
            accepted.handshake(time.monotonic() + 60)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "theirs"))
        as_another(listening.listen)
        with pytest.raises(WrongPeer, match="another user"):
            Connection.connect(str(tmp_path / "theirs"), None, time.monotonic() + 60)


def test_a_unix_socket_needs_no_certificate_and_a_port_does() -> None:
    assert certificate_for(["/run/a.sock", "/run/b.sock"], "") is None
    with pytest.raises(ValueError, match="CLEARANCE_LISTS__CERTIFICATE is not set"):
        certificate_for(["/run/a.sock", "10.0.0.1:7700"], "")


def _locked() -> bytes:
    private = OURS.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    return private + OURS.certificate.public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hunter2",
        OURS.certificate.public_bytes(Encoding.PEM),
        OURS.pem[: OURS.pem.index(b"-----BEGIN CERT")],
        OURS.certificate.public_bytes(Encoding.PEM) + certified().pem,
        _locked(),
    ],
    ids=["empty", "garbage", "no key", "no certificate", "another's key", "a password"],
)
def test_a_file_that_is_no_certificate_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"CLEARANCE_LISTS__CERTIFICATE: .*must hold a certificate") as refusal:
        SharedCertificate(written(tmp_path / "search.pem", content))
    assert "hunter2" not in str(refusal.value)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "search.pem", OURS.pem)
    path.chmod(0o644)
    with pytest.raises(ValueError, match="chmod o="):
        SharedCertificate(path)
    with pytest.raises(ValueError, match=r"cannot read .*No such file"):
        SharedCertificate(tmp_path / "nowhere.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the line is for the openssl program")
def test_the_documented_line_makes_a_certificate(tmp_path: Path) -> None:
    [line] = re.findall(r"^ {4}((?:umask .*; )?openssl req .*)$", DOCUMENTED.read_text("utf-8"), re.MULTILINE)
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    made = SharedCertificate(tmp_path / "search.pem")
    with running_at("127.0.0.1:0", certificate=made) as running:
        assert running.remote(certificate=made).view(NOW) is not None
