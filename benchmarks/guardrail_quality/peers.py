"""The same rows for other tools, each in a process of an environment of its own."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.guardrail_quality.figures import Figure, Row
from benchmarks.guardrail_quality.masks import Masker, Span
from benchmarks.guardrail_quality.peer_tools import TOOLS

_SCRIPT = Path(__file__).with_name("peer_tools.py")


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool with its rows by their names, or the reason why there are none; `ms` is processor time."""

    name: str
    rows: dict[str, Row]
    ms: float = 0.0
    reason: str = ""

    def figure(self, row: str, what: str) -> Figure | None:
        return next((figure for figure in self.rows.get(row, Row()).figures if figure.what == what), None)


def beside(python: Path, rows: Mapping[str, Callable[[Masker], Row]]) -> Iterator[Peer]:
    """Every tool that the interpreter knows, on the texts of the rows."""
    texts: dict[str, None] = {}

    def note(text: str) -> Sequence[Span]:
        texts[text] = None
        return []

    for row in rows.values():
        row(note)
    for tool in TOOLS:
        yield _peer(tool, python, list(texts), rows)


def _peer(tool: str, python: Path, texts: list[str], rows: Mapping[str, Callable[[Masker], Row]]) -> Peer:
    run = subprocess.run([python, _SCRIPT, tool], input=json.dumps(texts), capture_output=True, text=True, check=False)
    if run.returncode:
        return Peer(tool, {}, reason=(run.stderr.strip().splitlines() or ["it failed"])[-1])
    answer = json.loads(run.stdout)
    if "reason" in answer:
        return Peer(tool, {}, reason=answer["reason"])
    spans = dict(zip(texts, map(_union, answer["spans"]), strict=True))
    return Peer(tool, {name: row(lambda text: spans[text]) for name, row in rows.items()}, answer["ms"])


def _union(spans: Sequence[tuple[int, int, str]]) -> list[Span]:
    """Spans that overlap as one, of the kind of the first."""
    merged: list[Span] = []
    for start, end, kind in sorted(spans):
        if merged and start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, end), merged[-1].kind)
        else:
            merged.append(Span(start, end, kind))
    return merged
