"""A cluster of the embedded PostgreSQL, made here or held by another process."""

from pathlib import Path

import psycopg

from app.local.postgres import EmbeddedPostgres

PASSWORD = "a p@ss:word/%"
FAST = {"fsync": "off", "full_page_writes": "off"}
# A program that runs a cluster until it is killed: its folder and its password are given.
HOLD = """
import sys, time
from pathlib import Path
from app.local.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), password=sys.argv[2], settings={"fsync": "off"}).start()
print(server.pid, server.port, flush=True)
time.sleep(600)
"""


def cluster(folder: Path, port: int = 0) -> EmbeddedPostgres:
    """One without durability, to be started."""
    return EmbeddedPostgres(folder, password=PASSWORD, port=port, settings=FAST)


def connect(server: EmbeddedPostgres, password: str = PASSWORD) -> psycopg.Connection:
    """As the superuser, each statement by itself."""
    url = server.url("postgres", password, "postgres").replace("+psycopg", "")
    return psycopg.connect(url, autocommit=True)
