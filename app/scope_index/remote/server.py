"""A search process's side: it holds one part of the lists and answers API processes that know the key.

It tells no more than the lists do: numbers of passages and scores, for scopes that it is asked for by number. Who may
read them it does not know; the reader's exact step, under row-level security, decides (ADR 0012).
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
from app.scope_index.remote.connection import Channel, ChannelLost
from app.scope_index.remote.messages import (
    Found,
    Hello,
    Look,
    Malformed,
    Message,
    Nothing,
    Reading,
    Refused,
    Scan,
    Welcome,
)
from app.scope_index.sharding import Shard

# Connections at once that have proved the key, and those that have not yet: each has a thread. One more of the latter
# ends the oldest of them, so that whoever proves nothing keeps out nobody: a proof takes milliseconds.
MAX_CONNECTIONS = 256
MAX_UNPROVEN = 64
# For the proof of the key with the greeting.
PROOF_SECONDS = 2.0
# At most for that, for the rest of a message that has begun, and for an answer to be taken.
SECONDS = 5.0


class ListServer:
    """Answers over a listening socket until it is closed: a thread for each connection."""

    def __init__(
        self, lists: ScopeIndex, book: ProductQuantizer, shard: Shard, *, key: bytes, database: Callable[[], bytes]
    ) -> None:
        """`database` gives the digest of the database that the lists are read from (`Identity`)."""
        self._lists, self._book, self._shard, self._key, self._database = lists, book, shard, key, database
        self._lock = threading.Lock()
        self._threads: dict[Channel, threading.Thread] = {}
        # In the order in which they came.
        self._unproven: dict[Channel, None] = {}
        self._proven: set[Channel] = set()
        self._listening: socket.socket | None = None
        self._closed = threading.Event()

    def start(self, listening: socket.socket) -> None:
        """Answer in the background. Takes the socket over."""
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), name="lists-accept", daemon=True).start()

    def close(self) -> None:
        """Stop listening and end all connections."""
        self._closed.set()
        if self._listening is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        with self._lock:
            left = dict(self._threads)
        for channel in left:
            channel.shut()
        for thread in left.values():
            thread.join()

    def _accept(self, listening: socket.socket) -> None:
        while not self._closed.is_set():
            try:
                opened, _ = listening.accept()
            except OSError as error:
                # Out of file descriptors, perhaps: the connections that there are go on.
                if not self._closed.wait(0.1):
                    log.get().error("lists.cannot_accept", error=type(error).__name__)
                continue
            self._take(opened)

    def _take(self, opened: socket.socket) -> None:
        """A thread for this connection, or its end; whatever goes wrong, the next one is accepted."""
        admitted = False
        try:
            channel = Channel(opened)
            thread = threading.Thread(target=self._serve, args=(channel,), name="lists-answer", daemon=True)
            with self._lock:
                if len(self._proven) < MAX_CONNECTIONS and not self._closed.is_set():
                    self._make_room()
                    # Started within the lock: it takes itself out again, and may end at once.
                    thread.start()
                    self._threads[channel] = thread
                    self._unproven[channel] = None
                    admitted = True
        except (OSError, RuntimeError) as error:
            # The peer is gone already, or the system has no more threads.
            log.get().error("lists.cannot_serve", error=type(error).__name__)
        else:
            if not (admitted or self._closed.is_set()):
                log.get().warning("lists.full", connections=MAX_CONNECTIONS)
        finally:
            if not admitted:
                opened.close()

    def _make_room(self) -> None:
        """End the oldest of those that have proved nothing, if there are too many. Called within the lock."""
        if len(self._unproven) >= MAX_UNPROVEN:
            oldest = next(iter(self._unproven))
            del self._unproven[oldest]
            oldest.shut()

    def _proved(self, channel: Channel) -> None:
        """Count it among those that know the key; raises ChannelLost where there are enough of them."""
        with self._lock:
            if self._unproven.pop(channel, channel) is channel:
                raise ChannelLost("others came while it proved nothing")
            if len(self._proven) >= MAX_CONNECTIONS:
                raise ChannelLost("there are too many connections")
            self._proven.add(channel)

    def _serve(self, channel: Channel) -> None:
        """One connection, from the proof of the key to its end, however it ends."""
        try:
            self._welcome(channel)
            while True:
                channel.wait()
                answer = self._answer(channel.receive(time.monotonic() + SECONDS))
                channel.send(answer, time.monotonic() + SECONDS)
        except ChannelLost as lost:
            # An API process that has ended or was restarted is no news.
            if str(lost) not in {"EOFError", "ConnectionResetError", "BrokenPipeError"}:
                log.get().warning("lists.connection_lost", error=str(lost))
        except Malformed as error:
            log.get().warning("lists.malformed", error=str(error))
        except Exception as error:  # noqa: BLE001  # the edge of a thread: the other connections go on
            log.get().error("lists.failed", error=type(error).__name__, where=log.where(error))
        finally:
            channel.close()
            with self._lock:
                self._threads.pop(channel, None)
                self._unproven.pop(channel, None)
                self._proven.discard(channel)

    def _welcome(self, channel: Channel) -> None:
        """Raises ChannelLost, or Malformed where the other side means other lists."""
        channel.admit(self._key, time.monotonic() + min(SECONDS, PROOF_SECONDS))
        self._proved(channel)
        deadline = time.monotonic() + SECONDS
        reason = self._objection(channel.receive(deadline))
        channel.send(Welcome() if reason is None else Refused(reason), time.monotonic() + SECONDS)
        if reason is not None:
            raise Malformed(reason)

    def _objection(self, greeting: Message) -> str | None:
        if not isinstance(greeting, Hello):
            return "the first message must be a greeting"
        if greeting.digest != bytes.fromhex(self._book.digest):
            return (
                f"another codebook: the lists are made for vectors of {self._book.dimensions} dimensions and this"
                " release; CLEARANCE_LISTS__DIMENSIONS must be the embedder's, and the release the same on both sides"
            )
        if (greeting.number, greeting.total) != (self._shard.number, self._shard.total):
            return (
                f"these lists are shard {self._shard} and not {greeting.number}/{greeting.total}:"
                " CLEARANCE_LISTS__SERVERS must name all shards, in their order"
            )
        try:
            same = greeting.database == self._database()
        except DatabaseUnavailable:
            return "the database does not answer the search process"
        # Numbers of transactions and passages of two databases compare, and mean nothing: passages would be missing.
        return None if same else "another database: both sides' URLs must name one, and both start anew after a change"

    def _answer(self, asked: Message) -> Message:
        if isinstance(asked, Look):
            held = self._lists.view(asked.snapshot)
            if held is None:
                return Nothing()
            if asked.wake:
                held.wake()
            return Reading(held.since)
        if isinstance(asked, Scan):
            return self._scanned(asked)
        raise Malformed("a message that is not for a server")

    def _scanned(self, asked: Scan) -> Message:
        """The lists may have been renewed since the reader looked, so what it may use is found out again.

        A newer base lacks what was gone by then, and this reader may see it still: then `view` gives nothing. And a
        reading that does not cover `since` may lack what the reader counts on.
        """
        if asked.query.shape != (self._book.dimensions,):
            raise Malformed(f"a query of {len(asked.query)} dimensions where {self._book.dimensions} are meant")
        if not self._shard.holds(asked.scopes):
            raise Malformed(f"scopes that are not those of shard {self._shard}")
        held = self._lists.view(asked.snapshot)
        if held is None or not held.since.covers(asked.since):
            return Nothing()
        return Found(held.scan(asked.query, asked.scopes, depth=asked.depth))
