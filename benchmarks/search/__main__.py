"""Search under permissions, ours and its peers in one run: `python -m benchmarks.search --help`.

Everything is measured interleaved, with one thread each; every time stands beside its ratio to an unfiltered HNSW
search (ef 400) and to `select 1` of the same run. Peers whose packages are not installed are listed as not run.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.search import cases, report, stages
from benchmarks.search.peers.registry import PEERS, RULERS
from benchmarks.search.results import Results
from benchmarks.search.vectors import make, sources
from benchmarks.tables import console

# One thread each, in this process too; read when the libraries are loaded, so before this process began.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LANCE_CPU_THREADS": "1"}


def main() -> None:
    given = arguments()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        command = [sys.executable, "-m", "benchmarks.search", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | ONE_THREAD)
    vectors = make(*sources(given.embeddings, given.questions), given.n)
    asked = cases.make_cases(vectors, fractions=given.fractions, questions=given.questions_per_cell)
    results = Results(about(given))
    stages.search_and_write(given, results, vectors, asked)
    if given.hidden:
        stages.beside_hidden(given, results, vectors)
    results.about["load_after"] = os.getloadavg()[0]
    results.save(given.out)
    console.print(", ".join(f"{key} {value}" for key, value in results.about.items()), style="dim")
    report.show_all(results)
    if given.plots:
        report.plot(results, given.plots)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--n", type=int, default=200_000, help="vectors")
    add("--peers", nargs="+", choices=list(PEERS), default=list(PEERS), help="which to measure (the rulers always are)")
    add("--embeddings", type=Path, nargs="+", help=".npy files (n, d) of real embeddings; else synthetic ones")
    add("--questions", type=Path, nargs="+", help=".npy files (m, d) of embedded questions; else some of the others")
    add("--fractions", type=float, nargs="+", default=list(cases.FRACTIONS), help="visible shares, 1 = all")
    add("--questions-per-cell", type=int, default=40)
    add("--write", type=int, default=20_000, help="rows written to measure the rate")
    add("--out", type=Path, default=Path("search.json"), help="results as JSON")
    add("--hidden", action="store_true", help="1,000 visible rows beside 0, 1,000 and 100,000 hidden ones too")
    add("--clients", type=int, nargs="+", default=[], help="searches a second with so many clients, such as 1 4 64")
    add("--seconds", type=float, default=2.0, help="of each point of the clients' curve")
    add("--workers", type=int, default=0, help="parallel workers that help PostgreSQL to build indexes")
    add("--plots", type=Path, help="draw latency and recall by visible share into this folder")
    given = parser.parse_args()
    given.peers = [*RULERS, *(peer for peer in given.peers if peer not in RULERS)]
    return given


def about(given: argparse.Namespace) -> dict[str, Any]:
    """What was run, where. No paths: they say nothing to others."""
    return {
        "n": given.n,
        "embeddings": [path.name for path in given.embeddings or []] or "synthetic",
        "questions_per_cell": given.questions_per_cell,
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "began": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
    }


if __name__ == "__main__":
    main()
