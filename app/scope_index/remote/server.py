"""A search process's side: it holds one part of the index and answers API processes of this installation.

A reply holds numbers of passages and scores, for scopes that are asked for by number. Who may read them the server does
not know; the reader's exact step, under row-level security, decides (ADR 0012).
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

from app import log
from app.errors import DatabaseUnavailable
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.index import ScopeIndex
from app.scope_index.remote.connection import Connection
from app.scope_index.remote.messages import (
    IndexNotReady,
    InvalidMessage,
    Message,
    Refused,
    ScanReply,
    ScanRequest,
    Target,
    ViewReply,
    ViewRequest,
    pack,
)
from app.scope_index.remote.tls import SharedCertificate
from app.scope_index.sharding import Shard

# Connections at once that have shown who they are, and those that have not yet: each has a thread. One more of the
# latter ends the oldest of them, so that strangers keep out nobody: a handshake takes milliseconds.
MAX_CONNECTIONS = 256
MAX_HANDSHAKES = 64
# At most for a handshake, for the rest of a message that has begun, and for a reply to be taken.
SECONDS = 5.0


class IndexServer:
    """Answers over a listening socket until it is closed: a thread for each connection."""

    def __init__(
        self,
        index: ScopeIndex,
        quantizer: ProductQuantizer,
        shard: Shard,
        *,
        certificate: SharedCertificate | None,
        database: Callable[[], bytes],
    ) -> None:
        """`database` gives the digest of the database that the index is read from (`DatabaseIdentity`)."""
        self._index, self._quantizer, self._shard = index, quantizer, shard
        self._digest = bytes.fromhex(quantizer.digest)
        self._certificate, self._database = certificate, database
        self._lock = threading.Lock()
        self._threads: dict[Connection, threading.Thread] = {}
        # In the order in which they came.
        self._handshakes: dict[Connection, None] = {}
        self._admitted: set[Connection] = set()
        self._listening: socket.socket | None = None
        self._closed = threading.Event()

    def start(self, listening: socket.socket) -> None:
        """Answer in the background. Takes the socket over."""
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), name="lists-accept", daemon=True).start()

    def close(self) -> None:
        self._closed.set()
        if self._listening is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        with self._lock:
            open_connections = dict(self._threads)
        for connection in open_connections:
            connection.shut()
        for thread in open_connections.values():
            thread.join()

    def _accept(self, listening: socket.socket) -> None:
        while not self._closed.is_set():
            try:
                opened, _ = listening.accept()
            except OSError as error:
                # Out of file descriptors, perhaps: the open connections go on.
                if not self._closed.wait(0.1):
                    log.get().error("lists.cannot_accept", error=type(error).__name__)
                continue
            try:
                self._start(opened)
            except (OSError, RuntimeError) as error:
                # The peer is gone already, or the system has no more threads; the next one is accepted.
                log.get().error("lists.cannot_serve", error=type(error).__name__)
                opened.close()

    def _start(self, opened: socket.socket) -> None:
        """A thread for this connection; raises OSError, RuntimeError."""
        connection = Connection(opened, self._certificate, server=True)
        thread = threading.Thread(target=self._serve, args=(connection,), name="lists-answer", daemon=True)
        with contextlib.ExitStack() as undo, self._lock:
            undo.callback(connection.close)
            if self._closed.is_set():
                return
            if len(self._handshakes) >= MAX_HANDSHAKES:
                oldest = next(iter(self._handshakes))
                del self._handshakes[oldest]
                oldest.shut()
            # Started within the lock: it takes itself out again, and may end at once.
            thread.start()
            self._threads[connection] = thread
            self._handshakes[connection] = None
            undo.pop_all()

    def _admit(self, connection: Connection) -> None:
        """Count it among those that have shown who they are; raises ConnectionError if there are too many."""
        with self._lock:
            if self._handshakes.pop(connection, connection) is connection:
                raise ConnectionAbortedError("others came before it had shown who it is")
            if len(self._admitted) >= MAX_CONNECTIONS:
                raise ConnectionRefusedError(f"there are {MAX_CONNECTIONS} connections already")
            self._admitted.add(connection)

    def _serve(self, connection: Connection) -> None:
        """One connection, from its handshake to its end, however it ends."""
        try:
            connection.handshake(time.monotonic() + SECONDS)
            self._admit(connection)
            while connection.wait():
                self._answer(connection)
        except (ConnectionResetError, BrokenPipeError):
            # An API process that has ended or was restarted is no news.
            pass
        except OSError as error:
            if not self._closed.is_set():
                log.get().warning("lists.connection_lost", error=str(error) or type(error).__name__)
        except InvalidMessage as error:
            log.get().warning("lists.malformed", error=str(error))
        except Exception as error:  # noqa: BLE001  # the edge of a thread: the other connections go on
            log.get().error("lists.failed", error=type(error).__name__, where=log.where(error))
        finally:
            connection.close()
            with self._lock:
                self._threads.pop(connection, None)
                self._handshakes.pop(connection, None)
                self._admitted.discard(connection)

    def _answer(self, connection: Connection) -> None:
        """Read one request and send the reply; raises OSError, and InvalidMessage after telling the peer why."""
        try:
            reply = self._reply(connection.receive(time.monotonic() + SECONDS))
        except InvalidMessage as error:
            with contextlib.suppress(OSError):
                connection.send(pack(Refused(str(error))), time.monotonic() + SECONDS)
            raise
        connection.send(pack(reply), time.monotonic() + SECONDS)

    def _reply(self, request: Message) -> Message:
        if not isinstance(request, ViewRequest | ScanRequest):
            raise InvalidMessage("a message that is not for a search process")
        self._check_target(request.target)
        if isinstance(request, ScanRequest):
            return self._scan(request)
        view = self._index.view(request.snapshot)
        if view is None:
            return IndexNotReady()
        if request.wake:
            view.wake()
        return ViewReply(view.since)

    def _check_target(self, target: Target) -> None:
        """Raises InvalidMessage where the other side means another index."""
        if target.quantizer != self._digest:
            raise InvalidMessage(
                f"another codebook: the lists are made for vectors of {self._quantizer.dimensions} dimensions and this"
                " release; CLEARANCE_LISTS__DIMENSIONS must be the embedder's, and the release the same on both sides"
            )
        if (target.shard, target.shards) != (self._shard.number, self._shard.total):
            raise InvalidMessage(
                f"these lists are shard {self._shard} and not {target.shard}/{target.shards}:"
                " CLEARANCE_LISTS__SERVERS must name all shards, in their order"
            )
        try:
            same = target.database == self._database()
        except DatabaseUnavailable as error:
            raise InvalidMessage("the database does not answer the search process") from error
        if not same:
            # Transaction numbers of two databases compare, and mean nothing: passages would be missing.
            raise InvalidMessage("another database: both sides' URLs must name one, and both start anew after a change")

    def _scan(self, request: ScanRequest) -> Message:
        """The index may have been rebuilt since the reader's view, so what the reader may use is determined again.

        A newer base lacks what was gone by then, and this reader may see it still: then there is no view. And an index
        that is not complete for `since` may lack what the reader counts on.
        """
        if request.query.shape != (self._quantizer.dimensions,):
            raise InvalidMessage(
                f"a query of {len(request.query)} dimensions where {self._quantizer.dimensions} are meant"
            )
        if not self._shard.holds(request.scopes):
            raise InvalidMessage(f"scopes that are not those of shard {self._shard}")
        view = self._index.view(request.snapshot)
        if view is None or not view.since.covers(request.since):
            return IndexNotReady()
        return ScanReply(view.scan(request.query, request.scopes, depth=request.depth))
