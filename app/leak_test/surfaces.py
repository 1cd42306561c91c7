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
from app.leak_test.canaries import difference
from app.leak_test.cast import LEFT, PEOPLE, Thing, word
from app.leak_test.requests import Answer, Asker
from app.leak_test.results import Tally
from app.leak_test.routes import API, SYNC, Ask, Routes
from app.leak_test.setup import CannotTest, Stage

CONVERSATION = "GET /conversations/{conversation}"
HISTORY = "POST /ask, in a conversation"
CITED = "GET /documents/{document}, cited"
ASKS: dict[str, dict[str, Any]] = {
    "POST /ask, quote": {"mode": "quote"},
    "POST /ask, quote, stream": {"mode": "quote", "stream": True},
    "POST /ask, generate": {"mode": "generate"},
    "POST /ask, generate, stream": {"mode": "generate", "stream": True},
}
# A person asks the model once, the next one in the other way: it is the slowest part by far.
MODEL = ("POST /ask, generate", "POST /ask, generate, stream")
NOT_SIGNED_IN = 401
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


def talk(stage: Stage, tally: Tally) -> None:
    """A person in role A asks in a conversation, reads it back and leaves the role. It stays for all to ask for."""
    asker = stage.askers[LEFT]
    stage.enter_role()
    begun = asker.send("POST", f"{API}/conversations").json()
    if not isinstance(begun, dict) or "id" not in begun:
        raise CannotTest("no conversation could be begun")
    stage.thing("conversation", "", begun["id"], LEFT)
    turns = []
    for question in (stage.words.ask(), f"And what is {stage.words.question}?"):
        body = {"question": question, "mode": "quote", "conversation": begun["id"]}
        turns.append(asker.send("POST", f"{API}/ask", body=body))
    read = asker.send("GET", f"{API}{path('conversations', begun['id'])}")
    stage.leave_role()
    told = [canary for canary in stage.canaries if canary.kind == "text" and "in A" in canary.knowers]
    for answer in (*turns, read):
        if answer.status != 200:
            tally.fail(HISTORY, LEFT, "broken", "–", f"status {answer.status}")
    for answer in (turns[0], read):
        # Looked at apart from the tally: at that moment they could read all this.
        if not any(canary.word.encode() in answer.body for canary in told):
            tally.fail(HISTORY, LEFT, "missing", "text of what they could read then", f"status {answer.status}")
    tally.hear(HISTORY, LEFT, Answer(turns[0].status))
    for turn in (read.json() or {}).get("turns", [])[:1]:
        stage.thing("turn", "", turn["id"], LEFT)


class Round:
    """All that is asked; `moved` is called after each part with how many of them there are and have ended."""

    def __init__(self, stage: Stage, routes: Routes, tally: Tally, moved: Callable[[int, int], None]) -> None:
        self._stage, self._routes, self._tally, self._moved = stage, routes, tally, moved
        self._done, self._all, self._lock = 0, 0, threading.Lock()
        self._absent = {kind: _absent(kind) for kind in {thing.kind for thing in stage.things}}
        self._stopping = threading.Event()
        # Requests by surface and by what they name that a caller without a key was refused; one thread fills it.
        self._turned_away: set[tuple[str, frozenset[str]]] = set()

    def everybody(self) -> None:
        """Each person in threads of their own, but for what would change something: that comes when all have read."""
        reads = [ask for ask in self._routes.asks if not ask.changes]
        changes = [ask for ask in self._routes.asks if ask.changes]
        self._all = len(PEOPLE) * (len(reads) + len(changes) + len(ASKS) + 3)
        self._each(lambda person: self._asking(person, reads), self._saying)
        self._each(lambda person: self._asking(person, changes))

    def _each(self, *acts: Callable[[str], None]) -> None:
        with ThreadPoolExecutor(len(PEOPLE) * len(acts)) as threads:
            try:
                for future in [threads.submit(act, person) for act in acts for person in PEOPLE]:
                    future.result()
            except BaseException:
                self._stopping.set()
                threads.shutdown(wait=True, cancel_futures=True)
                raise

    def _saying(self, person: str) -> None:
        self._questions(person)
        self._sync(person)
        self._commands(person)

    def _step(self) -> None:
        if self._stopping.is_set():
            raise CannotTest("the test was ended")
        with self._lock:
            self._done += 1
        self._moved(self._done, self._all)

    def _asking(self, person: str, asks: Iterable[Ask]) -> None:
        for ask in asks:
            self._ask(person, ask)
            self._step()

    def _ask(self, person: str, ask: Ask) -> None:
        """Every filling of one ask; where it names what the person does not know of, also with what is not there.

        Without a key one request is refused before it is known what it names, and all others like it would only use up
        what strangers may ask in a minute: they are sent where the first one was not refused for its key.
        """
        asker, form = self._stage.askers[person], (ask.surface, frozenset(ask.named))
        absent: dict[tuple[str, ...], Answer] = {}
        for chosen in ask.fillings(self._stage.things):
            if form in self._turned_away and asker.key is None:
                return
            unknown = [name for name, thing in chosen.items() if person not in thing.knowers]
            if ask.changes and not unknown:
                continue  # they may do this, so it would be done
            answer = self._sent(asker, ask, {name: thing.value for name, thing in chosen.items()})
            self._tally.hear(ask.surface, person, answer, sent=[thing.value for thing in chosen.values()])
            if asker.key is None and answer.status == NOT_SIGNED_IN:
                self._turned_away.add(form)
            if not unknown:
                continue
            swapped = {n: self._absent[t.kind] if n in unknown else t.value for n, t in chosen.items()}
            key = tuple(swapped.values())
            if key not in absent:
                absent[key] = self._sent(asker, ask, swapped)
            pairs = {chosen[name].value: swapped[name] for name in chosen}
            if found := difference(answer, absent[key], pairs):
                of = ", ".join(_of(chosen[name]) for name in unknown)
                self._tally.fail(ask.surface, person, "told apart", of, found)

    def _sent(self, asker: Asker, ask: Ask, chosen: Mapping[str, str]) -> Answer:
        place, query = ask.filled(chosen)
        return asker.send(ask.method, place, params=query)

    def _questions(self, person: str) -> None:
        asker, question = self._stage.others[person], self._stage.words.ask()
        search = asker.send("POST", f"{API}/search", body={"query": question, "limit": 50})
        self._tally.hear("POST /search", person, search)
        self._step()
        model = MODEL[list(PEOPLE).index(person) % len(MODEL)]
        for surface, options in ASKS.items():
            if surface not in MODEL or surface == model:
                answer = asker.send("POST", f"{API}/ask", body={"question": question, **options})
                self._tally.hear(surface, person, answer)
                if surface in MODEL and (answer.json() or {}).get("code") == "LabelTooHigh":
                    # The model is one that may not see such labels; that the quotes are shown is required all the same.
                    self._tally.excuse(surface, person)
                if surface not in MODEL:
                    self._open_cited(person, answer)
            self._step()

    def _open_cited(self, person: str, answer: Answer) -> None:
        """What an answer names as its source opens: nobody is pointed to what they may not see."""
        for source in (answer.json() or {}).get("sources", ()):
            opened = self._stage.others[person].send("GET", f"{API}{path('documents', source['document'])}")
            self._tally.hear(CITED, person, opened)
            if opened.status != 200:
                self._tally.fail(CITED, person, "missing", "a cited source", f"status {opened.status}")

    def _sync(self, person: str) -> None:
        """Hold an empty folder against the collection, only to look: its curator alone is told what would go."""
        [shelf] = (thing for thing in self._stage.things if thing.kind == "shelf")
        nowhere = self._absent["shelf"]
        hidden, absent = (
            self._stage.others[person].send("POST", f"{API}{path('collections', name, 'sync')}", file=b"")
            for name in (shelf.value, nowhere)
        )
        self._tally.hear(SYNC, person, hidden, sent=[shelf.value])
        if person not in shelf.knowers and (found := difference(hidden, absent, {shelf.value: nowhere})):
            self._tally.fail(SYNC, person, "told apart", _of(shelf), found)
        self._step()

    def _commands(self, person: str) -> None:
        asker = self._stage.others[person]
        if asker.key is None:
            self._step()
            return
        documents = [thing for thing in self._stage.things if thing.kind == "document"]
        nowhere = self._absent["document"]
        question, shelf = self._stage.words.ask(), self._stage.words.shelf_name
        commands: dict[tuple[str, ...], str] = {
            ("search", question, "--limit", "50"): "clearance search",
            ("ask", question, "--mode", "quote", "--no-stream"): "clearance ask",
            ("documents", "list", "--collection", shelf): "clearance documents list",
            ("conversations", "list"): "clearance conversations list",
            ("explain", documents[0].value): "clearance explain",
            **{("documents", "show", d.value): "clearance documents show" for d in documents},
            ("documents", "show", nowhere): "clearance documents show",
        }
        ran = dict(zip(commands, _run(asker, self._stage.admin.base_url, list(commands)), strict=True))
        for arguments, surface in commands.items():
            self._tally.hear(surface, person, ran[arguments], sent=arguments)
        for document in documents:
            if person not in document.knowers:
                shown = ran["documents", "show", document.value]
                found = difference(shown, ran["documents", "show", nowhere], {document.value: nowhere})
                if found:
                    self._tally.fail("clearance documents show", person, "told apart", _of(document), found)
        self._step()


def _of(thing: Thing) -> str:
    return f"{thing.kind} {thing.of}".strip()


def _run(asker: Asker, url: str, commands: list[tuple[str, ...]]) -> list[Answer]:
    """Run commands as this person, in a process that knows nothing but who they are and where to ask."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environ |= {"CLEARANCE_URL": url, "CLEARANCE_KEY": asker.key or "", "COLUMNS": "500"}
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # where `app` is found
    if asker.token is not None:
        environ["CLEARANCE_ON_BEHALF_OF"] = asker.token
    ended = subprocess.run(  # noqa: S603  # our own commands, with words of our own
        [sys.executable, "-c", _COMMANDS],
        input=json.dumps(commands), env=environ, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if ended.returncode != 0:
        raise CannotTest("the commands of 'clearance' do not start here")
    ran: list[list[Any]] = json.loads(ended.stdout)
    # An exit status is no HTTP status: 0 stands for 200, all else for a refusal that must look the same each time.
    return [Answer(200 if status == 0 else 404, body=f"{out}\n--\n{err}".encode()) for status, out, err in ran]


def _absent(kind: str) -> str:
    """A value of this kind that nothing has."""
    if kind in {"shelf", "folder", "user", "role"}:
        return f"leak-test-{word()}"
    return word() * 3 if kind == "grant" else str(uuid.uuid4())
