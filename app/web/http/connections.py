"""HTTP connections with limits that uvicorn itself does not have: for slow heads, for numbers, for unread answers.

`LimitedProtocol` is given to uvicorn as its `http` protocol class, which is a documented setting.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.settings import ApiSettings
from app.web.http.client_address import Proxies, group_of, parse_networks

# How long the rest of a body that nobody wants is let run into nothing, so that its sender reads the answer first.
LINGER_SECONDS = 1.0
# And how much of it: what comes beyond waits in the sender until the connection ends.
MAX_DISCARDED = 1024 * 1024
# An answer of which the client takes nothing for so long is given up.
STALLED_SECONDS = 60.0


@dataclass(frozen=True)
class ConnectionLimits:
    """Seconds for the head of a request; connections at once, and those of one address that is no proxy of ours."""

    header_seconds: float
    total: int
    per_address: int
    proxies: Proxies

    @classmethod
    def of(cls, settings: ApiSettings) -> "ConnectionLimits":
        proxies = Proxies(parse_networks(settings.trusted_proxies), settings.proxy_header)
        return cls(settings.header_seconds, settings.max_connections, settings.max_connections_per_address, proxies)


class Connections:
    """The open connections of this process by address, oldest first. Of one event loop: it needs no lock."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._all: dict[LimitedProtocol, str] = {}
        self._by_group: dict[str, dict[LimitedProtocol, None]] = {}

    def admit(self, connection: "LimitedProtocol", address: str | None) -> bool:
        """Take it in. Where there are too many, the oldest that has no request in progress makes room; with none of
        those it is refused.
        """
        group = group_of(address)
        # Without an address it is another process of ours, which has counted the caller's own connection.
        exempt = address is None or self.limits.proxies.trusts(address)
        of_group = self._by_group.get(group, {})
        if not exempt and len(of_group) >= self.limits.per_address and not _make_room(of_group):
            return False
        if len(self._all) >= self.limits.total and not _make_room(self._all):
            return False
        self._all[connection] = group
        self._by_group.setdefault(group, {})[connection] = None
        return True

    def remove(self, connection: "LimitedProtocol") -> None:
        """It is closed; unknown ones too."""
        group = self._all.pop(connection, None)
        if group is not None:
            self._by_group[group].pop(connection, None)
            if not self._by_group[group]:
                del self._by_group[group]

    def __len__(self) -> int:
        return len(self._all)


def _make_room(among: "dict[LimitedProtocol, Any]") -> bool:
    """Close the oldest that has never sent a request, or else the oldest that waits for its next one."""
    for served in (False, True):
        for connection in among:
            if connection.is_waiting and connection.has_served == served:
                connection.cut()
                return True
    return False


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol over h11 that is bounded in every state; made by `protocol_class`."""

    open_connections: Connections

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.has_served = False
        self._lingers = False
        self._discarded = 0
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether no request is in progress: its head is not there yet, or its answer is sent."""
        return self.conn.their_state is h11.IDLE or self._lingers

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        if not self.open_connections.admit(self, self.client[0] if self.client else None):
            self.cut()
            return
        self._set_header_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open_connections.remove(self)
        self._stop(self._header_timer)
        self._stop(self._write_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingers:
            self._discarded += len(data)
            if self._discarded > MAX_DISCARDED:
                self.transport.pause_reading()
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop(self._header_timer)
            self._header_timer = None
        elif self._header_timer is None and not self.transport.is_closing():
            self._set_header_timer()

    def on_response_complete(self) -> None:
        self.has_served = True
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._linger()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writes(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._stop(self._write_timer)
        self._write_timer = None
        super().resume_writing()

    def cut(self) -> None:
        """End it without another word, and count it no longer."""
        self.open_connections.remove(self)
        self.transport.abort()

    def _set_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self.open_connections.limits.header_seconds, self.cut)

    def _linger(self) -> None:
        """The answer is out and the body is not in: the rest is not looked at, and the connection ends."""
        self._lingers = True
        self._unset_keepalive_if_required()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._header_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _watch_writes(self, before: int) -> None:
        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if left >= before:
                self.cut()
            else:
                self._watch_writes(left)

        self._stop(self._write_timer)
        self._write_timer = self.loop.call_later(STALLED_SECONDS, look)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


def protocol_class(limits: ConnectionLimits) -> type[LimitedProtocol]:
    """The protocol for one server, whose connections are counted together."""
    return type("Protocol", (LimitedProtocol,), {"open_connections": Connections(limits)})
