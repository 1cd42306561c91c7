"""How well does the guardrail redact, what does it mask without need, and what does it cost?

`disguises.py`, `layouts.py`, `encodings.py` and `sentences/` say what is tried, `readback.py` when a value counts as
hidden. Goals are what the project sets itself.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.guardrail_quality import planted
from benchmarks.guardrail_quality.cost import cost
from benchmarks.guardrail_quality.credentials import credentials
from benchmarks.guardrail_quality.data import Missing
from benchmarks.guardrail_quality.false_alarms import false_alarms
from benchmarks.guardrail_quality.figures import Case, Figure, Row
from benchmarks.guardrail_quality.masks import Masker, guardrail, masker
from benchmarks.guardrail_quality.names import checks_for, names
from benchmarks.guardrail_quality.peers import Peer, beside
from benchmarks.guardrail_quality.personal import leak, recognisers, structured
from benchmarks.guardrail_quality.said import said
from benchmarks.guardrail_quality.services import services
from benchmarks.machine import load
from benchmarks.tables import console, show

_REPOSITORY = Path(__file__).parents[2]
# The recognisers' tests are those of a peer, of which it runs only some here; costs stand below the table.
NOT_FOR_PEERS = {"recognisers", "names", "cost"}


def main() -> None:
    options = _options()
    folder = options.data
    rows: dict[str, Callable[[Masker], Row]] = {
        "structured": partial(structured, folder=folder),
        "disguises": planted.disguises,
        "layouts": planted.layouts,
        "encodings": planted.encodings,
        "said": said,
        "services": services,
        "credentials": partial(credentials, folder=folder),
        "recognisers": partial(recognisers, folder=folder),
        "leak": partial(leak, folder=folder),
        "false": partial(false_alarms, folder=folder),
        "names": lambda _: names(folder),
        "cost": lambda _: cost(folder),
    }
    if unknown := set(options.only) - set(rows):
        sys.exit(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    wanted = {name: partial(_measured, row) for name, row in rows.items() if not options.only or name in options.only}
    masks = masker(checks_for(options.names, folder, options.names_model)) if options.names else guardrail
    measured = {name: row(masks) for name, row in wanted.items()}
    quality = {name: row for name, row in wanted.items() if name not in NOT_FOR_PEERS}
    peers = list(beside(options.peers, quality)) if options.peers else []
    _print(measured, peers, summary=options.summary)
    for name, row in measured.items() if options.misses else ():
        _print_cases(f"{name}: missed", row.misses, options.misses)
        _print_cases(f"{name}: masked in vain", row.false_alarms, options.misses)
    if options.json:
        figures = {"clearance": _plain(measured)} | {peer.name: _plain(peer.rows) for peer in peers}
        options.json.write_text(json.dumps(figures, indent=1), "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_REPOSITORY.parent / "shared" / "data", help="labelled texts")
    parser.add_argument("--only", nargs="+", default=[], metavar="ROW", help="measure these rows alone")
    parser.add_argument(
        "--misses", type=int, default=0, metavar="N", help="print so many of what is missed and masked in vain"
    )
    parser.add_argument(
        "--names", choices=("directory", "model"), help="hide names too: those of the labelled sets, or by a model"
    )
    parser.add_argument("--names-model", default="en_core_web_sm", metavar="MODEL", help="the model of spaCy for it")
    parser.add_argument("--summary", action="store_true", help="print only the figures that have a goal")
    parser.add_argument(
        "--peers", type=Path, metavar="PYTHON", help="tools of others beside ours (see requirements.txt)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def _measured(row: Callable[[Masker], Row], masks: Masker) -> Row:
    try:
        return row(masks)
    except Missing as missing:
        return Row(skipped=str(missing))


def _print(measured: dict[str, Row], peers: Sequence[Peer], *, summary: bool) -> None:
    there = [peer for peer in peers if not peer.reason]
    lines = [
        (name, *figure.cells(), *(_beside(peer, name, figure) for peer in there))
        for name, row in measured.items()
        for figure in row.figures
        if figure.goal is not None or not summary
    ]
    columns = ("row", "what", "now", "goal", "met", *(peer.name for peer in there))
    show(f"the redaction guardrail; {load()}", columns, lines, left=2)
    for name, row in measured.items():
        if row.skipped:
            print(f"{name}: skipped, {row.skipped}")
    for peer in peers:
        print(f"{peer.name}: {peer.reason or f'{peer.ms:.2f} CPU ms per 1,000 characters of these texts'}")
    goals = [figure.met for row in measured.values() for figure in row.figures if figure.met is not None]
    print(f"{sum(goals)} of {len(goals)} goals are met")


def _beside(peer: Peer, row: str, figure: Figure) -> str:
    theirs = peer.figure(row, figure.what)
    return "" if theirs is None else theirs.number


def _print_cases(title: str, cases: Sequence[Case], most: int) -> None:
    if cases:
        print(f"\n{title}: {len(cases)}, the worst first")
    for case in sorted(cases, key=lambda case: -case.weight)[:most]:
        console.print(f"  {case}", markup=False, highlight=False)


def _plain(rows: Mapping[str, Row]) -> dict[str, list[dict[str, object]]]:
    return {name: [asdict(figure) | {"met": figure.met} for figure in row.figures] for name, row in rows.items()}


if __name__ == "__main__":
    main()
