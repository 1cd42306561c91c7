"""Extraction in a process of its own for each file: a hostile file kills one parser and nothing else.

A zygote (`ingest.zygote`) has the parsers imported and forks a confined child for each file. The file goes over in an
anonymous file, the result comes back through a pipe as frames of JSON: first the child's own, if it got so far, then
how it ended, told by the zygote. Nothing that a parser says is unpickled, evaluated or trusted beyond its form.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from app import log
from ingest.confinement import PARSER_UID, Limits
from ingest.document import HIDDEN_KINDS, Block, BlockKind, Extracted
from ingest.extractors.errors import BY_CODE, FileTooLarge, Malformed, TimedOut

START_SECONDS = 120.0
GRACE_SECONDS = 5.0  # past the child's own alarm
LENGTH_BYTES = 4
KINDS = set(get_args(BlockKind))
MAX_HIDDEN = 10**9
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
OUT_OF_TIME = {-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGKILL}


class SandboxUnavailable(RuntimeError):
    """The zygote does not start or was lost: no fault of the file, try again later."""


class ConfinementMissing(SandboxUnavailable):
    """This machine cannot confine a parser, so none is started; the message says what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"a parser cannot be confined here, so no file is read: {reason}. It needs Linux 5.13 with Landlock and "
            "seccomp ('clearance doctor' shows which is missing); where both cannot be had, "
            "CLEARANCE_WORKER__ALLOW_UNCONFINED_PARSING=true lets a hostile file reach all that the worker reaches"
        )


class Sandbox:
    """One zygote, started at first use; `extract` may be called from many threads at once.

    Started by root, parsers run as `uid`. Without confinement there is no parser, unless `allow_unconfined`.
    """

    def __init__(self, limits: Limits | None = None, *, uid: int = PARSER_UID, allow_unconfined: bool = False) -> None:
        self.limits = limits or Limits()
        self.level = "unknown"
        self._program = ["-m", "ingest.zygote", "--uid", str(uid)]
        self._program += ["--allow-unconfined"] if allow_unconfined else []
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def extract(self, content: bytes, *, filename: str) -> Extracted:
        """The text of a file. Raises `ExtractionError` for the file, `SandboxUnavailable` for the sandbox."""
        if len(content) > self.limits.content_bytes:
            raise FileTooLarge(f"The file is larger than {self.limits.content_bytes // 2**20} MiB: split it.")
        result = self._send(content, filename)
        try:
            frames = self._receive(result)
        finally:
            os.close(result)
        return _outcome(frames)

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _send(self, content: bytes, filename: str) -> int:
        """Hand a file over; the reading end of the result's pipe."""
        header = json.dumps({"filename": filename, "limits": asdict(self.limits)}).encode()
        source = os.memfd_create("file", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        reading, writing = os.pipe()
        try:
            with os.fdopen(os.dup(source), "wb") as file:
                file.write(len(header).to_bytes(LENGTH_BYTES, "big") + header + content)
            os.lseek(source, 0, os.SEEK_SET)
            fcntl.fcntl(source, fcntl.F_ADD_SEALS, SEALS)
            with self._lock:
                socket.send_fds(self._ready(), [b"1"], [source, writing])
        except (OSError, SandboxUnavailable) as error:
            os.close(reading)
            if isinstance(error, OSError):
                self.close()
                raise SandboxUnavailable(f"the parser process is gone: {error.strerror}") from error
            raise
        finally:
            os.close(source)
            os.close(writing)
        return reading

    def _receive(self, result: int) -> list[object]:
        """All frames of a result. A child that outlives its alarm takes the whole zygote with it."""
        deadline = time.monotonic() + self.limits.wall_seconds + GRACE_SECONDS
        data = bytearray()
        while True:
            if not select.select([result], [], [], max(deadline - time.monotonic(), 0))[0]:
                self.close()
                raise TimedOut
            chunk = os.read(result, 2**20)
            if not chunk:
                return _frames(data)
            data += chunk
            if len(data) > self.limits.result_bytes:
                raise FileTooLarge

    def _ready(self) -> socket.socket:
        """The socket of a living zygote. A process forked from this one starts its own."""
        if self._owner != os.getpid():
            self._process = self._control = None
        if self._process is None or self._process.poll() is not None or self._control is None:
            self._stop()
            return self._start()
        return self._control

    def _start(self) -> socket.socket:
        """Start a zygote and wait for its greeting."""
        ours, theirs = socket.socketpair()
        self._control, self._owner = ours, os.getpid()
        try:
            with theirs:
                self._process = _spawn(theirs, self._program)
            ours.settimeout(START_SECONDS)
            size = int.from_bytes(ours.recv(LENGTH_BYTES, socket.MSG_WAITALL), "big")
            greeting = json.loads(ours.recv(size, socket.MSG_WAITALL) or b"{}")
        except (OSError, ValueError) as error:
            greeting = {"failed": str(error)}
        if "ready" not in greeting:
            self._stop()
            if "unconfined" in greeting:
                raise ConfinementMissing(str(greeting["unconfined"]))
            raise SandboxUnavailable(f"the parser process does not start: {greeting.get('failed', 'it ended')}")
        ours.settimeout(None)
        layers = greeting["layers"]
        self.level = str(layers["level"])
        log.get().info("sandbox.started", **layers)
        if self.level == "missing":
            warn_unconfined()
        return ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its own session, so its children too
            self._process.wait()
        self._process = self._control = None


def warn_unconfined() -> None:
    log.get().warning("sandbox.unconfined", risk="a hostile file reaches all that the worker reaches")


def _spawn(control: socket.socket, program: list[str]) -> subprocess.Popen[bytes]:
    """A zygote whose standard input is `control`."""
    paths = [str(Path(__file__).resolve().parents[1]), *(path for path in sys.path if path.startswith("/"))]
    # An empty environment but for these: a parser must not find the worker's passwords in its own.
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return subprocess.Popen(  # noqa: S603  # our own module, no shell
        [sys.executable, *program],
        stdin=control.fileno(),
        stdout=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


def _frames(data: bytearray) -> list[object]:
    """The complete frames in `data`; a child that dies while it writes leaves half a frame before the zygote's."""
    found: list[object] = []
    place = 0
    while place + LENGTH_BYTES <= len(data):
        end = place + LENGTH_BYTES + int.from_bytes(data[place : place + LENGTH_BYTES], "big")
        try:
            found.append(json.loads(bytes(data[place + LENGTH_BYTES : end])))
        except (ValueError, RecursionError):
            break
        place = end
    return found


def _outcome(frames: list[object]) -> Extracted:
    """The extraction, or the error that the frames tell."""
    messages = [frame for frame in frames if isinstance(frame, dict)]
    if not messages:
        raise Malformed
    first = messages[0]
    if "unconfined" in first:
        raise ConfinementMissing(str(first["unconfined"])[:500])
    if "extracted" in first:
        return _decoded(first["extracted"])
    if first.get("error") in BY_CODE:
        raise BY_CODE[first["error"]](str(first.get("reason", ""))[:500])
    raise TimedOut if first.get("exit") in OUT_OF_TIME else Malformed


def _decoded(value: object) -> Extracted:
    """An `Extracted` from JSON, its form checked: the child may have been taken over by the file it read."""
    try:
        if not isinstance(value, dict):
            raise TypeError
        title, media_type, rows, hidden = (value[name] for name in ("title", "media_type", "blocks", "hidden"))
        blocks = tuple(Block(text, kind, tuple(path), page) for text, kind, path, page in rows)
        texts = [title, media_type, *(text for b in blocks for text in (b.text, *b.heading_path))]
        if not all(isinstance(text, str) and "\0" not in text for text in texts):
            raise TypeError
        if not all(b.kind in KINDS and (b.page is None or type(b.page) is int) for b in blocks):
            raise TypeError
        if not all(kind in HIDDEN_KINDS and type(n) is int and 0 < n <= MAX_HIDDEN for kind, n in hidden.items()):
            raise TypeError
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Malformed from error
    return Extracted(title=title, blocks=blocks, media_type=media_type, hidden=hidden)
