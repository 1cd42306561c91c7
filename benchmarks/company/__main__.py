"""A company in a command: `python -m benchmarks.company` fills one and measures every route that reads, over HTTP.

3,000 people, 500 roles, a million passages in 90,000 documents, a million records of the log. Asked are search, ask and
every GET, as employees who read everything and a hundredth, a curator, an administrator and an auditor: p50 and p95 by
the clock, processor time of the API and of PostgreSQL a request, and statements. With `--peer`, the Python of an
environment of the peer's own (requirements.txt), search stands beside that of LangChain's PGVector.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import SecretStr
from rich.progress import track

from app import log
from app.client.api import Client
from app.main import create
from app.settings import AuditSettings, DatabaseSettings, EmbedderSettings, IdentitySettings, Settings
from app.web.http.route_table import RouteTable
from app.wiring import build
from benchmarks.company import peer, report
from benchmarks.company.company import Company, Sizes, company, fill
from benchmarks.company.measure import Caller, Figures, Processors, count_statements, measure
from benchmarks.company.passages import PER_DOCUMENT, Sentences
from benchmarks.company.routes import facts_of, questions, reads
from benchmarks.machine import load
from benchmarks.world import AUDIT_KEY, KEY, Db, api_process, database

QUESTIONS = 30


def main() -> None:
    given = _arguments()
    log.configure(json=True, level="WARNING")  # what the lists say would stand among the tables
    sizes = Sizes(given.people, given.roles, given.passages, given.records, given.per_document)
    results: dict[str, object] = {"sizes": asdict(sizes), "load_before": load()}
    with company(sizes, given.keep) as (db, filled):
        results["filled_in_seconds"] = filled.seconds
        figures = [] if given.peer_alone else measure_routes(db, filled, given.rounds, given.only)
        results["routes"] = [asdict(each) for each in figures]
        _save(results, given.out)
        beside = beside_peer(db, replace(sizes, passages=given.peer_passages, records=1_000), given.peer)
        results["beside"] = [asdict(each) for each in beside]
    results["load_after"] = load()
    _save(results, given.out)
    report.show_all(filled, figures, beside, given.peer_passages)


def _save(results: dict[str, object], out: Path | None) -> None:
    if out is not None:
        out.write_text(json.dumps(results, indent=1), "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--people", type=int, default=3_000)
    add("--roles", type=int, default=500)
    add("--passages", type=int, default=1_000_000)
    add("--records", type=int, default=1_000_000, help="of the audit log")
    add("--per-document", type=int, default=PER_DOCUMENT, help="passages of a document")
    add("--rounds", type=int, default=15, help="requests of each caller to each route")
    add("--only", default="", help="routes whose template begins so")
    add("--keep", type=Path, help="folder in which the company is kept, to be asked again without filling it")
    add("--peer", type=Path, help="the Python of the peer's environment; without it the peer is not run")
    add("--peer-passages", type=int, default=100_000, help="passages that both sides hold for the comparison")
    add("--peer-alone", action="store_true", help="the comparison alone")
    add("--out", type=Path, help="results as JSON")
    return parser.parse_args()


def measure_routes(db: Db, filled: Company, rounds: int, only: str) -> list[Figures]:
    """Every route for every caller whom it answers."""
    templates = [template for template in routes_that_read() if template.startswith(only)]
    sentences, numbers = Sentences(), _readable(db, filled)
    with api_process(db, more=_settings(db)) as (url, pid):
        _open_review(url, filled)
        callers = {who: Caller(url, key, who) for who, key in filled.keys.items()}
        once = {who: Caller(url, key, who, kept=False) for who, key in filled.keys.items()}
        processors = Processors(pid, db.server.pid or 0)
        processors.rest()
        figures, sent = [], []
        for who, caller in callers.items():
            asked = list(reads(templates, facts_of(db, filled, who)))
            asked += [
                each for each in questions(sentences, numbers) if each.template.partition(" ")[2].startswith(only)
            ]
            for each in track(list(filter(once[who].may, asked)), who):
                figures.append(measure(caller, each, processors, rounds))
                sent.append((who, each))
        counts = count_statements(db, once, sent)
    return [replace(each, statements=count) for each, count in zip(figures, counts, strict=True)]


def _settings(db: Db) -> dict[str, str]:
    """As docs/operate.md has a service on a direct connection; and no limit on what needs no key."""
    return {
        "CLEARANCE_DATABASE__SEARCH_URL": db.url("search"),
        "CLEARANCE_DATABASE__PREPARE_STATEMENTS": "true",
        "CLEARANCE_API__STRANGER_RATE_PER_MINUTE": "1000000",
        "CLEARANCE_API__STRANGER_BURST": "100000",
    }


def routes_that_read() -> list[str]:
    """The templates of all routes that answer GET, in their order; each is asked or stands in APART."""
    settings = Settings(
        database=DatabaseSettings(app_url=SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/none")),
        identity=IdentitySettings(key=SecretStr(KEY)),
        audit=AuditSettings(key=SecretStr(AUDIT_KEY)),
        embedder=EmbedderSettings(kind="hashed"),
    )
    table = RouteTable(create(build(settings)))
    return list(dict.fromkeys(route.template for route in table.routes if "GET" in route.methods))


def _readable(db: Db, filled: Company) -> list[int]:
    """Passages that the employee reads who reads the least, by their places."""
    found = "select id - %s from chunk where id >= %s and scope_id = any (%s) order by hashint8(id) limit %s"
    with db.admin() as connection:
        scopes = peer.scopes_of(db, peer.READERS["1 %"][1])
        return [int(n) for (n,) in connection.execute(found, [filled.first, filled.first, scopes, QUESTIONS])]


def _open_review(url: str, filled: Company) -> None:
    """A review of the first collection, if there is none."""
    with Client(url, filled.keys["curator"]) as client:
        if not client.get("/access/reviews"):
            client.post("/access/reviews", {"collection": "collection-00", "title": "This year's"})


def beside_peer(db: Db, sizes: Sizes, python: Path | None) -> list[peer.Beside]:
    """Search of the product and of the peer on the same passages, in databases of their own beside the company."""
    if python is None:
        return []
    with db.admin() as connection:
        connection.execute("drop database if exists beside with (force)")
    smaller = database(db.server, "beside")
    filled = fill(smaller, sizes)
    truth = peer.truth_of(smaller, filled, QUESTIONS)
    with api_process(smaller, more=_settings(smaller)) as (url, pid):
        processors = Processors(pid, db.server.pid or 0)
        processors.rest()
        rows = peer.ours(url, processors, smaller, filled, truth)
    for found in peer.theirs(python, db.server, smaller, truth):
        rows += found
    return rows


if __name__ == "__main__":
    main()
