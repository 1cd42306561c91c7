"""Runs the matrix: each caller, each case of each route, each state of its target; says in words what was wrong."""

import contextlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi.testclient import TestClient
from httpx2 import Response

from app import errors
from app.llm.scripted import ScriptedChat
from app.main import create
from app.web.http.openapi import codes_of
from tests.api.declaring import GRANT, TARGET, Case, Route
from tests.api.matrix_callers import IDS, callers, substituted, targets, twin
from tests.api.matrix_keep import Keep
from tests.api.matrix_oracle import Caller, Expected, Target, canaries, expected, knows, state
from tests.api.matrix_world import World
from tests.support.service import app_of, parts_of, prompts, saying

Key = tuple[str, str]
CODES = {name for name, found in vars(errors).items() if isinstance(found, type)}
CANARIES = canaries()
CANARY_WORD = re.compile("|".join(map(re.escape, CANARIES)))
LEAKS = re.compile(r"select |insert into|update |delete from|psycopg|sqlalchemy|Traceback|\.py\b|scope_id", re.I)
MEDIA = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "file": "application/octet-stream",
    "stream": "text/event-stream; charset=utf-8",
    "lines": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "text": "text/plain; version=1.0.0; charset=utf-8",
}


@dataclass
class Cell:
    """One request, what it must get, and what it got."""

    key: Key
    case: Case
    caller: Caller
    target: Target
    state: str
    want: Expected
    answer: Response | None = None

    @property
    def name(self) -> str:
        """For reports: the route, who, and the state of what."""
        what = f"{self.state} {self.case.kind}".strip() if self.case.kind else "-"
        return f"{self.key[0]} {self.key[1]} | {self.caller.name} | {what} ({self.target.value})"


@dataclass
class Outcome:
    """What a run found: wrong cells in words, and counts. `pairs` counts hidden answers held against absent ones."""

    wrong: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    pairs: int = 0

    @property
    def cells(self) -> int:
        """All cells."""
        return self.counts.total()

    @property
    def statuses(self) -> dict[int, int]:
        """Cells by the status that was answered."""
        statuses: Counter[int] = Counter()
        for (_, status), n in self.counts.items():
            statuses[status] += n
        return dict(sorted(statuses.items()))

    @property
    def states(self) -> dict[str, int]:
        """Cells by the state of what they name."""
        states: Counter[str] = Counter()
        for (state_, _), n in self.counts.items():
            states[state_] += n
        return dict(states)


class Matrix:
    """The service over a founded world, ready to be called by everybody."""

    def __init__(self, world: World, client: TestClient, chat: ScriptedChat, keep: Keep) -> None:
        self._world, self._client, self._chat, self._keep = world, client, chat, keep
        self.callers = callers(world)
        self.app = app_of(client)
        self.outcome = Outcome()

    def run(self, declared: Mapping[Key, Route]) -> Outcome:
        """All cells of these routes."""
        for key, route in declared.items():
            for number, case in enumerate(route.cases):
                self._case(key, route, case, [c for c in self.callers if number == 0 or _knocks(c, route)])
        return self.outcome

    def _case(self, key: Key, route: Route, case: Case, who: list[Caller]) -> None:
        """First the refused and the reading cells, which must change nothing; then each act, on a world put back."""
        cells = [cell for caller in who for cell in self._cells(key, route, case, caller)]
        writes = case.acts or key[0] in {"PUT", "PATCH", "DELETE"} or case.done in {201, 202}
        done = [c for c in cells if c.want.status < 300]
        if not done:
            self._wrong(cells[0], "by the oracle nobody may ever do this: the case shows nothing")
        acting = done if writes else []
        for cell in (c for c in cells if c not in acting):
            self._send(cell)
        if changed := self._keep.changed():
            kind = f" {case.kind}" if case.kind else ""
            self.outcome.wrong.append(
                f"{key[0]} {key[1]} |{kind} | cells that must not act changed {', '.join(changed)}"
            )
            self._keep.restore()
        for cell in acting:
            self._send(cell)
            if not self._keep.changed() and cell.answer is not None and cell.answer.is_success:
                self._wrong(cell, "the act changed nothing")
            self._keep.restore()
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
        twins = {t.value: t for t in map(twin, seen.values())}
        if case.kind in IDS and TARGET in case.path.values() and _knocks(caller, route):
            malformed = twin(next(iter(seen.values())), wrong=1)
            twins[malformed.value] = malformed
        for target in [*seen.values(), *twins.values()]:
            want = expected(caller, route, case, target)
            yield Cell(key, case, caller, target, state(caller, case, target), want)

    def _send(self, cell: Cell) -> None:
        case, words = (
            cell.case,
            {TARGET: cell.target.value, GRANT: cell.target.grant, **self._world.places(cell.caller.person)},
        )
        path = cell.key[1].format(**substituted(case.path, words))
        sent: dict[str, Any] = {"params": substituted(case.query, words), "headers": list(cell.caller.headers)}
        if case.form is not None:
            form = substituted(case.form, words)
            sent |= {"files": {"file": ("file.md", form.pop("file"))}, "data": form}
        elif case.body is not None:
            sent["json"] = substituted(case.body, words)
        cell.answer = answer = self._client.request(cell.key[0], path, **sent)
        self.outcome.counts[cell.state, answer.status_code] += 1
        self._check(cell, answer, f"{path} {sent}".lower())

    def _check(self, cell: Cell, answer: Response, request: str) -> None:
        """Status, class of body, and no canary that the caller may not know, in body, headers or prompt."""
        want = cell.want
        if answer.status_code != want.status:
            self._wrong(cell, f"{answer.status_code} instead of {want.status}: {answer.text[:200]}")
        elif trouble := _body_trouble(cell, answer):
            self._wrong(cell, trouble)
        if (code := _code(answer)) is not None and code not in self._codes(cell.key):
            self._wrong(cell, f"answers {code}, which the description of the route does not list")
        said = f"{answer.text} {answer.headers}".lower()
        # What callers named comes back to them in an answer that they may have, and in the 404 that says that there is
        # none, which `_compare` holds against the one for a name of nothing. Other refusals repeat nothing.
        echoed = set(CANARY_WORD.findall(request)) if want.status < 300 or want.status == 404 else set()
        for text, where in ((said, "the answer"), (" ".join(prompts(self._chat)).lower(), "the prompt")):
            for word in sorted(set(CANARY_WORD.findall(text)) - echoed):
                if not knows(cell.caller, *CANARIES[word]):
                    self._wrong(cell, f"{where} holds {word}")
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
            twins = [twin(hidden.target), twin(hidden.target, wrong=1)]
            for other in (absent[k] for t in twins if (k := (hidden.caller.name, t.value)) in absent):
                self.outcome.pairs += 1
                if _face(hidden) != _face(other):
                    self._wrong(hidden, f"differs from absent: {_face(hidden)} and {_face(other)}")

    def _wrong(self, cell: Cell, words: str) -> None:
        self.outcome.wrong.append(f"{cell.name}: {words}")


def _code(answer: Response) -> str | None:
    """The code of a problem; None for anything else."""
    return answer.json()["code"] if answer.headers.get("content-type") == "application/problem+json" else None


def _knocks(caller: Caller, route: Route) -> bool:
    """Whether it can matter to the caller what is asked: who is nobody, or a service where none comes in, is told so
    at the door, of which one case and one thing are enough.
    """
    return caller.person is not None and (route.lent or not caller.lent)


def _body_trouble(cell: Cell, answer: Response) -> str | None:
    """What is wrong with the class of a body whose status is right."""
    if cell.want.code is not None:
        if (problem := _problem(answer)) != cell.want.code:
            return f"the problem is {problem} instead of {cell.want.code}"
        return f"a refusal that tells too much: {answer.text[:200]}" if LEAKS.search(answer.text) else None
    if cell.case.shape == "none":
        return "a body where there should be none" if answer.content else None
    media = answer.headers.get("content-type")
    return None if media == MEDIA[cell.case.shape] else f"the body is {media} instead of {cell.case.shape}"


def _problem(answer: Response) -> str:
    """The code of a problem in the one shape of all; what else it is, in words."""
    if answer.headers.get("content-type") != "application/problem+json":
        return f"no problem but {answer.headers.get('content-type')}"
    body = answer.json()
    code = str(body.get("code"))
    whole = set(body) == {"type", "title", "status", "code", "detail"} and body["status"] == answer.status_code
    return code if whole and body["type"] == f"urn:clearance:error:{code}" else f"malformed: {sorted(body)}"


def _face(cell: Cell) -> tuple[int, str, list[tuple[str, str]]]:
    """What a caller can compare. A refusal as it is; ids and times of a thing just made differ between any two."""
    answer = cell.answer
    assert answer is not None
    headers = sorted((k, v) for k, v in answer.headers.multi_items() if k != "x-request-id")
    text = answer.content.decode()
    if answer.status_code in {404, 422}:
        # It repeats the word that names nothing.
        text = text.replace(cell.target.value, "·")
    elif answer.is_success and cell.key[0] != "GET":
        made = json.loads(text) if text else {}
        fresh = {k: made[k] for k in ("id", "created_at") if k in made}
        for value in (*fresh.values(), cell.target.value):
            text = text.replace(str(value), "·")
        # A time without microseconds is shorter by seven characters.
        headers = [(k, v) for k, v in headers if k != "content-length"]
    return answer.status_code, text, headers


@contextlib.contextmanager
def logged() -> Iterator[io.StringIO]:
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
    chat = saying("It says so [1].")
    app = create(parts_of(world.db, chat=chat))
    with logged() as lines, TestClient(app, raise_server_exceptions=False) as client, Keep(world.db) as keep:
        yield Matrix(world, client, chat, keep), lines


def betrayed(log: str) -> list[str]:
    """The log lines that hold a canary: none may, whoever called."""
    return [line for line in log.splitlines() if CANARY_WORD.search(line.lower())]
