"""Builds the peers, or takes what an earlier run left in the cache; then what writing and re-granting cost."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.retrieval.cases import Case
from benchmarks.retrieval.peers.registry import FLOOR, PEERS, YARDSTICK
from benchmarks.retrieval.protocol import Batch, Built, NotRun, Place, Retriever
from benchmarks.retrieval.results import Cost, Results
from benchmarks.retrieval.world import World

MORE, SHORT = 10, 0.3  # times as many rows where writing took fewer seconds than this
SCOPE_ROWS = 1_000  # a scope of about this size is taken from a caller and given back


def build_all(
    names: Sequence[str],
    world: World,
    cases: Sequence[Case],
    place: Place,
    results: Results,
    *,
    tell: Callable[[str], None],
) -> dict[str, Retriever]:
    """Ready peers by name; costs and reasons go to the results. `place` holds what belongs to this world.

    A peer that fails is listed with its error, and the others are measured.
    """
    ready: dict[str, Retriever] = {}
    for name in names:
        tell(f"building {name}")
        own = Place(place.folder / name, place.server)
        own.folder.mkdir(parents=True, exist_ok=True)
        try:
            peer = PEERS[name](own)
            built, cached = _built(peer, world, own.folder / "built.json")
            peer.admit([case.caller for case in cases])
            _try_out(peer, world, cases)
        except NotRun as error:
            results.not_run[name] = str(error)
        except Exception as error:  # noqa: BLE001  # the edge to other people's software: one of them must not end the run
            results.not_run[name] = (
                f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            )
        else:
            ready[name] = peer
            costs = (built.seconds, built.memory, built.disk, cached)
            results.costs.append(Cost(name, peer.name, peer.settings, *costs))
    return ready


def _try_out(peer: Retriever, world: World, cases: Sequence[Case]) -> None:
    """One search of each cell: what fails there would fail in the middle of a run."""
    client = peer.searcher()
    for case in {case.cell: case for case in cases}.values():
        client.search(world.questions[case.question], case.caller, 10)
    client.close()


def _built(peer: Retriever, world: World, note: Path) -> tuple[Built, bool]:
    """The note is written when all is done: a half-built peer is built again."""
    if note.exists():
        peer.reopen(world)
        return Built(**json.loads(note.read_text())), True
    built = peer.build(world)
    note.write_text(json.dumps(asdict(built)))
    return built, False


def measure_writes(
    ready: dict[str, Retriever],
    world: World,
    cases: Sequence[Case],
    results: Results,
    *,
    rows: int,
    tell: Callable[[str], None],
) -> None:
    """Rows per second with all indexes in place, and a re-grant. Last of all, since some peers keep traces of it."""
    case, scope = a_grant(world, cases)
    for cost in results.costs:
        peer = ready[cost.peer]
        if cost.peer in (FLOOR, YARDSTICK):
            continue
        tell(f"writing to {cost.peer}")
        cost.rows_per_second = _write_rate(peer, world, rows)
        tell(f"re-granting in {cost.peer}")
        if (done := peer.regrant(case.caller, scope)) is not None:
            cost.regrant_rows, cost.regrant_ms = done[0], 1000 * done[1]


def _write_rate(peer: Retriever, world: World, rows: int) -> float:
    """Rows per second; ten times as many where the first writing was too short to say."""
    rng = np.random.default_rng(6)
    begin, batches, rate = world.size, [], 0.0
    for count in (rows, MORE * rows):
        like = rng.integers(world.size, size=count)
        batches.append(Batch(np.arange(begin, begin + count), world.vectors[like], world.scopes[like]))
        began = time.perf_counter()
        peer.write(batches[-1])
        took = time.perf_counter() - began
        rate, begin = count / took, begin + count
        if took > SHORT:
            break
    for batch in reversed(batches):
        peer.remove(batch)
    return rate


def a_grant(world: World, cases: Sequence[Case]) -> tuple[Case, int]:
    """A caller and one of the caller's scopes, as near to the wanted size as there is."""
    held = [(case, scope) for case in cases for scope in case.caller.scopes]
    return min(held, key=lambda pair: abs(int(world.volumes[pair[1]]) - SCOPE_ROWS))
