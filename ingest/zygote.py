"""`python -m ingest.zygote`: imports the parsers once, then forks one confined child for each file.

Its standard input is a Unix stream socket. A request is one byte with two descriptors: an anonymous file, which holds a
frame with the file's name and limits and then its content, and the pipe for the result. `ingest.sandbox` reads that.

The zygote meets no content after its start, and gives up root, every path and the network all the same. A child gives
up the rest before it reads the first byte of its file; not even the zygote's socket is left to it.
"""

import argparse
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from dataclasses import asdict, dataclass

from ingest import confinement, landlock
from ingest.confinement import Limits, Unconfined
from ingest.document import Extracted
from ingest.extract import extract
from ingest.extractors.errors import ExtractionError, FileTooLarge
from ingest.preload import warm_up

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
    blocks = [[b.text, b.kind, b.heading_path, b.page] for b in extracted.blocks]
    return {
        "title": extracted.title,
        "media_type": extracted.media_type,
        "blocks": blocks,
        "hidden": dict(extracted.hidden),
    }


@dataclass(frozen=True)
class Confined:
    """What a child needs to know: how much was mapped when it was forked, and whether it may go on without a layer."""

    mapped: int
    required: bool


def serve(control: socket.socket, how: Confined) -> None:
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
            pid = _spawn(source, result, how)
            os.close(source)
            children[os.pidfd_open(pid)] = (pid, result)


def _report(handle: int, pid: int, result: int) -> None:
    """Tell how the child ended, after whatever it wrote itself."""
    _, status = os.waitpid(pid, 0)
    os.close(handle)
    write(result, frame({"exit": os.waitstatus_to_exitcode(status)}))
    os.close(result)


def _spawn(source: int, result: int, how: Confined) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        confinement.keep_only(source, result)
        confinement.die_with_parent()
        if os.getppid() == parent:
            _child(source, result, how)
            status = 0
    except MemoryError:
        write(result, frame({"error": FileTooLarge.code, "reason": FileTooLarge.default}))
        status = 0
    except Unconfined as error:
        write(result, frame({"unconfined": str(error.strerror)}))
    finally:
        os._exit(status)


def _child(source: int, result: int, how: Confined) -> None:
    """Read, parse and answer. The frame's head is the worker's own; all after it may be hostile."""
    size = os.fstat(source).st_size
    with os.fdopen(source, "rb", buffering=0) as file:
        header = json.loads(file.read(int.from_bytes(file.read(LENGTH_BYTES), "big")))
        confinement.limit(Limits(**header["limits"]), mapped=how.mapped)
        confinement.confine(required=how.required)
        content = file.read(size)
    try:
        message: dict[str, object] = {"extracted": encode(extract(content, filename=header["filename"]))}
    except ExtractionError as error:
        message = {"error": error.code, "reason": error.reason}
    write(result, frame(message))


def confine(uid: int, *, required: bool) -> None:
    """Give up root and every path for this process and all its children. Raises `Unconfined`."""
    confinement.drop_root(uid)
    try:
        landlock.forbid_all()
    except OSError as error:
        if required:
            raise Unconfined(error.errno, error.strerror) from error


def main() -> None:
    """Look at what the kernel gives, warm up, confine, greet, serve."""
    options = _options()
    control = socket.socket(fileno=os.dup(0))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    layers = confinement.measure()
    required = not options.allow_unconfined
    if required and layers.level == "missing":
        control.sendall(frame({"unconfined": layers.reason}))
        sys.exit(1)
    try:
        warm_up(extract)
        mapped = confinement.mapped_bytes()
        confine(options.uid, required=required)
    except Unconfined as error:
        control.sendall(frame({"unconfined": str(error.strerror)}))
        sys.exit(1)
    except Exception:  # noqa: BLE001  # the process edge: the other side shows the reason
        control.sendall(frame({"failed": traceback.format_exc(limit=-3)}))
        sys.exit(1)
    gc.collect()
    gc.freeze()  # children then share these pages instead of copying them at their first collection
    os.dup2(quiet, 2)  # parsers print parts of what they read; the log must never hold document text
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    control.sendall(frame({"ready": os.getpid(), "layers": {**asdict(layers), "level": layers.level}}))
    serve(control, Confined(mapped, required))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ingest.zygote")
    parser.add_argument("--uid", type=int, default=confinement.PARSER_UID)
    parser.add_argument("--allow-unconfined", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
