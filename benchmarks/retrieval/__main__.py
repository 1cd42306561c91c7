"""Retrieval under permissions, ours and its peers in one run: `python -m benchmarks.retrieval --help`.

Everything is measured interleaved, with one thread each; every time stands beside its ratio to an unfiltered HNSW
search (ef 400) and to `select 1` of the same run. Peers whose packages are not installed are listed as not run.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.retrieval import cases as asking
from benchmarks.retrieval.markdown import markdown
from benchmarks.retrieval.peers.registry import FLOOR, PEERS, YARDSTICK
from benchmarks.retrieval.plots import draw_all
from benchmarks.retrieval.report import show
from benchmarks.retrieval.results import Results, load
from benchmarks.retrieval.stages import Run, earlier_or_none, resume
from benchmarks.retrieval.world import World, make, read_embeddings, synthetic

# One thread each, in this process too; read when the libraries are loaded, so before this process began.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LANCE_CPU_THREADS": "1"}
console = Console(width=170)


def main() -> None:
    """Run the stages that were asked for, or show what an earlier run found."""
    given = arguments()
    if given.show or given.plot or given.markdown:
        found = load(given.out)
        show(found, console)
        if given.markdown:
            given.markdown.write_text(markdown(found), "utf-8")
        for path in draw_all(found, given.images) if given.plot else ():
            console.print(f"drawn: {path}")
        return
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.retrieval", *sys.argv[1:]], os.environ | ONE_THREAD
        )
    matrix = asking.read_matrix(given.matrix) if given.matrix else None
    run_stages(given, matrix, worlds(given, matrix))


def run_stages(given: argparse.Namespace, matrix: asking.Matrix | None, maker: Callable[[int], World]) -> None:
    """The main stage and the curves; print all."""
    world = maker(given.n)
    if matrix:
        asked = asking.matrix_cases(world, matrix, questions=given.questions_per_cell)
    else:
        asked = asking.make_cases(world, fractions=given.fractions, questions=given.questions_per_cell)
    results = Results(about(given, world, matrix.name if matrix else None))
    if earlier := earlier_or_none(given):
        resume(results, earlier)
    run = Run(given, maker, results, console)
    if not given.skip_main:
        run.main(world, asked)
    if given.hidden:
        run.hidden(world)
    if given.clients:
        run.clients(world, asked)
    if given.cold:
        run.cold(world, asked)
    if given.growth is not None:
        run.growth()
    show(results, console)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--n", type=int, default=200_000, help="vectors")
    add("--peers", nargs="+", choices=list(PEERS), default=list(PEERS), help="which to measure (the rulers always are)")
    add("--embeddings", type=Path, nargs="+", help=".npy files (n, d) of real embeddings; else synthetic ones")
    add(
        "--questions", type=Path, nargs="+", help=".npy files (m, d) of embedded questions; else some of the embeddings"
    )
    add("--matrix", type=Path, help="a real access matrix NAME.upa.csv.gz: its sets of readers become the scopes")
    add("--fractions", type=float, nargs="+", default=list(asking.FRACTIONS), help="visible shares, 1 = all")
    add("--questions-per-cell", type=int, default=40)
    add("--write", type=int, default=2_000, help="rows written to measure the rate")
    add("--cache", type=Path, default=Path(".clearance/retrieval"), help="folder for what is built; used again")
    add("--out", type=Path, default=Path("retrieval.json"), help="results as JSON")
    add("--images", type=Path, default=Path("docs/img"), help="folder for plots")
    add("--skip-main", action="store_true", help="only the curves that are asked for, added to --out if it is there")
    add("--growth", type=int, nargs="*", metavar="N", help="measure at these sizes (default 10⁴ … 10⁶)")
    add("--hidden", action="store_true", help="1,000 visible rows beside 0, 1,000 and 100,000 hidden ones")
    add("--clients", type=lambda s: [int(n) for n in s.split(",")], help="such as 1,2,4,8,16,32,64")
    add("--seconds", type=float, default=2.0, help="of each point of the clients' curve")
    add("--cold", action="store_true", help="first searches after a restart with the files evicted")
    add("--curve-peers", nargs="+", choices=list(PEERS), help="peers of the curves (default: those of --peers)")
    add("--workers", type=int, default=0, help="parallel workers that help PostgreSQL to build indexes")
    add("--plot", action="store_true", help="draw the plots of --out and end")
    add("--markdown", type=Path, help="write the tables of --out as Markdown and end")
    add("--show", action="store_true", help="print the tables of --out and end")
    given = parser.parse_args()
    given.peers = [FLOOR, YARDSTICK, *(p for p in given.peers if p not in (FLOOR, YARDSTICK))]
    return given


def worlds(given: argparse.Namespace, matrix: asking.Matrix | None) -> Callable[[int], World]:
    """Makes worlds of any size, from real embeddings or synthetic ones."""
    rng = np.random.default_rng(9)
    source = read_embeddings(given.embeddings) if given.embeddings else synthetic(8_000, rng)
    if given.questions:
        questions = read_embeddings(given.questions)
        questions = questions[rng.permutation(len(questions))]
    else:
        questions, source = source[:400], source[400:]
    return lambda size: make(source, questions, size, shares=matrix.shares if matrix else None)


def about(given: argparse.Namespace, world: World, matrix: str | None) -> dict[str, Any]:
    """What was run, where. No paths: they say nothing to others."""
    processor = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    return {
        "n": world.size,
        "dimensions": world.dimensions,
        "scopes": len(world.topical),
        "embeddings": [path.name for path in given.embeddings or []] or "synthetic",
        "matrix": matrix,
        "questions_per_cell": given.questions_per_cell,
        "world": world.digest,
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "began": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


if __name__ == "__main__":
    main()
