"""Runs the matrix on the leak test's engine: each caller, each case of each route, each state of its target."""

import contextlib
import io
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import errors
from app.admin.background import BackgroundWork
from app.admin.leak_test_runs import LeakTestRuns
from app.admin.log_exports import LogExports
from app.identity.subject import Label
from app.leak_test.canaries import Canary
from app.leak_test.http import ProbeClient, RawAnswer
from app.leak_test.results import ProbeResults
from app.llm.scripted import ScriptedChat
from app.web.http.openapi import codes_of
from tests.api.matrix.callers import IDS, absent_twin, callers, fill, targets
from tests.api.matrix.oracle import (
    NOT_FOUND,
    NOT_SIGNED_IN,
    Caller,
    Expected,
    Target,
    canary_words,
    expected,
    knows,
    state,
)
from tests.api.matrix.route_access import GRANT, TARGET, Case, Route
from tests.api.matrix.table_snapshot import TableSnapshot
from tests.api.matrix.world import World
from tests.support.service import application, endpoint, parts_of, prompts

Key = tuple[str, str]
CODES = {name for name, found in vars(errors).items() if isinstance(found, type)}
# Refusals that do not depend on what is asked: all of a code are the same bytes, with this WWW-Authenticate.
AT_THE_DOOR = {"NotSignedIn": "Bearer", "OnBehalfOfNeeded": None, "InPersonNeeded": None}
CANARY_WORD = re.compile("|".join(map(re.escape, canary_words())))
LEAKS = re.compile(r"select |insert into|update |delete from|psycopg|sqlalchemy|Traceback|\.py\b|scope_id", re.I)
MEDIA = {
    "scim": "application/scim+json",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "file": "application/octet-stream",
    "stream": "text/event-stream; charset=utf-8",
    "lines": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "text": "text/plain; version=1.0.0; charset=utf-8",
    "page": "text/html; charset=utf-8",
    "download": "application/octet-stream",
}
# What answers somebody in front of a browser: with a page, or with a file, whose errors are pages.
PAGES = frozenset({"page", "download"})
# Pages say the code of an error too.
PAGE_CODE = re.compile(rb'<code class="code">(\w+)</code>')


@dataclass
class Cell:
    """One request, what it must get, and what it got."""

    key: Key
    case: Case
    caller: Caller
    target: Target
    state: str
    want: Expected
    answer: RawAnswer = field(default_factory=lambda: RawAnswer(0))

    @property
    def surface(self) -> str:
        return " ".join(self.key)

    @property
    def of(self) -> str:
        return f"{self.state} {self.case.kind} ({self.target.value})" if self.case.kind else "–"


class Matrix:
    """The service over a founded world, called by everybody. `states` and `statuses` count the cells."""

    def __init__(
        self, world: World, app: FastAPI, client: ProbeClient, chat: ScriptedChat, kept: TableSnapshot
    ) -> None:
        self._world, self._client, self._chat, self._kept = world, client, chat, kept
        self.app = app
        self.callers = callers(world)
        self.states: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.at_the_door: set[tuple[str | None, str | None, bytes]] = set()
        self.results = ProbeResults(
            Canary(part, collection, word, frozenset(c.name for c in self.callers if knows(c, collection, part)))
            for word, (collection, part) in canary_words().items()
        )

    def run(self, declared: Mapping[Key, Route]) -> ProbeResults:
        for key, route in declared.items():
            for number, case in enumerate(route.cases):
                self._case(key, route, case, [c for c in self.callers if number == 0 or _knocks(c, route)])
        return self.results

    def _case(self, key: Key, route: Route, case: Case, who: list[Caller]) -> None:
        """First the refused and the reading cells, which must change nothing; then each act, on a world put back."""
        cells = [cell for caller in who for cell in self._cells(key, route, case, caller)]
        creates = case.done in {201, 202, 303}
        writes = case.acts or key[0] in {"PUT", "PATCH", "DELETE"} or creates
        done = [c for c in cells if c.want.status < 400]
        if not done:
            self._fail(cells[0], "by the oracle nobody may ever do this: the case shows nothing")
        acting = done if writes else []
        for cell in (c for c in cells if c not in acting):
            self._send(cell)
        if changed := self._kept.changed():
            where = f"cells that must not act changed {', '.join(changed)}"
            self.results.add_failure(cells[0].surface, "", "unexpected", case.kind, where)
            self._kept.restore()
        for cell in acting:
            self._send(cell)
            if not self._kept.restore() and 200 <= cell.answer.status < 300 and cell.case.shape not in PAGES:
                self._fail(cell, "the act changed nothing")
        self._compare(cells)

    def _cells(self, key: Key, route: Route, case: Case, caller: Caller) -> Iterator[Cell]:
        """For each state and each answer that the oracle knows in it one target, then the absent twins."""
        if not case.kind:
            nothing = Target("", "")
            yield Cell(key, case, caller, nothing, "no target", expected(caller, route, case, nothing))
            return
        seen: dict[tuple[str, Expected], Target] = {}
        for target in targets(self._world, case.kind, caller):
            want = expected(caller, route, case, target)
            # Who lacks what the route needs is told the same of everything: one thing that is there will do.
            apart = " of ours" if target.ours and want.status not in {401, 403} else ""
            seen.setdefault((state(caller, case, target) + apart, want), target)
        if not _knocks(caller, route):
            seen = dict(list(seen.items())[:1])
        twins = {t.value: t for t in map(absent_twin, seen.values())}
        if case.kind in IDS and TARGET in case.path.values() and _knocks(caller, route):
            malformed = absent_twin(next(iter(seen.values())), malformed=True)
            twins[malformed.value] = malformed
        for target in [*seen.values(), *twins.values()]:
            want = expected(caller, route, case, target)
            yield Cell(key, case, caller, target, state(caller, case, target), want)

    def _send(self, cell: Cell) -> None:
        case = cell.case
        words = {TARGET: cell.target.value, GRANT: cell.target.grant, **self._world.places()}
        path = cell.key[1].format(**fill(case.path, words))
        sent = {"params": fill(case.query, words), "body": fill(case.body, words)}
        with_file = any(isinstance(value, bytes) for value in (case.form or {}).values())
        sent |= {"fields" if case.shape in PAGES and not with_file else "form": fill(case.form, words)}
        if case.shape in PAGES and cell.key[0] == "POST" and not with_file:
            token = dict(cell.caller.headers).get("X-CSRF-Token", "")
            sent["fields"] = {**(sent["fields"] or {}), "csrf": token}
        cell.answer = self._client.send(cell.key[0], path, headers=cell.caller.headers, **sent)
        self.states[cell.state] += 1
        self.statuses[cell.answer.status] += 1
        self._check(cell, f"{path} {sent}")

    def _check(self, cell: Cell, request: str) -> None:
        """Status, class of body, and no canary that the caller may not know, in body, headers or prompt."""
        answer, want = cell.answer, cell.want
        if cell.case.shape in PAGES and want == NOT_SIGNED_IN and cell.key[0] == "GET":
            # A person is led to where they sign in, and from there back.
            cell.want = want = Expected(303)
        if answer.status != want.status:
            self._fail(cell, f"{answer.status} instead of {want.status}: {_text(answer)[:200]}")
        elif trouble := _body_trouble(cell):
            self._fail(cell, trouble)
        if (code := _code(answer)) is not None and code not in self._codes(cell.key):
            self._fail(cell, f"answers {code}, which the description of the route does not list")
        if want.code in AT_THE_DOOR and cell.case.shape not in PAGES:
            self.at_the_door.add((want.code, dict(answer.headers).get("www-authenticate"), answer.body))
        # What callers named comes back to them in an answer that they may have, and in the 404 that says that there is
        # none, which `_compare` holds against the one for a name of nothing. Other refusals repeat nothing.
        sent = [request] if want.status < 400 or want.status == 404 else []
        self.results.inspect(cell.surface, cell.caller.name, answer, sent=sent)
        for prompt in prompts(self._chat):
            self.results.find_leaks(cell.surface, cell.caller.name, RawAnswer(200, body=prompt.encode()), sent=sent)
        self._chat.prompts.clear()

    def _codes(self, key: Key) -> set[str]:
        """The codes that the route's description lists; all of them for a route that it does not show."""
        operation = self.app.openapi()["paths"].get(key[1], {}).get(key[0].lower())
        return CODES if operation is None else codes_of(operation)

    def _compare(self, cells: Iterable[Cell]) -> None:
        """Hidden and absent: the same bytes and the same headers, but for what differs between any two answers."""
        cells = list(cells)
        absent = {(c.caller.name, c.target.value): c for c in cells if c.state == "absent"}
        for hidden in (c for c in cells if c.state == "hidden"):
            twins = [absent_twin(hidden.target), absent_twin(hidden.target, malformed=True)]
            for other in (absent[k] for t in twins if (k := (hidden.caller.name, t.value)) in absent):
                answers = hidden.answer, other.answer
                sent = _replaceable(hidden, other)
                self.results.compare(hidden.surface, hidden.caller.name, hidden.of, answers, sent, exact=True)

    def _fail(self, cell: Cell, words: str) -> None:
        self.results.add_failure(cell.surface, cell.caller.name, "unexpected", cell.of, words)


def _replaceable(hidden: Cell, absent: Cell) -> dict[str, str]:
    """What may differ: the word in a refusal that says what is not there; word, id and time of what was just made."""
    word = {hidden.target.value: absent.target.value}
    if hidden.case.shape in PAGES and hidden.target.value == hidden.caller.person:
        return {}  # their name stands on every page of theirs
    status = hidden.answer.status
    # Who is not signed in is led back to the address that they asked for.
    if status in {303, 404, 422} or (hidden.case.shape in PAGES and hidden.key[0] == "GET"):
        # A page shows in its fields what was asked for.
        return word
    if not 200 <= status < 300 or hidden.key[0] == "GET":
        return {}
    made = hidden.answer.json() or {}, absent.answer.json() or {}
    return word | {str(made[0][k]): str(made[1][k]) for k in ("id", "created_at") if k in made[0] and k in made[1]}


def _text(answer: RawAnswer) -> str:
    return answer.body.decode(errors="replace")


def _media(answer: RawAnswer) -> str | None:
    return dict(answer.headers).get("content-type")


def _code(answer: RawAnswer) -> str | None:
    """The code of a problem; None for anything else."""
    return answer.json()["code"] if _media(answer) == "application/problem+json" else None


def _knocks(caller: Caller, route: Route) -> bool:
    """Whether it can matter to the caller what is asked: who is nobody, or a service where none comes in, is told so
    at the door, of which one case and one thing are enough.
    """
    if caller.provisions:
        return route.needs == "provision"
    return caller.person is not None and (route.lent or not caller.lent)


def _body_trouble(cell: Cell) -> str | None:
    """What is wrong with the class of a body whose status is right."""
    answer = cell.answer
    if cell.case.shape in PAGES:
        return _page_trouble(cell)
    if cell.caller.provisions and cell.want == NOT_FOUND:
        return None if _media(answer) == MEDIA["scim"] else f"the refusal is {_media(answer)}"
    if cell.want.code is not None:
        if (problem := _problem(answer)) != cell.want.code:
            return f"the problem is {problem} instead of {cell.want.code}"
        return f"a refusal that tells too much: {_text(answer)[:200]}" if LEAKS.search(_text(answer)) else None
    if cell.case.shape == "none":
        return "a body where there should be none" if answer.body else None
    media = _media(answer)
    return None if media == MEDIA[cell.case.shape] else f"the body is {media} instead of {cell.case.shape}"


def _page_trouble(cell: Cell) -> str | None:
    """The same of a page: an error says its code in the same words as a problem."""
    answer, code = cell.answer, cell.want.code
    if cell.want.status in {204, 303}:
        return "a body where there should be none" if answer.body else None
    if _media(answer) != MEDIA["page" if code else cell.case.shape]:
        return f"no page but {_media(answer)}"
    if "content-security-policy" not in dict(answer.headers):
        return "a page without a policy"
    said = PAGE_CODE.search(answer.body)
    if code is not None and code != "NotSignedIn" and (said is None or said[1].decode() != code):
        return f"the page says {said and said[1].decode()} instead of {code}"
    return f"a refusal that tells too much: {_text(answer)[:200]}" if code and LEAKS.search(_text(answer)) else None


def _problem(answer: RawAnswer) -> str:
    """The code of a problem in the one shape of all; what else it is, in words."""
    if _media(answer) != "application/problem+json":
        return f"no problem but {_media(answer)}"
    body = answer.json()
    code = str(body.get("code"))
    whole = set(body) == {"type", "title", "status", "code", "detail"} and body["status"] == answer.status
    return code if whole and body["type"] == f"urn:clearance:error:{code}" else f"malformed: {sorted(body)}"


@contextlib.contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """All that structlog writes meanwhile, as JSON lines. Entered when the app is made, whose loggers bind later."""
    lines = io.StringIO()
    before = structlog.get_config()
    processors = [*before["processors"][:-1], structlog.processors.JSONRenderer()]
    structlog.configure(processors=processors, logger_factory=structlog.WriteLoggerFactory(lines))
    try:
        yield lines
    finally:
        structlog.configure(**before)


@contextlib.contextmanager
def matrix_over(world: World) -> Iterator[tuple[Matrix, io.StringIO]]:
    """The matrix over a world, and the log of its service."""
    # Whether a label may leave the house is not what the matrix asks.
    chat = ScriptedChat(endpoint(Label.RESTRICTED), lambda _: ["It says so [1]."])
    app = application(parts_of(world.db, chat=chat))
    # Started, and never performed: what goes on beside the cells would change what they are held against.
    background = BackgroundWork(lambda _: threading.Thread())
    app.state.leak_tests = LeakTestRuns(lambda *_: {}, "", background)
    app.state.log_exports = LogExports(background)
    service = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    with captured_log() as lines, service as client, TableSnapshot(world.db) as kept:
        yield Matrix(world, app, ProbeClient("", http=client), chat, kept), lines
        assert kept.differing(kept.tables) == [], "tables changed past the trigger that notes it"


def leaking_lines(log: str) -> list[str]:
    """The log lines that hold a canary: none may, whoever called."""
    return [line for line in log.splitlines() if CANARY_WORD.search(line.lower())]
