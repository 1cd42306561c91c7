"""What a request makes PostgreSQL do, counted: statements, and pages of tables and indexes that they look at.

Counts have no noise. Where they differ, the clock can tell in the long run; where they are equal, what remains is how
long a page takes: caches, and the processor.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.timing_surfaces import Asked, Client
from tests.support.cluster import Db

# Server settings that the counting needs.
SETTINGS = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "top"}
FORGET = "select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)"
COUNT = """
select coalesce(sum(calls), 0)::int, coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int
from pg_stat_statements s join pg_database d on d.oid = s.dbid
join pg_roles r on r.oid = s.userid
where d.datname = current_database() and r.rolname = 'clearance_app'
"""


@dataclass(frozen=True)
class Work:
    """Medians over the requests of one surface to one world."""

    statements: int
    pages: int


def count(
    clients: Mapping[str, Client], databases: Mapping[str, Db], rounds: Sequence[Mapping[str, Mapping[str, Asked]]]
) -> dict[str, dict[str, Work]]:
    """The work of each surface by world."""
    seen: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for world, client in clients.items():
        with psycopg.connect(databases[world].libpq("admin"), autocommit=True) as connection:
            connection.execute("create extension if not exists pg_stat_statements")
            for one in rounds:
                for surface, asked in [pair for group in one.values() for pair in group.items()]:
                    found = _once(connection, client, asked)
                    seen.setdefault(surface, {}).setdefault(world, []).append(found)
    return {s: {world: _median(found) for world, found in by_world.items()} for s, by_world in seen.items()}


def _median(found: Sequence[tuple[int, int]]) -> Work:
    return Work(*(int(statistics.median(values)) for values in zip(*found, strict=True)))


def _once(connection: psycopg.Connection[Any], client: Client, asked: Asked) -> tuple[int, int]:
    connection.execute(FORGET)
    client.send(asked(client))
    row = connection.execute(COUNT).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
