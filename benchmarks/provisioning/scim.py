"""How long a directory takes to send a company: `python -m benchmarks.provisioning.scim`.

One client, one request after another, over HTTP on loopback: 3,000 people, 300 groups with their members, so that each
person is in ten; then a group of 1,000 gets its members by one PATCH. Printed are the seconds in all, requests a second
and the median and p95 of each kind; the processor time of the service and of PostgreSQL beside the clock; and how long
until the next request sees the members. No row of a passage may have been written meanwhile.
"""

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import numpy as np
import psutil
from sqlalchemy.orm import Session

from app.db.engine import connect
from app.identity.directory import add_key, add_service
from app.identity.subject import Capability
from benchmarks.machine import load
from benchmarks.tables import show
from benchmarks.world import Db, api_process, database, server

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PASSAGES = ("document", "chunk", "vector_row", "posting")
GROUPS_EACH, LARGE = 10, 1_000


class Directory:
    """Sends requests and notes how long each took."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.times: dict[str, list[float]] = {}

    def send(self, kind: str, method: str, path: str, body: Any = None) -> Any:
        began = time.perf_counter()
        answer = self._http.request(method, f"/scim/v2{path}", json=body)
        self.times.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


def add_provisioner(db: Db) -> str:
    engine = connect(db.url("owner"), pool_size=1)
    with Session(engine) as session, session.begin():
        may = [Capability.PROVISION]
        made = add_service(session, name="okta-scim", display_name="", allowed=may, provisions="okta")
        _, key = add_key(session, made, label="", allowed=may, expires_at=None)
    engine.dispose()
    return key.secret


def person(number: int) -> dict[str, Any]:
    name = f"person{number:05}"
    return {
        "schemas": [USER],
        "userName": f"{name}@corp.example",
        "externalId": f"00u{number:017}",
        "displayName": f"Person {number}",
        "name": {"givenName": "Person", "familyName": str(number)},
        "emails": [{"type": "work", "primary": True, "value": f"{name}@corp.example"}],
        "active": True,
    }


def send_company(directory: Directory, people: int, groups: int) -> list[str]:
    """The people, then the groups with their members; the ids of the people."""
    ids = [directory.send("a person", "POST", "/Users", person(number))["id"] for number in range(people)]
    rng = random.Random(5)  # no secret
    inside: list[list[str]] = [[] for _ in range(groups)]
    for each in ids:
        for number in rng.sample(range(groups), min(GROUPS_EACH, groups)):
            inside[number].append(each)
    for number, members in enumerate(inside):
        body = {"schemas": [GROUP], "displayName": f"Group {number}", "members": [{"value": each} for each in members]}
        directory.send("a group with its members", "POST", "/Groups", body)
    return ids


def send_large_group(directory: Directory, ids: list[str]) -> float:
    """A group of a thousand by one PATCH: milliseconds until an answer shows all members."""
    group = directory.send("an empty group", "POST", "/Groups", {"schemas": [GROUP], "displayName": "Large"})["id"]
    value = [{"value": each} for each in ids[:LARGE]]
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "members", "value": value}]}
    began = time.perf_counter()
    directory.send(f"a PATCH of {len(value)} members", "PATCH", f"/Groups/{group}", body)
    seen = directory.send("a look at that group", "GET", f"/Groups/{group}")["members"]
    if len(seen) != len(value):
        raise RuntimeError(f"{len(seen)} of {len(value)} members are there")
    return (time.perf_counter() - began) * 1000


def passage_writes(db: Db) -> dict[str, int]:
    """Rows ever written to the tables of passages."""
    with db.admin() as connection:
        connection.execute("select pg_stat_force_next_flush()")
        rows = connection.execute(
            "select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables where relname = any(%s)",
            [list(PASSAGES)],
        ).fetchall()
        return {str(name): int(count) for name, count in rows}


def cpu_of(pids: list[int]) -> float:
    """Processor seconds of these processes and their children."""
    found = [p for pid in pids for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    return sum(sum(p.cpu_times()[:4]) for p in found)


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    given = call()
    return time.perf_counter() - began, given


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--groups", type=int, default=300)
    args = parser.parse_args()
    with server() as running:
        db = database(running)
        secret = add_provisioner(db)
        with (
            api_process(db) as (url, pid),
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as http,
        ):
            directory = Directory(http)
            before, used = passage_writes(db), cpu_of([pid])
            seconds, ids = timed(lambda: send_company(directory, args.people, args.groups))
            used = cpu_of([pid]) - used
            shown = send_large_group(directory, ids)
            after = passage_writes(db)
    total = args.people + args.groups
    show(
        f"{total} requests in {seconds:.1f} s, {total / seconds:.0f} a second ({load()}); the service used {used:.1f} s"
        f" of processor time. A PATCH of {min(LARGE, len(ids))} members is seen after {shown:.0f} ms."
        f" Rows of passages written: {sum(after.values()) - sum(before.values())}.",
        ("request", "number", "median ms", "p95 ms"),
        [
            (kind, str(len(times)), f"{np.median(times):.1f}", f"{np.quantile(times, 0.95):.1f}")
            for kind, times in directory.times.items()
        ],
    )


if __name__ == "__main__":
    main()
