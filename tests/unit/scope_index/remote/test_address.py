"""Where search processes listen: what is no address, and who may reach a socket."""

import stat
from pathlib import Path

import pytest

from app.scope_index.remote.address import CannotListen, listen, parse


@pytest.mark.parametrize("address", ["", "host", ":1", "host:", "host:70000", "relative/path"])
def test_an_address_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse(address)


def test_the_socket_is_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "lists.sock"
    with listen(str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with pytest.raises(CannotListen, match="another process listens"):
            listen(str(path))
    listen(str(path)).close()  # what a process of before has left is no hindrance
    path.unlink()
    path.write_text("a file of somebody's")
    with pytest.raises(CannotListen, match="is no socket"):
        listen(str(path))
    path.parent.chmod(0o755)
    with pytest.raises(CannotListen, match="chmod 700"):
        listen(str(path))


def test_a_port_that_is_taken_is_refused() -> None:
    with listen("127.0.0.1:0") as taken, pytest.raises(CannotListen, match="cannot listen"):
        listen(f"127.0.0.1:{taken.getsockname()[1]}")
