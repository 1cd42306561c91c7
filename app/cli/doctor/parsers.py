"""What `clearance doctor` finds about the confinement of parsers: what each layer reaches on this machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from app.cli.doctor.finding import Finding
from app.cli.doctor.installation import Setup
from app.settings import WorkerOptions

PART = "parsers"
ALLOW = "CLEARANCE_WORKER__ALLOW_UNCONFINED_PARSING"
FULL_LANDLOCK = 6
NEEDS = (
    "Linux 6.12 has all of it, 5.13 enough: Landlock switched on (lsm=landlock,… at boot), and a container engine whose"
    " profile lets landlock_* and seccomp through (Docker 23 or newer). Until then no worker starts, and uploads wait"
)


def found(setup: Setup) -> Iterator[Finding]:
    """Measured by confining a process here. Where the worker runs on another machine, ask there."""
    done = subprocess.run(  # our own module, no shell
        [sys.executable, "-m", "ingest.confinement"], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["it was killed"]
        yield Finding(PART, "fail", f"a process cannot be confined here: {said[0]}", NEEDS)
        return
    layers = json.loads(done.stdout)
    where = "" if setup.embedded else " on this machine"
    calls = "system calls by allow-list" if layers["filter"] else "system calls not filtered"
    landlock = f"Landlock ABI {layers['landlock']}" if layers["landlock"] else "no Landlock"
    says = f"{layers['level']} confinement{where}: {calls}, {landlock}"
    given = {"allow_unconfined_parsing": os.environ.get(ALLOW) or False}
    allowed = WorkerOptions.model_validate(given).allow_unconfined_parsing
    if layers["level"] == "missing":
        then = f"; {ALLOW} lets files be read all the same, each with the reach of the worker" if allowed else ""
        yield Finding(PART, "fail", f"{says} ({layers['reason']}){then}", NEEDS)
    elif allowed:
        yield Finding(PART, "warn", says, f"unset {ALLOW}: nothing here needs it")
    elif layers["level"] == "reduced":
        mend = f"safe: the filter refuses all that by itself; with ABI {FULL_LANDLOCK} (Linux 6.12) Landlock does too"
        yield Finding(PART, "warn", says, mend)
    else:
        yield Finding(PART, "ok", says)
