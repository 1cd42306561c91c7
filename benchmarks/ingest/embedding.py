"""Embedding speed: `python -m benchmarks.ingest.embedding` prints passages a second, query latency, start and memory.

Each embedder runs in a process of its own; the baseline for the ratios is sentence-transformers' own `encode` (dynamic
batches of 32) where it is installed, else our embedder on one thread.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import show

LENGTHS = (32, 64, 128, 254)  # tokens in a passage
QUERY = "How many days of annual leave does an employee get in the first year?"
TEXT = "leave policy budget valve audit salary contract travel office pump steel form staff rule team plan"
WORDS = TEXT.split()
ROOT = Path(__file__).parents[2]


# What one process measured, by the name of the figure.
Run = dict[str, float]


def texts(tokens: int, count: int) -> list[str]:
    """`count` different texts of so many one-token words."""
    return [" ".join(WORDS[(i * 7 + j * j) % len(WORDS)] for j in range(tokens)) for i in range(count)]


def measure(kind: str, threads: int, seconds: float) -> Run:
    before = time.perf_counter()
    embed, embed_query = start(kind, threads)
    embed_query(QUERY)
    run = {"start": time.perf_counter() - before}
    for tokens in LENGTHS:
        batch = texts(tokens, 32)
        embed(batch[:4])
        done, began, cpu_began = 0, time.perf_counter(), time.process_time()
        while (elapsed := time.perf_counter() - began) < seconds:
            embed(batch)
            done += len(batch)
        run[f"rate {tokens}"] = done / elapsed
        # All threads together: steadier on a busy machine.
        run[f"cpu {tokens}"] = 1_000 * (time.process_time() - cpu_began) / done
    times = []
    for _ in range(100):
        began = time.perf_counter()
        embed_query(QUERY)
        times.append(1_000 * (time.perf_counter() - began))
    run["p50"], run["p95"] = map(float, np.quantile(times, (0.5, 0.95)))
    return run | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024}  # Linux counts in KiB


def start(kind: str, threads: int) -> tuple[Callable[[Sequence[str]], Any], Callable[[str], Any]]:
    """The two calls of an embedder, imports and loading included in the caller's time."""
    if kind != "encode":
        from app.embedding.factory import build_embedder  # noqa: PLC0415  # import time is measured

        built = build_embedder(
            kind=kind,  # type: ignore[arg-type]  # one of KINDS
            name="sentence-transformers/all-MiniLM-L6-v2",
            threads=threads,
            cache=ROOT / ".clearance" / "models",
        )
        return built.embed_passages, built.embed_query
    import torch  # noqa: PLC0415  # an extra
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # an extra

    from app.embedding import minilm  # noqa: PLC0415  # import time is measured

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(minilm.package_folder()), device="cpu", local_files_only=True)
    return model.encode, model.encode


def cells(run: Run, baseline: Run) -> list[str]:
    """Passages a second and CPU milliseconds a passage; × is against the baseline."""
    rates = []
    for n in LENGTHS:
        ratio = run[f"rate {n}"] / baseline[f"rate {n}"]
        rates.append(f"{run[f'rate {n}']:,.1f} · {ratio:,.2f} · {run[f'cpu {n}']:.1f}")
    latency, ratio = f"{run['p50']:.2f} / {run['p95']:.2f}", run["p50"] / baseline["p50"]
    return [*rates, latency, f"{ratio:.2f}", f"{run['start']:.2f}", f"{run['peak']:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="time for each length")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "THREADS"), help="measure one embedder, print JSON")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one[0], int(arguments.one[1]), arguments.seconds)))
        return
    kinds = ["encode", "sentence-transformers"] if find_spec("sentence_transformers") else []
    runs: dict[tuple[str, str], Run] = {}
    for one in [(kind, threads) for kind in [*kinds, "onnx", "onnx-int8"] for threads in "12"] + [("hashed", "1")]:
        command = [sys.executable, "-m", "benchmarks.ingest.embedding", "--seconds", str(arguments.seconds)]
        done = subprocess.run([*command, "--one", *one], cwd=ROOT, check=True, stdout=subprocess.PIPE)
        runs[one] = json.loads(done.stdout)
    lengths = [f"{n} tokens: per s · × · CPU ms" for n in LENGTHS]
    columns = ("embedder", "threads", *lengths, "query p50 / p95 ms", "×", "start s", "peak MB")
    title = f"all-MiniLM-L6-v2 on {os.cpu_count()} CPUs (hashed: no model)"
    show(title, columns, [[*one, *cells(run, next(iter(runs.values())))] for one, run in runs.items()])


if __name__ == "__main__":
    main()
