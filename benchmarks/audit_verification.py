"""How many records a second are verified offline: `python -m benchmarks.audit_verification [--records 400000]`.

Writes an export of opened answers, each made from eight passages, and times `clearance audit verify` as a process, its
start with it: with all cores, and on one. The floor beside it is what each record takes of reading its line, reading
the record and hashing it, with the libraries that the verifier uses, in this process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.progress import track

from app.audit.encryption import seal
from app.audit.events.answers import AnswerOpened, ShownPassage
from app.audit.events.base import Actor, CommittedText, SealedText
from app.evidence.merkle import Frontier, canonical, encode, leaf_hash
from benchmarks.machine import load
from benchmarks.tables import show

KEY, FIRST_CORE, QUESTION = bytes(32), {0}, "Who earns what, and why?"


def answer() -> dict[str, Any]:
    """A record of an answer as it stands in the log."""
    passages = tuple(ShownPassage(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), rank=n, label="internal") for n in range(8))
    event = AnswerOpened(
        actor=Actor(uuid.uuid4(), key="clr_12345678"), trail=uuid.uuid4(), question=SealedText(QUESTION),
        mode="quote", policy_epoch=17, valid_until=None, scopes=tuple(map(str, range(20))), passages=passages,
        label="internal", embedder="e" * 64, template="t" * 64, prompt=CommittedText("p"), model=None,
    )  # fmt: skip
    record = event.to_record()
    for name in ("question", "prompt"):
        record[name] = seal(KEY, record[name], record=event.id, field=name)
    return {**record, "writer": "clearance_app"}


def write(path: Path, records: int) -> None:
    """An export of so many of them, under its head."""
    tree, record = Frontier(), answer()
    header = {"format": "clearance-audit", "version": 1, "complete": True, "range": {"first": 0, "size": records}}
    with path.open("w") as file:
        file.write(json.dumps({**header, "filters": {}}) + "\n")
        for seq in track(range(records), description="records"):
            body = canonical({**record, "id": str(uuid.uuid4()), "trail": str(uuid.uuid4())})
            hashed = leaf_hash(body)
            tree.append(hashed)
            line = {"seq": seq, "leaf_hash": encode(hashed), "record": body}
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        file.write(json.dumps({"head": {"size": records, "root": encode(tree.root())}}) + "\n")


def verified(path: Path, cores: set[int]) -> float:
    """Seconds that the command takes on these cores. Raises CalledProcessError where it finds anything."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "app.cli", "audit", "verify", str(path)], check=True, capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )  # fmt: skip
    return time.perf_counter() - began


def floor(path: Path) -> float:
    """Seconds that reading all lines and records and hashing these takes."""
    read_line, read = msgspec.json.Decoder().decode, msgspec.json.Decoder().decode
    began = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            if record := read_line(line).get("record"):
                read(record)
                leaf_hash(record)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        write(path, given.records)
        cores = os.sched_getaffinity(0)
        ways = {
            f"{len(cores)} cores": partial(verified, path, cores),
            "one core": partial(verified, path, FIRST_CORE),
            "floor, one core": partial(floor, path),
        }
        taken = {name: [way() for _ in range(given.rounds)] for name, way in ways.items()}
        size = path.stat().st_size / given.records
    rows = [
        (name, f"{given.records / np.median(each):,.0f}", f"{np.median(each):.2f}", f"{min(each):.2f}–{max(each):.2f}")
        for name, each in taken.items()
    ]
    title = f"{given.records:,} records of {size:,.0f} bytes a line; {load()}"
    show(title, ("verified on", "records a second", "median s", "from – to"), rows)


if __name__ == "__main__":
    main()
