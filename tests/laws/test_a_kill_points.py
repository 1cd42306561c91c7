"""Promise A at any moment: whatever a model was shown stands in the log, once, committed before; the service or its
database is killed with -9 at random points of an answer, and started again.

The model is scripted and writes down each prompt before it says a word. Afterwards every prompt that it saw must have
exactly one record whose commitment is of these very bytes, with the passages that stand in it. (A record whose prompt
no model saw is no breach: there the kill came in between.) A hundred kills in `make laws`.
"""

import contextlib
import functools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.audit.encryption import Sealer, unseal
from app.evidence.merkle import commitment, encode
from app.evidence.records import read_record
from tests.support.cluster import AUDIT_KEY
from tests.support.company import Company, company_in
from tests.support.environment import LAW_FACTOR, Report
from tests.support.http_stub import Request, http_stub
from tests.support.processes import PIECE, api, is_ready
from tests.support.waiting import wait_for

# tests/e2e/test_kills.py kills both once in each run.
pytestmark = [pytest.mark.alone, pytest.mark.skipif(LAW_FACTOR == 1, reason="a hundred kills: make laws")]
KILLS = 50
# An answer takes some 50 ms until its prompt is sent, and as long again until it is closed.
LATEST = 0.12
ASKING = 3


class Model:
    """Keeps the bytes of each prompt as the record commits to them, and then speaks for a moment."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def speak(self, handler: Request) -> None:
        if handler.body:
            messages = json.loads(handler.body)["messages"]
            self.prompts.append("\x1e".join(f"{each['role']}\x1f{each['content']}" for each in messages))
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for _ in range(3):
            handler.wfile.write(f"data: {json.dumps(PIECE)}\n\n".encode())
            time.sleep(0.01)
        handler.wfile.write(b"data: [DONE]\n\n")


@contextlib.contextmanager
def asking(url: str, company: Company) -> Iterator[None]:
    """Some people ask without a pause, each question another; what fails is asked no more."""
    stopping = threading.Event()
    numbers = iter(range(10**9))

    def ask(who: str) -> None:
        with httpx2.Client(trust_env=False, timeout=5) as client:
            while not stopping.is_set():
                question = f"How many weeks of parental leave does employee {next(numbers)}-{random.random()} get?"
                body = {"question": question, "mode": "generate"}
                with contextlib.suppress(httpx2.HTTPError):
                    client.post(f"{url}/api/v1/ask", json=body, headers=company.headers(who))

    threads = [threading.Thread(target=ask, args=(("ada", "ben")[n % 2],)) for n in range(ASKING)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def in_the_middle(model: Model, rng: random.Random) -> None:
    """Wait for a random moment while answers are made, of which several are always under way."""
    before = len(model.prompts)
    wait_for(lambda: len(model.prompts) > before, seconds=60, message="the model was not asked")
    time.sleep(rng.random() * LATEST)


def kill_the_api(
    folder: Path, company: Company, model: Model, model_url: str, rng: random.Random, module: str = "app"
) -> None:
    for _ in range(KILLS):
        with api(folder, company.db, model_url=model_url, module=module) as (running, url), asking(url, company):
            in_the_middle(model, rng)
            running.kill()


def kill_postgres(folder: Path, company: Company, model: Model, model_url: str, rng: random.Random) -> None:
    server = company.db.cluster.server
    with api(folder, company.db, model_url=model_url) as (running, url), asking(url, company):
        for _ in range(KILLS):
            in_the_middle(model, rng)
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            server.stop()
            server.start()
            wait_for(lambda: is_ready(url), seconds=30, message=lambda: running.said)


Kill = Callable[[Path, Company, Model, str, random.Random], None]


@pytest.mark.parametrize("kill", [kill_the_api, kill_postgres], ids=["API", "PostgreSQL"])
def test_every_prompt_that_a_model_saw_stands_in_the_log_once(kill: Kill, tmp_path: Path, report: Report) -> None:
    report(compare(kill, tmp_path))


def test_a_record_that_comes_late_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="0 records of what the model was shown"):
        compare(functools.partial(kill_the_api, module="tests.laws.late_records"), tmp_path)


def compare(kill: Kill, folder: Path) -> str:
    """Kill again and again, and hold what the model saw against the log; gives how much was looked at."""
    model, rng = Model(), random.Random(16)
    with company_in(folder) as company:
        with http_stub(model.speak) as url:
            kill(folder, company, model, f"{url}/v1", rng)
        records = committed(company)
        texts = {str(row["id"]): row["text"] for row in company.rows("select public_id as id, text from chunk")}
    assert len(model.prompts) >= KILLS, "the model was hardly asked"
    for prompt in model.prompts:
        same = [each for each in records if encode(commitment(each["salt"], prompt)) == each["commitment"]]
        assert len(same) == 1, f"{len(same)} records of what the model was shown"
        [found] = same
        places = [prompt.find(texts[passage["chunk"]][:40]) for passage in found["passages"]]
        assert places, "a prompt of no passage"
        assert -1 not in places
        assert places == sorted(places), "and in the order of the record"
    return f"{KILLS} kills, {len(model.prompts)} prompts, {len(records)} records"


def committed(company: Company) -> list[dict[str, Any]]:
    """The opened answers for which a model was to be asked, with the salts of their prompts."""
    sealer, found = Sealer(bytes.fromhex(AUDIT_KEY)), []
    keys = {row["user_id"]: bytes(row["wrapped"]) for row in company.rows("select user_id, wrapped from person_key")}
    for row in company.rows("select id, actor, body from audit_leaf where kind = 'answer.opened'"):
        record = read_record(row["body"])
        assert record is not None
        if record["prompt"] is None:
            continue  # nothing was found, and no model asked
        key = sealer.open_bytes(keys[row["actor"]], f"person_key/{row['actor']}")
        opened = unseal(key, record["prompt"], record=row["id"], field="prompt")
        found.append(
            {"salt": opened.salt, "commitment": record["prompt"]["commitment"], "passages": record["passages"]}
        )
    return found
