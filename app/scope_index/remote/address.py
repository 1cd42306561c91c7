"""Where search processes listen: addresses, and sockets that belong to their user alone."""

import errno
import socket
import stat
from pathlib import Path

BACKLOG = 64


class CannotListen(RuntimeError):
    """The address cannot be listened on; says why and what to do."""


def parse(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    """The path of a Unix socket (it begins with /), or `host:port`; raises ValueError."""
    if address.startswith("/"):
        return socket.AF_UNIX, address
    host, separator, port = address.rpartition(":")
    if not (separator and host and port.isdecimal() and int(port) < 1 << 16):
        raise ValueError(f"{address!r} is no address: give the path of a Unix socket, or host:port")
    bare = host.strip("[]")
    return (socket.AF_INET6 if ":" in bare else socket.AF_INET), (bare, int(port))


def listen(address: str) -> socket.socket:
    """A listening socket; raises CannotListen. A Unix socket's folder is created, and must be its owner's alone."""
    family, where = parse(address)
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if isinstance(where, str):
            _prepare(Path(where))
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        if isinstance(where, str):
            Path(where).chmod(0o600)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotListen(f"cannot listen on {address}: {error.strerror or error}") from error
    except CannotListen:
        listening.close()
        raise
    return listening


def _prepare(path: Path) -> None:
    """Create the folder of a socket, and remove a socket in it that nobody listens on any more."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_mode & 0o077:
        raise CannotListen(f"others may enter {path.parent}: chmod 700 it, the socket is for this user alone")
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise CannotListen(f"{path} is there and is no socket: give another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise CannotListen(f"another process listens on {path}: stop it, or give another path")
    path.unlink()
