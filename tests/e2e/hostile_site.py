"""An instance in one of three arrangements, and a hostile file in its sandbox: `hostile_site.py ARRANGEMENT FOLDER`.

`root`: all is started by root. `user`: everything runs as one user. `compose`: the same, without capabilities and with
no new privileges, as in docker-compose.yml. `open`: as `user`, and the attacks run outside of the confinement.
`limits`: a parser tries to outlive its limits. Prints JSON: how each attack ended, and what is left of the instance.
"""

import ctypes
import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.local.postgres import POSTGRES_UID, EmbeddedPostgres
from app.local.secrets import LocalSecrets
from ingest import sandbox as module
from ingest.confinement import Limits
from ingest.extractors.errors import ExtractionError
from ingest.sandbox import Sandbox
from tests.e2e.hostile_code import NONE, attacks, sweep
from tests.e2e.hostile_zygote import MARK, become

USER = 61200  # nobody in particular
ABSTRACT = "\0clearance-hostile"


def main(arrangement: str, folder: Path) -> None:
    """Build it, attack, look."""
    root = os.geteuid() == 0
    uid = USER if root and arrangement != "root" else 0
    home = instance(folder / "home", uid or os.geteuid())
    postgres = EmbeddedPostgres(folder / "pg", password="p", settings={"fsync": "off"}, uid=uid or POSTGRES_UID)
    with postgres as server, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{ABSTRACT}-{os.getpid()}")
        listening.listen()
        if uid:
            os.chown(server.folder, uid, uid)
        cluster = (server.folder / "data" / name for name in ("PG_VERSION", "pg_hba.conf", "global/pg_control"))
        wal = sorted((server.folder / "data" / "pg_wal").glob("0*"))[0]
        in_place_of_the_zygote(uid, arrangement == "compose")
        box = Sandbox()
        box.extract(b"warm", filename="warm.txt")
        assert box._process is not None
        become(uid, no_new_privileges=arrangement == "compose")
        if arrangement == "limits":
            sys.stdout.write(json.dumps(outliving(box)))
            return
        targets = {
            "worker": os.getpid(), "zygote": box._process.pid, "postgres": server.pid, "port": server.port,
            "files": [str(path) for path in (home / "secrets.json", *cluster, wal)],
            "own": [str(home / f"own-{n}") for n in range(4)], "writable": str(folder / "writable"),
            "socket": f"{server.socket_dir}/.s.PGSQL.{server.port}", "abstract": f"{ABSTRACT}-{os.getpid()}",
        }  # fmt: skip
        ended = unconfined(targets) if arrangement == "open" else in_sandbox(box, targets)
        after = {
            "secrets": (home / "secrets.json").stat().st_size > 100,
            "own": sorted(path.name for path in home.glob("own*")),
            "writable": [path.name for path in (folder / "writable").iterdir()],
            "postgres": server.pid is not None,
            "parses": box.extract(b"still here", filename="a.txt").blocks[0].text,
        }
        box.close()
        sys.stdout.write(json.dumps({"ended": ended, "after": after}))


def instance(home: Path, owner: int) -> Path:
    """Secrets and a few files of the user that the worker runs as, and a folder that all can write."""
    LocalSecrets.open(home)
    for number in range(4):
        (home / f"own-{number}").write_text("kept")
    writable = home.parent / "writable"
    writable.mkdir()
    writable.chmod(0o777)
    for path in (home, *home.iterdir()):
        os.chown(path, owner, owner)
    home.chmod(0o755)
    return home


def in_place_of_the_zygote(uid: int, no_new_privileges: bool) -> None:
    """Start the hostile one where the sandbox starts its own."""
    start = subprocess.Popen
    script = str(Path(__file__).with_name("hostile_zygote.py"))

    def hostile(argv: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        given = [argv[0], script, str(uid), str(int(no_new_privileges)), *argv[3:]]
        return start(given, **options)

    vars(module)["subprocess"] = SimpleNamespace(Popen=hostile, DEVNULL=subprocess.DEVNULL)


def in_sandbox(box: Sandbox, targets: dict[str, Any]) -> Any:
    """How the attacks ended that a parser made."""
    said = box.extract(MARK + json.dumps(targets).encode(), filename="a.txt").blocks[0].text
    return json.loads(said)


OUTLIVE = """
import resource, signal
def tried(act):
    try: act()
    except (OSError, ValueError): pass
while True:
    tried(lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN))
    tried(lambda: signal.signal(signal.SIGXCPU, signal.SIG_IGN))
    tried(lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGXCPU}))
    tried(lambda: signal.setitimer(signal.ITIMER_REAL, 1000))
    tried(lambda: resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000)))
"""


def outliving(box: Sandbox) -> dict[str, Any]:
    """How files ended that hold on to life, under a short clock and under little processor time."""
    assert box._process is not None
    before, ended = box._process.pid, []
    for limits in (Limits(wall_seconds=1.0), Limits(cpu_seconds=1)):
        box.limits = limits
        try:
            box.extract(MARK + json.dumps({"code": OUTLIVE}).encode(), filename="a.txt")
        except ExtractionError as error:
            ended.append(type(error).__name__)
    return {"ended": ended, "same zygote": box._process is not None and box._process.pid == before}


def unconfined(targets: dict[str, Any]) -> dict[str, str]:
    """The same from processes that nothing confines, one for each attack; without the sweep, which may do anything."""
    ended = {}
    for name, act in attacks(targets).items():
        if act is sweep:
            continue
        pid = os.fork()
        if pid == 0:
            status = 255
            try:
                ctypes.CDLL(None).alarm(20)
                act()
                status = 0  # as that of the program that an attack may have become
            except OSError as error:
                status = error.errno or 255
            finally:
                os._exit(status)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ended[name] = NONE if code == 0 else errno.errorcode.get(code, str(code))
    return ended


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
