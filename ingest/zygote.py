"""`python -m ingest.zygote`: imports the parsers once, then forks one confined child for each file.

Its standard input is a Unix stream socket. A request is one byte with two descriptors: an anonymous file, which holds a
frame with the file's name and limits and then its content, and the pipe for the result. `ingest.sandbox` reads that.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from dataclasses import asdict

from ingest import confinement
from ingest.confinement import Limits
from ingest.document import Extracted
from ingest.extract import extract
from ingest.extractors.errors import ExtractionError, TooLarge
from ingest.warm import warm_up

LENGTH_BYTES = 4


def frame(message: object) -> bytes:
    """A message as its length in four bytes and its JSON."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def write(descriptor: int, data: bytes) -> None:
    """Write all of `data`; a reader that is gone is no error here."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except BrokenPipeError:
        pass


def encode(extracted: Extracted) -> dict[str, object]:
    """`extracted` as JSON values."""
    blocks = [[b.text, b.kind, b.heading_path, b.page] for b in extracted.blocks]
    return {
        "title": extracted.title,
        "media_type": extracted.media_type,
        "blocks": blocks,
        "hidden": dict(extracted.hidden),
    }


def serve(control: socket.socket) -> None:
    """Fork a child for each request until the other side closes the socket."""
    children: dict[int, tuple[int, int]] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), *children], [], [])
        for handle in children.keys() & ready:
            _report(handle, *children.pop(handle))
        if control.fileno() not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not data:
            return
        if len(descriptors) == 2:
            source, result = descriptors
            pid = _spawn(control, source, result, [slot for _, slot in children.values()])
            os.close(source)
            children[os.pidfd_open(pid)] = (pid, result)


def _report(handle: int, pid: int, result: int) -> None:
    """Tell how the child ended, after whatever it wrote itself."""
    _, status = os.waitpid(pid, 0)
    os.close(handle)
    write(result, frame({"exit": os.waitstatus_to_exitcode(status)}))
    os.close(result)


def _spawn(control: socket.socket, source: int, result: int, others: list[int]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        control.close()
        for other in others:
            os.close(other)
        confinement.die_with_parent()
        if os.getppid() == parent:
            _child(source, result)
            status = 0
    except MemoryError:
        write(result, frame({"error": TooLarge.__name__, "reason": TooLarge.default}))
        status = 0
    finally:
        os._exit(status)


def _child(source: int, result: int) -> None:
    size = os.fstat(source).st_size
    with os.fdopen(source, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(LENGTH_BYTES), "big")))
        confinement.limit(Limits(**header["limits"]))
        content = file.read(size)
    try:
        message: dict[str, object] = {"extracted": encode(extract(content, filename=header["filename"]))}
    except ExtractionError as error:
        message = {"error": type(error).__name__, "reason": error.reason}
    write(result, frame(message))


def confine() -> str:
    """Give up root and the network for this process and all its children; how far that went, in a word."""
    confinement.drop_root()
    try:
        confinement.refuse_network()
    except confinement.Unconfined as error:
        return f"open: {error.strerror}"
    return "refused"


def main() -> None:
    """Warm up, confine, greet, serve."""
    control = socket.socket(fileno=os.dup(0))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    try:
        warm_up(extract)
        network = confine()
    except Exception:  # noqa: BLE001  # the process edge: the other side shows the reason
        control.sendall(frame({"failed": traceback.format_exc(limit=-3)}))
        sys.exit(1)
    gc.collect()
    gc.freeze()  # children then share these pages instead of copying them at their first collection
    os.dup2(quiet, 2)  # parsers print parts of what they read; the log must never hold document text
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    control.sendall(frame({"ready": os.getpid(), "network": network, "limits": asdict(Limits())}))
    serve(control)


if __name__ == "__main__":
    main()
