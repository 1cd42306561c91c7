"""`clearance run` as a newcomer starts it, with every Python process watched for a socket that leaves this machine."""

import ipaddress
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
import psutil
import pytest

from app.evidence.signed_note import VerifierKey
from app.evidence.verify import verify
from app.local.sample_people import ADMINISTRATOR, PEOPLE_FILE
from tests.support.environment import REPOSITORY, free_port
from tests.support.waiting import wait_for

# Written into a folder on PYTHONPATH: Python runs it at the start of each process, and audit hooks cannot be removed.
TRAP = """
import os, sys
def _trap(event, arguments, _file={file!r}):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        target = arguments[0] if event in ("socket.getaddrinfo", "socket.gethostbyname") else arguments[1]
        with open(_file, "a") as out:
            out.write(repr((event, target)) + "\\n")
sys.addaudithook(_trap)
"""


@contextmanager
def started(home: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run when its welcome is shown: the process, and its output."""
    output = home.parent / "output.txt"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "100", **more}
    with output.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "run", "--home", str(home)],
            cwd=REPOSITORY, env=environment, stdout=out, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        wait_for(lambda: "Try:" in output.read_text(), seconds=240, message=output.read_text, child=process)
        yield process, output
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def clearance(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command against the running instance."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments, "--home", str(home)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


QUESTION = "What is the budget for the Rotterdam project?"
# What is started again when it dies, and a word of its command line.
PARTS = {"api": "app", "model": "app.local.model_server", "postgres": "postgres", "worker": "ingest",
         "sequencer": "app.sequencer_process"}  # fmt: skip


@pytest.mark.timeout(600)
def test_first_run_demo_second_run_and_a_clean_end(tmp_path: Path) -> None:
    """The newcomer's path; nothing phones home on it, and nothing is left when it ends."""
    home, trap, calls = tmp_path / "state", tmp_path / "trap", tmp_path / "calls.txt"
    trap.mkdir()
    calls.touch(mode=0o666)
    calls.chmod(0o666)
    (trap / "sitecustomize.py").write_text(TRAP.format(file=str(calls)))
    port = str(free_port())
    with started(home, PYTHONPATH=str(trap), CLEARANCE_API__PORT=port) as (process, output):
        assert "clr_" not in output.read_text("utf-8"), "a key stands on the screen"
        check_sign_in_link(output.read_text("utf-8"))
        assert (home / "people.json").stat().st_mode & 0o777 == 0o600
        demo = clearance(home, "demo")
        assert demo.returncode == 0, demo.stdout + demo.stderr
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []
    with started(home, CLEARANCE_API__PORT=port) as (process, output):
        assert clearance(home, "ask", QUESTION, "--as", "freya").returncode == 0
        check_parts_that_die(home, process, output)
    contacted = [eval(line) for line in calls.read_text().splitlines()]
    assert contacted, "the trap saw nothing at all, not even loopback: it is not set"
    assert [c for c in contacted if not stays_here(c[1])] == []


def check_parts_that_die(home: Path, process: subprocess.Popen[str], output: Path) -> None:
    """Each part is killed, said on the terminal and started again; the next question is answered, and the log stays
    whole.
    """

    def answers() -> bool:
        return "18.74" in clearance(home, "ask", QUESTION, "--as", "jonas").stdout

    assert "has not started yet" in health_of_model(home)
    assert running_part(process, "app.local.model_server") is None, "the model started before anybody asked it"
    generated = clearance(home, "ask", QUESTION, "--mode", "generate", "--as", "jonas")
    assert generated.returncode == 0
    assert "The model did not answer" not in generated.stdout + generated.stderr
    assert "s for a word" in health_of_model(home)
    for part, word in PARTS.items():
        victim = running_part(process, word)
        assert victim is not None
        victim.kill()
        said = f"{part} is started again"
        wait_for(partial(_stands_in, output, said), seconds=10, message=output.read_text)
        wait_for(answers, seconds=30, message=output.read_text)
    assert process.poll() is None
    exported = home.parent / "log.jsonl"
    assert clearance(home, "audit", "export", "--to", str(exported), "--as", "oskar").returncode == 0
    signed_by = VerifierKey.parse((home / "audit-signing.pub").read_text("utf-8"))
    report = verify(exported, trusted=[signed_by])
    assert report.ok, report.lines
    assert report.signers == (signed_by.name,)


def health_of_model(home: Path) -> str:
    """What the service says of its model."""
    key = json.loads((home / PEOPLE_FILE).read_text("utf-8"))[ADMINISTRATOR]["key"]
    url = json.loads((home / "run.json").read_text("utf-8"))["api_url"]
    answer = httpx2.get(f"{url}/api/v1/health", headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30)
    return next(str(check["says"]) for check in answer.json()["checks"] if check["part"] == "model")


def running_part(process: subprocess.Popen[str], word: str) -> psutil.Process | None:
    """The process of the run with this word in its command line."""
    children = psutil.Process(process.pid).children()
    return next((child for child in children if any(Path(each).name == word for each in child.cmdline())), None)


def _stands_in(output: Path, text: str) -> bool:
    return text in output.read_text("utf-8")


def check_sign_in_link(printed: str) -> None:
    """A browser of this machine is signed in by the printed link, once."""
    [link] = re.findall(r"^  freya +(http://localhost:\d+/sign-in/link\?token=cll_\S+)$", printed, re.MULTILINE)
    address, _, token = link.partition("?token=")
    with httpx2.Client(trust_env=False) as browser:
        assert "Sign in as Freya Tamm?" in browser.get(link).text
        for status in (303, 403):
            answer = browser.post(address, data={"token": token}, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code == status
        page = browser.get(address.removesuffix("/sign-in/link"))
        assert ">freya</span>" in page.text


def stays_here(target: object) -> bool:
    """Whether an address or a host name is this machine, or a Unix socket."""
    if target is None or (isinstance(target, str) and target.startswith(("/", "\0"))) or isinstance(target, bytes):
        return True
    host = target[0] if isinstance(target, tuple) else target
    if host in {"localhost", "", None}:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        (("127.0.0.1", 5432), True), ("localhost", True), ("/tmp/x/.s.PGSQL", True), (("::1", 80, 0, 0), True),
        (("93.184.216.34", 443), False), ("huggingface.co", False), (("10.0.0.1", 80), False),
    ],
)  # fmt: skip
def test_the_trap_tells_here_from_elsewhere(target: object, stays: bool) -> None:
    """The judge of the test above is itself judged."""
    assert stays_here(target) is stays
