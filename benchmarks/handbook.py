"""The main job on a real company's handbook, over the real service: ingest, ask as the right and as the wrong role.

    python -m benchmarks.handbook --data FOLDER [--questions N] [--out FILE]

FOLDER holds `docs.jsonl` (path, title, role), `docs/`, `dev/questions.jsonl` (query, role, docs) and the questions are
headings of the pages: they are taken out before indexing, or the task would be trivial. Prints the time by stage, how
often the gold page is among the sources, and every leak: a page in a hit, a source, a prompt, an error or a log line of
somebody who may not read it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.answer.support import COVERAGE_WEIGHT, THRESHOLD
from app.client.api import Client
from benchmarks.service import Service, service

SHELF = "handbook"
COMMON = "all-staff"
console = Console(width=110)


@dataclass(frozen=True)
class Corpus:
    """Pages by id, and the questions with their gold pages."""

    pages: dict[str, dict[str, Any]]
    questions: list[dict[str, Any]]
    off_topic: list[str]

    @property
    def roles(self) -> list[str]:
        """All role tags."""
        return sorted({p["role"] for p in self.pages.values()})

    def readable(self, role: str) -> set[str]:
        """The paths that a person of this role may read."""
        return {p["path"] for p in self.pages.values() if p["role"] in {role, COMMON}}


@dataclass
class Asked:
    """What one question gave one person."""

    outcome: str
    gold_found: bool
    leaks: list[str] = field(default_factory=list)


def main() -> None:
    """Run it all."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--questions", type=int, default=10_000)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    corpus = read(given.data)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / SHELF
        lay_out(given.data, corpus, folder)
        with service(Path(scratch) / "state") as running:
            people = set_up(running, corpus)
            ingest(running, folder, people["curator"])
            report = evaluate(running, corpus, people, given.questions)
    if given.out:
        given.out.write_text(json.dumps(report, indent=1), "utf-8")


def read(data: Path) -> Corpus:
    """The corpus, and our own questions that nothing in a handbook answers."""
    pages = [json.loads(line) for line in (data / "docs.jsonl").read_text("utf-8").splitlines()]
    questions = [json.loads(line) for line in (data / "dev" / "questions.jsonl").read_text("utf-8").splitlines()]
    off_topic = (Path(__file__).parent / "off_topic.txt").read_text("utf-8").splitlines()
    return Corpus({p["id"]: p for p in pages}, questions, off_topic)


def lay_out(data: Path, corpus: Corpus, folder: Path) -> None:
    """Copy the pages without their question headings, with an access.yaml that tags each with its role."""
    asked: dict[str, set[str]] = {}
    for question in corpus.questions:
        for page in question["docs"]:
            asked.setdefault(page, set()).add(question["query"].strip())
    rules = []
    for page in corpus.pages.values():
        target = folder / page["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = (data / "docs" / page["path"]).read_text("utf-8").split("\n")
        kept = [line for line in lines if not is_heading(line, asked.get(page["id"], set()))]
        target.write_text("\n".join(kept), "utf-8")
        rules.append(f"  - path: {json.dumps(page['path'])}\n    roles: [{page['role']}]")
    (folder / "access.yaml").write_text("label: internal\nrules:\n" + "\n".join(rules) + "\n", "utf-8")


def is_heading(line: str, questions: set[str]) -> bool:
    """Whether the line is a heading that asks one of these questions."""
    bare = line.lstrip()
    return (
        bare.startswith("#")
        and {bare.lstrip("# ").strip(), bare.lstrip("# ").strip().strip("*").strip()} & questions != set()
    )


def set_up(running: Service, corpus: Corpus) -> dict[str, str]:
    """Roles, one person for each, and a curator who reads nothing; gives name → key."""
    keys: dict[str, str] = {}
    with Client(running.url, running.admin_key) as admin:
        for role in corpus.roles:
            admin.post("/roles", {"name": role})
        admin.post("/collections", {"name": SHELF, "label": "internal"})
        for name in [*corpus.roles, "curator"]:
            may = ["curate"] if name == "curator" else ["ask"]
            admin.post("/users", {"name": f"u-{name}", "capabilities": may})
            keys[name] = admin.post("/keys", {"user": f"u-{name}", "capabilities": may})["secret"]
            if name != "curator":
                for role in {name, COMMON}:
                    admin.put(f"/roles/{role}/members/u-{name}")
        admin.put(f"/collections/{SHELF}/curators/u-curator")
    return keys


def ingest(running: Service, folder: Path, key: str) -> None:
    """`clearance ingest`, as a person would call it."""
    started = time.perf_counter()
    environment = {**os.environ, "CLEARANCE_URL": running.url, "CLEARANCE_KEY": key, "COLUMNS": "110"}
    command = [sys.executable, "-m", "app.cli", "ingest", str(folder), "--collection", SHELF]
    subprocess.run(command, env=environment, check=True)
    seconds = time.perf_counter() - started
    chunks = running.count("chunk")
    console.print(f"ingest: {seconds:.0f} s, {chunks} chunks, {chunks / seconds:.1f} chunks/s")


def evaluate(running: Service, corpus: Corpus, keys: dict[str, str], most: int) -> dict[str, Any]:
    """Ask everything and print what came of it."""
    right, wrong, off = [], [], []
    for number, question in enumerate(corpus.questions[:most]):
        golds = [corpus.pages[d] for d in question["docs"]]
        right.append(ask(running, corpus, keys, question["role"], question["query"], golds))
        owners = {g["role"] for g in golds}
        if COMMON not in owners:
            others = [r for r in corpus.roles if r not in owners | {COMMON}]
            wrong.append(ask(running, corpus, keys, others[number % len(others)], question["query"], golds))
    for number, text in enumerate(corpus.off_topic):
        off.append(ask(running, corpus, keys, corpus.roles[number % len(corpus.roles)], text, []))
    log_leaks = titles_in_log(running, corpus)
    return show(right, wrong, off, log_leaks)


def ask(
    running: Service, corpus: Corpus, keys: dict[str, str], role: str, text: str, golds: list[dict[str, Any]]
) -> Asked:
    """Ask by quote, by the (recorded) model and by search; look for pages that this role may not read."""
    may = corpus.readable(role)
    with Client(running.url, keys[role]) as client:
        quoted = client.post("/ask", {"question": text, "mode": "quote"})
        running.prompts.clear()
        generated = client.post("/ask", {"question": text, "mode": "generate"})
        hits = client.post("/search", {"query": text, "limit": 20})["hits"]
    shown = [*quoted["sources"], *generated["sources"], *hits]
    leaks = sorted({s["path"] for s in shown} - may)
    told = json.dumps([quoted, generated, hits]) + "\n".join(running.prompts)
    leaks += [g["id"] for g in golds if g["path"] not in may and hidden_words(corpus, g, may, told)]
    found = any(s["path"] in {g["path"] for g in golds} for s in quoted["sources"])
    return Asked(quoted["outcome"], found, leaks)


def hidden_words(corpus: Corpus, gold: dict[str, Any], may: set[str], told: str) -> bool:
    """Whether the hidden page's id, or its title if no page that may be read has the same, stands in what was told."""
    titles = {p["title"] for p in corpus.pages.values() if p["path"] in may}
    unique = len(gold["title"]) > 12 and not any(gold["title"] in t for t in titles)
    return gold["id"] in told or (unique and f'"title": {json.dumps(gold["title"])}' in told)


def titles_in_log(running: Service, corpus: Corpus) -> list[str]:
    """Long titles and paths of pages that stand in a log: none may, whoever asked."""
    log = running.logs()
    return [
        p["path"] for p in corpus.pages.values() if p["path"] in log or (len(p["title"]) > 25 and p["title"] in log)
    ]


def show(right: list[Asked], wrong: list[Asked], off: list[Asked], log_leaks: list[str]) -> dict[str, Any]:
    """The table, and the same as data."""
    table = Table(title=f"threshold {THRESHOLD}, coverage weight {COVERAGE_WEIGHT}")
    for column in ("who asks", "questions", "gold page among the sources", "'nothing' said", "leaks"):
        table.add_column(column, justify="right")
    rows = {"the right role": right, "a wrong role": wrong, "off topic": off}
    report: dict[str, Any] = {"log_leaks": log_leaks}
    for name, asked in rows.items():
        outcomes = Counter(a.outcome for a in asked)
        found = sum(a.gold_found for a in asked)
        leaks = [leak for a in asked for leak in a.leaks]
        gold = f"{found / len(asked):.3f}" if name == "the right role" else "–"
        nothing = f"{outcomes['nothing'] / len(asked):.3f}"
        table.add_row(name, str(len(asked)), gold, nothing, str(len(leaks)))
        report[name] = {"asked": len(asked), "gold": found, "nothing": outcomes["nothing"], "leaks": leaks}
    console.print(table)
    console.print(f"titles or paths in logs: {len(log_leaks)}")
    return report


if __name__ == "__main__":
    main()
