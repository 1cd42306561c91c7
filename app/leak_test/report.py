"""The report of a run: for people (Markdown) and for machines (JSON). It holds no canary, no id and no key."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.leak_test.cast import DOCUMENTS, PEOPLE
from app.leak_test.results import Failure, Verdict
from app.leak_test.routes import REASONS, ProbePlan

SIGNS: Mapping[Verdict, str] = {"holds": "✓", "fails": "✗", "refused": "·", "not asked": "–"}
LEGEND = "✓ holds   ✗ fails   · refused: not theirs to ask   – not asked"
STAYS = (
    "The service keeps the users leak-test-*, switched off, without rights, roles or working keys; their revoked keys; "
    "a withdrawn plan; the roles leak-test-*, empty, while a kept rule names them; and the audit log, by design."
)


@dataclass(frozen=True)
class LeakReport:
    version: str
    url: str
    begun_at: dt.datetime
    seconds: float
    requests: int
    matrix: list[tuple[str, dict[str, Verdict]]]
    failures: list[Failure]
    routes: ProbePlan

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def checked(self) -> int:
        """How many pairs of a surface and a person were asked."""
        return sum(verdict != "not asked" for _, row in self.matrix for verdict in row.values())

    def verdict(self) -> str:
        asked = f"{self.checked} pairs of surface and person, {self.requests} answers, {self.seconds:.0f} s"
        if self.ok:
            return f"Nothing leaked: {asked}"
        surfaces = sorted({failure.surface for failure in self.failures})
        return f"{len(self.failures)} failures on {len(surfaces)} surfaces: {asked}"

    def save(self, file: Path) -> tuple[Path, Path]:
        """Write it as `.json` and, beside that, as `.md`; gives both paths."""
        machines, people = file.with_suffix(".json"), file.with_suffix(".md")
        machines.write_text(json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        people.write_text(self.to_markdown(), encoding="utf-8")
        return machines, people

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "clearance leak-test",
            "version": self.version,
            "url": self.url,
            "begun_at": self.begun_at.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 1),
            "ok": self.ok,
            "requests": self.requests,
            "people": {name: person.about for name, person in PEOPLE.items()},
            "planted": [{"document": d.name, "readers": sorted(d.readers)} for d in DOCUMENTS],
            "matrix": [{"surface": surface, "verdicts": row} for surface, row in self.matrix],
            "failures": [asdict(failure) for failure in self.failures],
            "not_sent": list(self.routes.not_sent),
            "not_tried": {**self.routes.not_tried},
            "accepted": {**REASONS},
            "stays": STAYS,
        }

    def to_markdown(self) -> str:
        heads = " | ".join(PEOPLE)
        lines = [
            "# Leak test", "",
            f"**{self.verdict()}.** Clearance {self.version} at {self.url}, "
            f"{self.begun_at:%Y-%m-%d %H:%M} UTC.", "",
            f"| Surface | {heads} |", "|---|" + "---|" * len(PEOPLE),
            *(f"| {s} | " + " | ".join(SIGNS[row[p]] for p in PEOPLE) + " |" for s, row in self.matrix),
            "", LEGEND, "", "## What is wrong", "",
        ]  # fmt: skip
        lines += [f"- {line}" for line in self.lines()] or ["Nothing."]
        lines += ["", "## What was planted, and who may read it", ""]
        lines += [f"- {d.name}: {', '.join(sorted(d.readers))}" for d in DOCUMENTS]
        lines += ["", "## Who asked", ""]
        lines += [f"- {name}: {person.about}" for name, person in PEOPLE.items()]
        lines += ["", "## What was not sent", "", "Routes that change something and take a body, or name nothing:", ""]
        lines += [f"- {route}" for route in self.routes.not_sent]
        lines += [f"- {route}: {reason}" for route, reason in REASONS.items()]
        lines += ["", "## What stays", "", STAYS, ""]
        return "\n".join(lines)

    def lines(self) -> list[str]:
        """A line for each failure; those that differ in the person alone share one."""
        grouped: dict[tuple[str, str, str, str], list[str]] = {}
        for f in self.failures:
            grouped.setdefault((f.surface, f.wrong, f.canary, f.where), []).append(f.person)
        return [
            f"{surface}: {wrong}, {canary} ({where})" + (f"; for {', '.join(sorted(people))}" if any(people) else "")
            for (surface, wrong, canary, where), people in grouped.items()
        ]
