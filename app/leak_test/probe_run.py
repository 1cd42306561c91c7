"""Asks through every surface as every person: the routes, the questions, a conversation, the commands."""

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.client.api import path
from app.leak_test.cast import LEFT, PEOPLE, ProbeTarget, random_word
from app.leak_test.http import ProbeClient, RawAnswer
from app.leak_test.results import ProbeResults
from app.leak_test.routes import API, PREVIEW, SYNC, ProbePlan, RouteProbe
from app.leak_test.setup import CannotTest, Setup

CONVERSATION = "GET /conversations/{conversation}"
HISTORY = "POST /ask, in a conversation"
SHOW = "clearance documents show"
CITED = "GET /documents/{document}, cited"
ASKS: dict[str, dict[str, Any]] = {
    "POST /ask, quote": {"mode": "quote"},
    "POST /ask, quote, stream": {"mode": "quote", "stream": True},
    "POST /ask, generate": {"mode": "generate"},
    "POST /ask, generate, stream": {"mode": "generate", "stream": True},
}
# What somebody in charge may have foreseen, with the form that asks for it.
FORESEEN: dict[str, dict[str, Any]] = {
    SYNC: {"file": b""},
    PREVIEW: {"file": b"1  probe.md\n", "inherits": "true"},
}
# The model is the slowest part by far, so each person asks it once, by turns in one of these ways.
MODEL = ("POST /ask, generate", "POST /ask, generate, stream")
# Runs several commands in one process: each has its own arguments and output; only the start of Python is shared.
_COMMANDS = """
import contextlib, io, json, sys
from app.cli.app import main
ran = []
for arguments in json.load(sys.stdin):
    out, err, status = io.StringIO(), io.StringIO(), 0
    sys.argv = ["clearance", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
    ran.append([status, out.getvalue(), err.getvalue()])
json.dump(ran, sys.stdout)
"""


def seed_conversation(setup: Setup, results: ProbeResults) -> None:
    """Let a person in role A ask in a conversation, read it back and leave the role; its ids become targets."""
    client = setup.clients[LEFT]
    setup.enter_role()
    begun = client.send("POST", f"{API}/conversations").json()
    if not isinstance(begun, dict) or "id" not in begun:
        raise CannotTest("no conversation could be begun")
    setup.target("conversation", "", begun["id"], LEFT)
    turns = []
    for question in (setup.words.ask(), f"And what is {setup.words.question}?"):
        body = {"question": question, "mode": "quote", "conversation": begun["id"]}
        turns.append(client.send("POST", f"{API}/ask", body=body))
    read = client.send("GET", f"{API}{path('conversations', begun['id'])}")
    setup.leave_role()
    readable = [canary for canary in setup.canaries if canary.kind == "text" and "in A" in canary.knowers]
    for answer in (*turns, read):
        if answer.status != 200:
            results.add_failure(HISTORY, LEFT, "broken", "–", f"status {answer.status}")
    for answer in (turns[0], read):
        # Not inspected: at that moment they could read all this.
        if not any(canary.word.encode() in answer.body for canary in readable):
            results.add_failure(
                HISTORY, LEFT, "missing", "text of what they could read then", f"status {answer.status}"
            )
    results.inspect(HISTORY, LEFT, RawAnswer(turns[0].status))
    for turn in (read.json() or {}).get("turns", [])[:1]:
        setup.target("turn", "", turn["id"], LEFT)


class ProbeRun:
    """Asks everything as everybody; `advanced` is called after each part with the parts done and the number of all."""

    def __init__(
        self,
        setup: Setup,
        plan: ProbePlan,
        results: ProbeResults,
        advanced: Callable[[int, int], None],
        *,
        commands: bool = True,
    ) -> None:
        self._setup, self._plan, self._results, self._advanced = setup, plan, results, advanced
        self._with_commands = commands
        self._done, self._total, self._lock = 0, 0, threading.Lock()
        self._absent = {kind: _absent(kind) for kind in {target.kind for target in setup.targets}}
        self._stopping = threading.Event()
        # By surface and by what they name: requests that a caller without a key was refused. One thread fills it.
        self._refused_without_key: set[tuple[str, frozenset[str]]] = set()

    def run(self) -> None:
        """Each person in threads of their own; what would change something comes when all have read."""
        reads = [probe for probe in self._plan.probes if not probe.changes]
        changes = [probe for probe in self._plan.probes if probe.changes]
        self._total = len(PEOPLE) * (len(reads) + len(changes) + len(ASKS) + 2 + len(FORESEEN))
        self._each(lambda person: self._probe_all(person, reads), self._ask_and_search)
        self._each(lambda person: self._probe_all(person, changes))

    def _each(self, *acts: Callable[[str], None]) -> None:
        with ThreadPoolExecutor(len(PEOPLE) * len(acts)) as threads:
            try:
                for future in [threads.submit(act, person) for act in acts for person in PEOPLE]:
                    future.result()
            except BaseException:
                self._stopping.set()
                threads.shutdown(wait=True, cancel_futures=True)
                raise

    def _ask_and_search(self, person: str) -> None:
        self._questions(person)
        self._foresee(person)
        self._commands(person)

    def _step(self) -> None:
        if self._stopping.is_set():
            raise CannotTest("the test was ended")
        with self._lock:
            self._done += 1
        self._advanced(self._done, self._total)

    def _probe_all(self, person: str, probes: Iterable[RouteProbe]) -> None:
        for probe in probes:
            self._probe(person, probe)
            self._step()

    def _probe(self, person: str, probe: RouteProbe) -> None:
        """Send each combination of targets, and where the person may not know of one, the same with absent values.

        Without a key a request is refused before anybody looks at what it names. Others like it would only use up what
        strangers may ask in a minute, and are sent only if the first was not refused for want of a key.
        """
        client, form = self._setup.clients[person], (probe.surface, frozenset(probe.named))
        absent: dict[tuple[str, ...], RawAnswer] = {}
        for chosen in probe.combinations(self._setup.targets):
            if form in self._refused_without_key and client.key is None:
                return
            unknown = [name for name, target in chosen.items() if person not in target.knowers]
            if probe.changes and not unknown:
                continue  # they may do this, so it would be done
            answer = self._send(client, probe, {name: target.value for name, target in chosen.items()})
            self._results.inspect(probe.surface, person, answer, sent=[target.value for target in chosen.values()])
            if client.key is None and answer.signed_out:
                self._refused_without_key.add(form)
            if not unknown:
                continue
            swapped = {n: self._absent[t.kind] if n in unknown else t.value for n, t in chosen.items()}
            key = tuple(swapped.values())
            if key not in absent:
                absent[key] = self._send(client, probe, swapped)
            of = ", ".join(_of(chosen[name]) for name in unknown)
            sent = {chosen[name].value: swapped[name] for name in chosen}
            self._results.compare(probe.surface, person, of, (answer, absent[key]), sent)

    def _send(self, client: ProbeClient, probe: RouteProbe, chosen: Mapping[str, str]) -> RawAnswer:
        place, query = probe.url(chosen)
        return client.send(probe.method, place, params=query)

    def _questions(self, person: str) -> None:
        client, question = self._setup.model_clients[person], self._setup.words.ask()
        search = client.send("POST", f"{API}/search", body={"query": question, "limit": 50})
        self._results.inspect("POST /search", person, search)
        self._step()
        model = MODEL[list(PEOPLE).index(person) % len(MODEL)]
        for surface, options in ASKS.items():
            if surface not in MODEL or surface == model:
                answer = client.send("POST", f"{API}/ask", body={"question": question, **options})
                self._results.inspect(surface, person, answer)
                if surface in MODEL and (answer.json() or {}).get("code") == "LabelTooHigh":
                    # This model may not see such labels. The quotes must be shown all the same.
                    self._results.waive(surface, person)
                if surface not in MODEL:
                    self._open_cited(person, answer)
            self._step()

    def _open_cited(self, person: str, answer: RawAnswer) -> None:
        """Open what an answer names as its sources: nobody is pointed to what they may not see."""
        for source in (answer.json() or {}).get("sources", ()):
            opened = self._setup.model_clients[person].send("GET", f"{API}{path('documents', source['document'])}")
            self._results.inspect(CITED, person, opened)
            if opened.status != 200:
                self._results.add_failure(CITED, person, "missing", "a cited source", f"status {opened.status}")

    def _foresee(self, person: str) -> None:
        """Ask what a sync with an empty folder would remove, and what an upload would do: the curator alone is told."""
        [collection] = (target for target in self._setup.targets if target.kind == "collection")
        nowhere, client = self._absent["collection"], self._setup.model_clients[person]
        for surface, form in FORESEEN.items():
            method, template = surface.split(" ")
            hidden, absent = (
                client.send(method, API + template.replace("{name}", path(name)[1:]), form=form)
                for name in (collection.value, nowhere)
            )
            self._results.inspect(surface, person, hidden, sent=[collection.value])
            if person not in collection.knowers:
                self._results.compare(surface, person, _of(collection), (hidden, absent), {collection.value: nowhere})
            self._step()

    def _commands(self, person: str) -> None:
        client = self._setup.model_clients[person]
        if client.key is None or not self._with_commands:
            self._step()
            return
        documents = [target for target in self._setup.targets if target.kind == "document"]
        nowhere = self._absent["document"]
        question, collection = self._setup.words.ask(), self._setup.words.collection_name
        commands: dict[tuple[str, ...], str] = {
            ("search", question, "--limit", "50"): "clearance search",
            ("ask", question, "--mode", "quote", "--no-stream"): "clearance ask",
            ("documents", "list", "--collection", collection): "clearance documents list",
            ("conversations", "list"): "clearance conversations list",
            ("explain", documents[0].value): "clearance explain",
            **{("documents", "show", d.value): SHOW for d in documents},
            ("documents", "show", nowhere): SHOW,
        }
        ran = dict(zip(commands, _run_commands(client, self._setup.admin.base_url, list(commands)), strict=True))
        for arguments, surface in commands.items():
            self._results.inspect(surface, person, ran[arguments], sent=arguments)
        for document in documents:
            if person not in document.knowers:
                answers = ran["documents", "show", document.value], ran["documents", "show", nowhere]
                self._results.compare(SHOW, person, _of(document), answers, {document.value: nowhere})
        self._step()


def _of(target: ProbeTarget) -> str:
    return f"{target.kind} {target.of}".strip()


def _run_commands(client: ProbeClient, url: str, commands: list[tuple[str, ...]]) -> list[RawAnswer]:
    """Run commands as this person, in a process that knows only who they are and where to ask."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environ |= {"CLEARANCE_URL": url, "CLEARANCE_KEY": client.key or "", "COLUMNS": "500"}
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # where `app` is found
    if client.token is not None:
        environ["CLEARANCE_ON_BEHALF_OF"] = client.token
    ended = subprocess.run(  # noqa: S603  # our own commands, with words of our own
        [sys.executable, "-c", _COMMANDS],
        input=json.dumps(commands), env=environ, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if ended.returncode != 0:
        raise CannotTest("the commands of 'clearance' do not start here")
    ran: list[list[Any]] = json.loads(ended.stdout)
    # An exit status is no HTTP status: 0 stands for 200, all else for a refusal that must look the same each time.
    return [RawAnswer(200 if status == 0 else 404, body=f"{out}\n--\n{err}".encode()) for status, out, err in ran]


def _absent(kind: str) -> str:
    """A value of this kind that nothing has."""
    if kind in {"collection", "folder", "user", "role"}:
        return f"leak-test-{random_word()}"
    return random_word() * 3 if kind == "grant" else str(uuid.uuid4())
