"""Several API processes behind one port, as `python -m app` starts them: counted together, replaced, ended together."""

import collections
import contextlib
import re
import signal
import socket
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest

from tests.support.cluster import AUDIT_KEY, IDENTITY_KEY, TEMPLATE, Cluster, copied
from tests.support.company import Company, found
from tests.support.environment import free_port
from tests.support.processes import Process, api, process, speaking_model
from tests.support.questions import ON_LEAVE
from tests.support.service import METRICS_KEY
from tests.support.waiting import alive, wait_for

pytestmark = pytest.mark.alone

TWO = {
    "CLEARANCE_API__PROCESSES": "2",
    "CLEARANCE_API__METRICS_KEY": METRICS_KEY,
    "CLEARANCE_ANSWER__GROUNDING": "mark",
    "CLEARANCE_SIGN_IN__PUBLIC_URL": "http://127.0.0.1",
}
ME = "/api/v1/users/me"


@pytest.fixture(scope="module")
def company(cluster: Cluster) -> Iterator[Company]:
    with copied(cluster, TEMPLATE) as db:
        yield found(db)


def children(running: Process) -> list[psutil.Process]:
    return psutil.Process(running.child.pid).children()


@contextlib.contextmanager
def two(
    folder: Path, company: Company, *, model: str = "http://127.0.0.1:9/v1", **more: str
) -> Iterator[tuple[Process, str]]:
    """Two processes that both serve."""
    with api(folder, company.db, model_url=model, **TWO, **more) as (running, url):
        wait_for(lambda: both_serve(url), seconds=30, message=lambda: running.said)
        yield running, url


# Making one takes most of the time of a request.
CONTEXT = ssl.create_default_context()


def get(url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Over a connection of its own."""
    return httpx.get(url, headers=headers, trust_env=False, timeout=30, verify=CONTEXT)


def scrape(url: str) -> dict[str, float]:
    """Samples of the metrics by name and labels."""
    answer = get(f"{url}/metrics", {"Authorization": f"Bearer {METRICS_KEY}"})
    lines = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def requests_by_process(url: str, route: str) -> dict[str, float]:
    """Requests of a route so far, by process."""
    counted = collections.Counter[str]()
    for name, value in scrape(url).items():
        if name.startswith("clearance_requests_total") and f'route="{route}"' in name:
            counted[re.findall(r'process="(\d+)"', name)[0]] += int(value)
    return dict(counted)


def both_serve(url: str) -> bool:
    """Whether connections that are open at the same time come to both."""
    with contextlib.suppress(httpx.TransportError), connections(url, 2) as made:
        for each in made:
            each.get("/healthz")
        return len(requests_by_process(url, "/healthz")) == 2
    return False


@contextlib.contextmanager
def connections(url: str, count: int) -> Iterator[Sequence[httpx.Client]]:
    """Clients with a connection each, which all of them have open."""
    with contextlib.ExitStack() as stack:
        limits = httpx.Limits(max_connections=1)
        made = [
            stack.enter_context(
                httpx.Client(base_url=url, trust_env=False, limits=limits, timeout=30, verify=CONTEXT),
            )
            for _ in range(count)
        ]
        for each in made:
            each.get("/healthz")
        yield made


def process_of(client: httpx.Client, url: str) -> str:
    """The number of the process that this connection comes to."""
    before = requests_by_process(url, "/healthz")
    client.get("/healthz")
    after = requests_by_process(url, "/healthz")
    [number] = [number for number in after if after[number] != before.get(number, 0)]
    return number


@contextlib.contextmanager
def one_of_each(url: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """A connection to each of the two processes."""
    with connections(url, 6) as made:
        by_process = {process_of(client, url): client for client in made}
        assert sorted(by_process) == ["0", "1"]
        yield by_process["0"], by_process["1"]


def test_connections_are_shared_out(company: Company, tmp_path: Path) -> None:
    """Not all to whichever wakes first: a client keeps its connection, and what comes over it, for long."""
    with two(tmp_path, company) as (_, url), connections(url, 12) as made:
        counted = collections.Counter(process_of(client, url) for client in made)
        assert min(counted["0"], counted["1"]) >= 4, counted


def test_a_key_has_its_burst_once_and_not_in_each_process(company: Company, tmp_path: Path) -> None:
    limits = {"CLEARANCE_API__BURST": "10", "CLEARANCE_API__RATE_PER_MINUTE": "1"}
    with two(tmp_path, company, **limits) as (_, url), one_of_each(url) as pair:
        given = [pair[turn % 2].get(ME, headers=company.headers("ben")).status_code for turn in range(24)]
        assert given == [200] * 10 + [429] * 14


def test_a_stranger_has_their_burst_once_too(company: Company, tmp_path: Path) -> None:
    limits = {"CLEARANCE_API__STRANGER_BURST": "10", "CLEARANCE_API__STRANGER_RATE_PER_MINUTE": "1"}
    with two(tmp_path, company, **limits) as (_, url), one_of_each(url) as pair:
        assert [pair[turn % 2].get(ME).status_code for turn in range(24)] == [401] * 10 + [429] * 14


def begin_answer(client: httpx.Client, company: Company, who: str = "ben") -> tuple[str, str]:
    """Ask on the console's page; gives the answer's id and its conversation's."""
    form = {"question": ON_LEAVE, "mode": "generate"}
    page = client.post("/ask", data=form, headers=company.headers(who))
    assert page.status_code == 303, page.text
    conversation, _, turn = page.headers["location"].removeprefix("/conversations/").partition("#turn-")
    return turn, conversation


def test_an_answer_is_watched_and_stopped_over_another_process(company: Company, tmp_path: Path) -> None:
    with (
        speaking_model(pieces=600, delay=0.05) as model,
        two(tmp_path, company, model=model) as (_, url),
        one_of_each(url) as pair,
    ):
        headers = company.headers("ben")
        for here, there in (pair, pair[::-1]):
            turn, conversation = begin_answer(here, company)
            with there.stream("GET", f"/answers/{turn}/events", headers=headers) as watched:
                assert (watched.status_code, watched.headers["content-type"][:17]) == (200, "text/event-stream")
                lines = watched.iter_lines()
                while next(lines) != "event: delta":
                    pass
                page = here.get(f"/conversations/{conversation}", headers=headers)
                assert f'data-answer="/answers/{turn}"' in page.text
                assert here.post(f"/answers/{turn}/stop", headers=headers).status_code == 303
                assert "event: done" in list(lines)
            assert there.get(f"/answers/{turn}", headers=headers).status_code == 200


def test_who_may_see_an_answer_is_decided_where_it_is_made(company: Company, tmp_path: Path) -> None:
    with (
        speaking_model(pieces=600, delay=0.05) as model,
        two(tmp_path, company, model=model) as (_, url),
        one_of_each(url) as (here, there),
    ):
        turn, conversation = begin_answer(here, company)
        page = there.get(f"/conversations/{conversation}", headers=company.headers("ben"))
        assert f'data-answer="/answers/{turn}"' in page.text
        for client in (here, there):
            assert client.get(f"/answers/{turn}", headers=company.headers("ada")).status_code == 404
            assert client.get(f"/answers/{turn}").headers["location"].startswith("/sign-in")
        assert there.post(f"/answers/{turn}/stop", headers=company.headers("ben")).status_code == 303
        assert there.get(f"/answers/{turn}", headers=company.headers("ben")).status_code == 200


def test_answers_in_progress_are_counted_in_all_processes(company: Company, tmp_path: Path) -> None:
    with speaking_model(pieces=600, delay=0.05) as model, two(tmp_path, company, model=model) as (running, url):
        with one_of_each(url) as (here, there):
            begun = [begin_answer(client, company)[0] for client in (here, there, here)]
            form, headers = {"question": ON_LEAVE, "mode": "generate"}, company.headers("ben")
            assert there.post("/ask", data=form, headers=headers).status_code == 429
            assert there.post(f"/answers/{begun[0]}/stop", headers=headers).status_code == 303
            begin_answer(there, company)
        # What dies with its process no longer counts.
        for child in children(running):
            child.kill()
        wait_for(lambda: both_serve(url), seconds=30, message=lambda: running.said)
        with one_of_each(url) as (here, there):
            for client in (here, there, here):
                begin_answer(client, company)


def test_numbers_are_of_each_process_and_never_go_back(company: Company, tmp_path: Path) -> None:
    with two(tmp_path, company) as (_, url), one_of_each(url) as pair:
        last: dict[str, float] = {}
        for _ in range(10):
            for client in pair:
                client.get(ME, headers=company.headers("ben"))
            now = scrape(url)
            assert all(now[name] >= value for name, value in last.items())
            last = now
        assert set(requests_by_process(url, ME).values()) == {10.0}


def test_a_process_that_dies_is_replaced_while_the_other_answers(company: Company, tmp_path: Path) -> None:
    with two(tmp_path, company) as (running, url):
        before = children(running)
        before[0].kill()
        for _ in range(20):
            assert get(f"{url}{ME}", company.headers("ben")).status_code == 200
        wait_for(
            lambda: len(children(running)) == 2 and before[0] not in children(running), message=lambda: running.said
        )
        wait_for(lambda: both_serve(url), seconds=30, message=lambda: running.said)
        assert before[1] in children(running)


def test_with_the_first_process_all_end(company: Company, tmp_path: Path) -> None:
    with two(tmp_path, company) as (running, _):
        pids = [child.pid for child in children(running)]
        running.kill()
        wait_for(lambda: not any(map(alive, pids)), seconds=15, message="they outlive it")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_in_order(company: Company, tmp_path: Path, number: signal.Signals) -> None:
    folder = {"TMPDIR": tempfile.mkdtemp()}
    with (
        speaking_model(pieces=600, delay=0.05) as model,
        two(tmp_path, company, model=model, **folder) as (running, url),
    ):
        with connections(url, 2) as made:
            begun = [begin_answer(client, company, "cleo")[0] for client in made]
        pids = [child.pid for child in children(running)]
        running.child.send_signal(number)
        assert running.child.wait(20) == -number
        assert not any(map(alive, pids))
        Path(folder["TMPDIR"]).rmdir()  # nothing is left there
        closed = {record["trail"]: record["outcome"] for record in company.records("answer.closed")}
        assert [closed.get(trail) for trail in begun] == ["hung_up", "hung_up"]
        assert "Traceback" not in running.said


def test_what_cannot_start_ends_with_its_status(company: Company, tmp_path: Path) -> None:
    """As a single process does, so that whoever watches it sees that."""
    given = {
        "CLEARANCE_DATABASE__APP_URL": company.db.url("app").replace("clearance_app:", "clearance_app:wrong"),
        "CLEARANCE_IDENTITY__KEY": IDENTITY_KEY,
        "CLEARANCE_AUDIT__KEY": AUDIT_KEY,
        "CLEARANCE_EMBEDDER__KIND": "hashed",
        "CLEARANCE_API__PORT": str(free_port()),
    }
    with process(tmp_path, ["app"], given | TWO) as running:
        assert running.child.wait(60) == 3
        assert "api.process_ended" in running.said


def test_a_port_that_is_taken_is_said_in_a_line(company: Company, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = {
            "CLEARANCE_DATABASE__APP_URL": company.db.url("app"),
            "CLEARANCE_IDENTITY__KEY": IDENTITY_KEY,
            "CLEARANCE_AUDIT__KEY": AUDIT_KEY,
            "CLEARANCE_EMBEDDER__KIND": "hashed",
            "CLEARANCE_API__PORT": port,
        }
        with process(tmp_path, ["app"], given | TWO) as running:
            assert running.child.wait(60) == 1
            assert f"cannot listen on 127.0.0.1, port {port}" in running.said
            assert "Traceback" not in running.said
