"""The check of a model that is started on demand: it must not start what it looks at."""

import fcntl
import socket
from pathlib import Path

from app.admin.health.model import check_model
from app.settings import ModelSettings


def settings(listener: socket.socket, lock: Path | None) -> ModelSettings:
    return ModelSettings(
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1", lock=lock, first_token_seconds=0.2
    )


def test_one_that_has_not_started_is_not_contacted(tmp_path: Path) -> None:
    lock = tmp_path / "model.lock"
    lock.touch()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        [found] = check_model(settings(listener, lock))
        assert (found.state, "has not started yet" in found.says) == ("ok", True)
        try:
            listener.accept()
        except TimeoutError:
            pass
        else:
            raise AssertionError("the check connected")


def test_one_that_runs_and_one_of_which_nothing_is_known_are_asked(tmp_path: Path) -> None:
    lock = tmp_path / "model.lock"
    with socket.create_server(("127.0.0.1", 0)) as listener, lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for known in (lock, None, tmp_path / "gone.lock"):
            [found] = check_model(settings(listener, known))
            assert found.state == "fail", "nobody answers here"
