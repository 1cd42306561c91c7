"""Checks the confinement of parsers: which of its layers this machine supports."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from app.admin.health.check_result import CheckResult
from app.cli.doctor.installation import Installation
from app.settings import WorkerOptions

PART = "parsers"
ALLOW = "CLEARANCE_WORKER__ALLOW_UNCONFINED_PARSING"
FULL_LANDLOCK = 6
NEEDS = (
    "Linux 6.12 has all of it, 5.13 enough: Landlock switched on (lsm=landlock,… at boot), and a container engine whose"
    " profile lets landlock_* and seccomp through (Docker 23 or newer). Until then no worker starts, and uploads wait"
)


def check_parsers(installation: Installation) -> Iterator[CheckResult]:
    """Confines a process on this machine; if the worker runs on another one, check there."""
    probe = subprocess.run(  # our own module, no shell
        [sys.executable, "-m", "ingest.confinement"], capture_output=True, text=True, check=False, timeout=60
    )
    if probe.returncode != 0:
        reason = probe.stderr.strip().splitlines()[-1:] or ["it was killed"]
        yield CheckResult(PART, "fail", f"a process cannot be confined here: {reason[0]}", NEEDS)
        return
    layers = json.loads(probe.stdout)
    where = "" if installation.embedded else " on this machine"
    calls = "system calls by allow-list" if layers["filter"] else "system calls not filtered"
    landlock = f"Landlock ABI {layers['landlock']}" if layers["landlock"] else "no Landlock"
    text = f"{layers['level']} confinement{where}: {calls}, {landlock}"
    options = {"allow_unconfined_parsing": os.environ.get(ALLOW) or False}
    allowed = WorkerOptions.model_validate(options).allow_unconfined_parsing
    if layers["level"] == "missing":
        consequence = f"; {ALLOW} lets files be read all the same, each with the reach of the worker" if allowed else ""
        yield CheckResult(PART, "fail", f"{text} ({layers['reason']}){consequence}", NEEDS)
    elif allowed:
        yield CheckResult(PART, "warn", text, f"unset {ALLOW}: nothing here needs it")
    elif layers["level"] == "reduced":
        mend = f"safe: the filter refuses all that by itself; with ABI {FULL_LANDLOCK} (Linux 6.12) Landlock does too"
        yield CheckResult(PART, "warn", text, mend)
    else:
        yield CheckResult(PART, "ok", text)
