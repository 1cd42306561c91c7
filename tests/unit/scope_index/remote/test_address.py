"""Where search processes listen: what is no address or key, and who may reach a socket."""

import stat
from pathlib import Path

import pytest

from app.scope_index.remote.address import CannotListen, key_of, listen, parse


@pytest.mark.parametrize("address", ["", "host", ":1", "host:", "host:70000", "relative/path"])
def test_an_address_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse(address)


@pytest.mark.parametrize("key", ["", "ab", "zz" * 32, "ab" * 33])
def test_a_key_that_is_none_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -hex 32") as refused:
        key_of(key)
    assert not key or key not in str(refused.value)


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
