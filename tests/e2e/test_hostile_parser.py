"""A parser that a file has taken over reads, writes, signals and reaches nothing: the attacks run inside of it."""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.hardening import PR_SET_DUMPABLE
from ingest.sandbox import ConfinementMissing, Sandbox
from tests.e2e.hostile_code import NONE
from tests.support.environment import REPOSITORY
from tests.support.processes import process
from tests.support.waiting import wait_for

SECRET = "postgresql+psycopg://clearance_ingest:hunter2@127.0.0.1/clearance"
# What nobody but the confinement keeps a process of the worker's user from. The other attacks fail there for want of
# privileges or devices, and are tried all the same: on another machine they may not.
WOULD_SUCCEED = (
    "read /etc/passwd", "list /", "stat a path", "truncate by opening", "open for writing", "chmod", "rename", "unlink",
    "link", "mkdir", "write to /tmp", "write to /dev/shm", "signal worker", "signal postgres", "signal everybody",
    "pidfd of worker", "trace worker", "read memory of worker", "limits of worker", "fork", "start a thread", "execve",
    "socket inet", "socket netlink", "socket unix", "connect to PostgreSQL", "connect to its socket",
    "connect to an abstract socket", "put off the alarm", "ignore the alarm", "block the alarm", "memory that runs",
    "file in memory", "shared memory", "semaphores", "message queue", "add_key", "inotify",
)  # fmt: skip


def site(arrangement: str, folder: Path) -> dict[str, Any]:
    """What the instance in an arrangement says after the attack."""
    folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("hostile_site.py")), arrangement, str(folder)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "CLEARANCE_DATABASE__INGEST_URL": SECRET},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can enter, so that nothing but the confinement stands before its files.

    Not below pytest's own, which every run that starts beside this one closes to others again.
    """
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("arrangement", ["root", "user", "compose"])
def test_hostile_code_reaches_nothing(arrangement: str, open_folder: Path) -> None:
    """Files of the instance, other processes, sockets, namespaces, limits: 160 attacks, and each is refused."""
    if arrangement == "root" and os.geteuid() != 0:
        pytest.skip("only root starts programs as other users")
    said = site(arrangement, open_folder)
    assert {name: how for name, how in said["ended"].items() if how != "EACCES"} == {}
    assert len(said["ended"]) > 150
    assert said["after"]["secrets"]
    assert said["after"]["postgres"]
    assert said["after"]["own"] == ["own-0", "own-1", "own-2", "own-3"]
    assert said["after"]["writable"] == []
    assert said["after"]["parses"] == "still here"


def test_the_attacks_succeed_where_nothing_confines_them(open_folder: Path) -> None:
    """Or they would prove nothing."""
    ended = site("open", open_folder)["ended"]
    secrets = next(name for name in ended if name.endswith("secrets.json"))
    cluster = [name for name in ended if name.endswith(("pg_control", "0001"))]
    assert {name: ended[name] for name in (*WOULD_SUCCEED, secrets, *cluster) if ended[name] != NONE} == {}


def test_a_parser_can_put_off_neither_clock_nor_processor_time(open_folder: Path) -> None:
    """It ends by its own limits; before, one that ignored its alarm took the zygote and other files with it."""
    assert site("limits", open_folder) == {"ended": ["TimedOut", "TimedOut"], "same zygote": True}


FOREIGN = """
import sys
from ingest.confinement import confine
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex(sys.argv[1]))
run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
confine()
run()
"""
GETPID_32, GETPID_X32 = "b814000000cd80c3", "b8270000400f05c3"  # mov eax, number; int 0x80 or syscall; ret


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other machines have one numbering")
@pytest.mark.parametrize("code", [GETPID_32, GETPID_X32])
def test_another_numbering_of_system_calls_ends_the_process(code: str) -> None:
    """Under it the same numbers mean other calls, so the list would be worth nothing."""
    done = subprocess.run([sys.executable, "-c", FOREIGN, code], cwd=REPOSITORY, check=False, timeout=60)
    assert done.returncode == -31  # SIGSYS


@pytest.mark.parametrize(("layer", "named"), [("landlock", "Landlock"), ("seccomp", "seccomp filter")])
def test_without_confinement_nothing_is_parsed_unless_a_setting_says_so(
    layer: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names the layer, what to do, and the risk of the way around."""
    in_a_kernel_without(monkeypatch, layer)
    with pytest.raises(ConfinementMissing, match=rf"{named}.*ALLOW_UNCONFINED_PARSING=true lets a hostile file reach"):
        Sandbox().extract(b"x", filename="a.txt")
    box = Sandbox(allow_unconfined=True)
    try:
        assert box.extract(b"text", filename="a.txt").blocks[0].text == "text"
        assert box.level == "missing"
    finally:
        box.close()


def in_a_kernel_without(monkeypatch: pytest.MonkeyPatch, layer: str) -> None:
    """Start the zygote in a process whose kernel refuses the layer, as one does that lacks it."""
    start, script = subprocess.Popen, str(Path(__file__).with_name("poor_kernel.py"))

    def poor(argv: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        return start([argv[0], script, layer, *argv[1:]], **options)

    monkeypatch.setattr("ingest.sandbox.subprocess.Popen", poor)


def test_a_worker_without_confinement_does_not_start(tmp_path: Path) -> None:
    """So uploads wait, and none fails for what is no fault of the file."""
    script = Path(__file__).with_name("poor_kernel.py")
    done = subprocess.run(
        [sys.executable, script, "landlock", "-m", "ingest"], capture_output=True, text=True, check=False, timeout=100,
        cwd=REPOSITORY, env={**os.environ, "CLEARANCE_DATABASE__INGEST_URL": SECRET},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "clearance worker: a parser cannot be confined here, so no file is read"
    )


LANDLOCK_ALONE = """
import os, socket, sys
from ingest import landlock
pid = os.getppid()
landlock.forbid_all()
def refused(act):
    try: act()
    except PermissionError: return True
    return False
print(landlock.version(), *(refused(act) for act in (
    lambda: open("/etc/passwd"), lambda: os.listdir("/"), lambda: os.open("/tmp", os.O_TMPFILE | os.O_WRONLY),
    lambda: os.mkdir(sys.argv[1] + "-made"), lambda: os.listdir(f"/proc/{pid}/cwd/"),
    lambda: os.truncate(sys.argv[1], 0), lambda: socket.create_connection(("127.0.0.1", 9)), lambda: os.kill(pid, 0),
)))
"""
SINCE = (1, 1, 1, 1, 1, 3, 4, 6)  # the ABI that refuses each


def test_landlock_holds_by_itself(tmp_path: Path) -> None:
    """The filter hides it from the other tests; it is there for the call that should never have come onto the list."""
    kept = tmp_path / "kept"
    kept.write_text("kept")
    done = subprocess.run(
        [sys.executable, "-c", LANDLOCK_ALONE, str(kept)],
        cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    version, *refused = done.stdout.split()
    assert refused == [str(since <= int(version)) for since in SINCE]


API = {
    "DATABASE__APP_URL": SECRET, "IDENTITY__KEY": "ab" * 32, "AUDIT__KEY": "cd" * 32, "MODEL__API_KEY": "hunter2",
    "API__METRICS_KEY": "hunter2",
}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "settings"),
    [
        ("uvicorn app.main:create --factory --port 0", API),
        ("ingest", {"DATABASE__INGEST_URL": SECRET}),
        ("app.sequencer_process", {"DATABASE__SEQUENCER_URL": SECRET}),
        ("app.delivery_process", {"DATABASE__DELIVERY_URL": SECRET}),
        ("app.search_process", {"DATABASE__SEARCH_URL": SECRET, "LISTS__LISTEN": "{folder}/private/lists.sock"}),
        ("app.local.model_server --port 0", {"MODEL__API_KEY": "hunter2"}),
    ],
)
def test_each_of_our_processes_hides_what_it_was_started_with(
    module: str, settings: dict[str, str], tmp_path: Path
) -> None:
    """Its environment is blank even to root once the settings are read, and its memory is root's alone."""
    given = {f"CLEARANCE_{key}": value.format(folder=tmp_path) for key, value in settings.items()}
    with process(tmp_path, module.split(), given) as started:
        proc = Path(f"/proc/{started.child.pid}")
        wait_for(
            lambda: started.child.poll() is not None or is_blank(proc, given),
            seconds=60, message=lambda: started.said,
        )  # fmt: skip
        assert started.child.poll() is None, started.said
        assert proc.joinpath("mem").stat().st_uid == 0


def is_blank(proc: Path, given: Mapping[str, str]) -> bool:
    """Whether the process is past its settings. To others than root its environment is closed from then on."""
    try:
        environment = proc.joinpath("environ").read_bytes()
    except PermissionError:
        return os.geteuid() != 0
    started = all(f"{key}=".encode() in environment for key in given)  # not so for a moment, while it is loaded
    return started and not any(value.encode() in environment for value in given.values())


def test_this_process_can_be_inspected() -> None:
    """So the test above tells a difference."""
    assert ctypes.CDLL(None).prctl(PR_SET_DUMPABLE - 1, 0, 0, 0, 0) == 1


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_a_worker_that_could_not_confine_a_parser_ends_before_it_looks_for_uploads(layer: str) -> None:
    """There is no database at this URL: it does not come to ask."""
    done = worker_that_ends(["tests/e2e/poor_kernel.py", layer, "-m", "ingest"])
    assert done.returncode == 1
    assert "clearance worker: a parser cannot be confined here" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_worker_whose_parsers_would_be_somebody_ends_at_once() -> None:
    done = worker_that_ends(["-m", "ingest"], CLEARANCE_WORKER__PARSER_UID="65534")
    assert done.returncode == 1
    assert "user id 65534 belongs to nobody" in done.stderr


def worker_that_ends(arguments: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    nowhere = {"CLEARANCE_DATABASE__INGEST_URL": "postgresql+psycopg://clearance_ingest:x@127.0.0.1:1/clearance"}
    return subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **nowhere, **settings}, cwd=REPOSITORY, check=False,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
