"""How well does the guardrail redact, what does it mask without need, and what does it cost?

Run: python -m benchmarks.guardrail_quality [--data FOLDER] [--only ROW...] [--misses N] [--json FILE].
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.guardrail_quality import planted
from benchmarks.guardrail_quality.cost import cost
from benchmarks.guardrail_quality.credentials import credentials
from benchmarks.guardrail_quality.data import Missing
from benchmarks.guardrail_quality.false_alarms import false_alarms
from benchmarks.guardrail_quality.figures import Case, Row
from benchmarks.guardrail_quality.personal import leak, recognisers, structured
from benchmarks.guardrail_quality.said import said
from benchmarks.machine import load
from benchmarks.tables import console, show

_REPOSITORY = Path(__file__).parents[2]


def main() -> None:
    options = _options()
    folder = options.data
    rows: dict[str, Callable[[], Row]] = {
        "structured": partial(structured, folder),
        "disguises": planted.disguises,
        "layouts": planted.layouts,
        "encodings": planted.encodings,
        "said": said,
        "credentials": partial(credentials, folder),
        "recognisers": partial(recognisers, folder),
        "leak": partial(leak, folder),
        "false": partial(false_alarms, folder),
        "cost": partial(cost, folder),
    }
    if unknown := set(options.only) - set(rows):
        sys.exit(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    measured = {name: _measured(row) for name, row in rows.items() if not options.only or name in options.only}
    _print(measured, options.misses)
    if options.json:
        options.json.write_text(json.dumps({name: _plain(row) for name, row in measured.items()}, indent=1), "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_REPOSITORY.parent / "shared" / "data", help="labelled texts")
    parser.add_argument("--only", nargs="+", default=[], metavar="ROW", help="measure these rows alone")
    parser.add_argument(
        "--misses", type=int, default=0, metavar="N", help="print so many of what is missed and masked in vain"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def _measured(row: Callable[[], Row]) -> Row:
    try:
        return row()
    except Missing as missing:
        return Row(skipped=str(missing))


def _print(measured: dict[str, Row], misses: int) -> None:
    lines = [(name, *figure.cells()) for name, row in measured.items() for figure in row.figures]
    lines += [(name, f"skipped: {row.skipped}", "", "", "") for name, row in measured.items() if row.skipped]
    show(f"the redaction guardrail; {load()}", ("row", "what", "now", "goal", "met"), lines, left=2)
    goals = [figure.met for row in measured.values() for figure in row.figures if figure.met is not None]
    print(f"{sum(goals)} of {len(goals)} goals are met")
    for name, row in measured.items() if misses else ():
        _print_cases(f"{name}: missed", row.misses, misses)
        _print_cases(f"{name}: masked in vain", row.false_alarms, misses)


def _print_cases(title: str, cases: Sequence[Case], most: int) -> None:
    if cases:
        print(f"\n{title}: {len(cases)}, the worst first")
    for case in sorted(cases, key=lambda case: -case.weight)[:most]:
        console.print(f"  {case}", markup=False, highlight=False)


def _plain(row: Row) -> dict[str, object]:
    return {"figures": [asdict(figure) | {"met": figure.met} for figure in row.figures], "skipped": row.skipped}


if __name__ == "__main__":
    main()
