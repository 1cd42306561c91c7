"""Where a run listens: whether it can, and what to do where it cannot."""

import errno
import socket

import httpx2

from app.client.errors import UserError


class PortUnusable(UserError):
    """The API's port or host is not to be had; the message says what to do."""


def address_of(host: str) -> str:
    """The host part of a URL by which this machine reaches a server that listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # what a user may have set
    return f"[{host}]" if ":" in host else host


def responds(url: str) -> bool:
    """Whether a GET returns status 200."""
    try:
        return httpx2.get(url, timeout=5.0, trust_env=False).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def require_free(host: str, port: int) -> None:
    """Raise PortUnusable unless the API can listen there; the message tells another Clearance from other programs."""
    error = _bind_error(host, port)
    if error is None:
        return
    another = f"set another port: CLEARANCE_API__PORT={port + 1 if 1024 <= port < 65535 else 8701} make run"
    if error.errno == errno.EADDRINUSE:
        url, taken = f"http://{address_of(host)}:{port}", f"port {port} on {host} is taken by another"
        if _is_clearance(url):
            raise PortUnusable(f"{taken} Clearance: use that one (--url {url}), or {another}")
        raise PortUnusable(f"{taken} program ('ss -ltnp' shows which): end it, or {another}")
    if error.errno == errno.EACCES:
        raise PortUnusable(f"port {port} is for root alone: {another}")
    raise PortUnusable(
        f"cannot listen on {host} ({error.strerror}): set CLEARANCE_API__HOST to an address of this machine"
    )


def _is_clearance(url: str) -> bool:
    """Whether the server there refuses a request without a key as Clearance does."""
    try:
        answer = httpx2.get(f"{url}/api/v1/users/me", timeout=2.0, trust_env=False)
        return bool(answer.json()["type"].startswith("urn:clearance:"))
    except (httpx2.TransportError, ValueError, KeyError, TypeError, AttributeError):
        return False


def is_free(host: str, port: int) -> bool:
    return _bind_error(host, port) is None


def _bind_error(host: str, port: int) -> OSError | None:
    """The error of listening there; None if it is possible."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections do not count
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None
