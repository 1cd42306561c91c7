"""The leak test's own judgement: what counts as found, where, and what tells hidden from absent."""

import datetime as dt
import itertools
import json
import re
import threading
from typing import Any

import pytest

from app.client.api import Client
from app.leak_test.canaries import Canary, CanaryFinder, difference
from app.leak_test.cast import DOCUMENTS, PEOPLE, CanaryWords, ProbeTarget, random_word
from app.leak_test.http import ProbeClient, RawAnswer
from app.leak_test.probe_run import ProbeRun
from app.leak_test.report import LeakReport
from app.leak_test.results import ProbeResults
from app.leak_test.routes import QUESTIONS, REASONS, ProbePlan, RouteProbe, plan_probes
from app.leak_test.setup import Setup
from app.main import create_routes

WORD = "bakelidomunaro"
ID = "0b5f1f4e-6f0e-4b7f-9d0e-2f1d3c4b5a69"
SECRET = Canary("text", "for A", WORD, frozenset({"in A"}))
DOCUMENT = Canary("id", "document for A", ID, frozenset({"in A"}))
NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def sse(*pieces: str) -> bytes:
    return b"".join(b"event: delta\ndata: " + json.dumps({"text": p}).encode() + b"\n\n" for p in pieces)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (RawAnswer(200, body=json.dumps({"hits": [{}, {"title": f"x {WORD}"}]}).encode()), "$.hits[1].title"),
        (RawAnswer(200, body=json.dumps({WORD: 1}).encode()), "$, a name"),
        (RawAnswer(200, body=b'{"a": "bake\\u006cidomunaro"}'), "$.a"),
        (RawAnswer(200, body=f'{{"a": "{WORD}", "a": "other"}}'.encode()), "body"),
        (RawAnswer(200, body=sse("the bakel", "idomu", "naro of")), "the streamed text"),
        (RawAnswer(200, body=f"a,b\n1,{WORD.upper()}\n".encode()), "body"),
        (
            RawAnswer(404, (("content-disposition", "filename*=UTF-8''%62akelidomunaro.md"),)),
            "header content-disposition",
        ),
    ],
)
def test_a_word_is_found_wherever_it_stands(answer: RawAnswer, where: str) -> None:
    assert CanaryFinder([SECRET, DOCUMENT]).find(answer) == {SECRET: where}


def test_an_id_is_found_without_its_hyphens_and_half_a_word_is_not_one() -> None:
    finder = CanaryFinder([SECRET, DOCUMENT])
    assert list(finder.find(RawAnswer(200, body=ID.replace("-", "").upper().encode()))) == [DOCUMENT]
    assert finder.find(RawAnswer(200, body=WORD[:-1].encode())) == {}
    assert CanaryFinder([]).find(RawAnswer(200, body=b"anything")) == {}


def lines(status: int = 404, body: str = "{}", **headers: str) -> RawAnswer:
    return RawAnswer(status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body.encode())


@pytest.mark.parametrize(
    ("hidden", "absent", "found"),
    [
        (lines(x_request_id="1", date="a"), lines(x_request_id="2", date="b"), None),
        (lines(body='{"no": "here", "at": "2027-01-01T00:00:00Z"}'),
         lines(body='{"no": "away", "at": "2027-01-01T00:00:01.5Z"}'), None),
        (lines(body=f'"{ID}"'), lines(body='"0b5f1f4e-6f0e-4b7f-9d0e-000000000000"'), None),
        (lines(403), lines(404), "status 403 for hidden, 404 for absent"),
        (lines(allow="GET"), lines(allow="POST"), "headers: allow"),
        (lines(retry_after="1"), lines(), "headers: retry-after"),
        (lines(body='{"a": 1}'), lines(body='{"a": 12}'), "body: 8 bytes for hidden, 9 for absent"),
    ],
)  # fmt: skip
def test_only_ids_times_and_what_was_sent_may_differ(hidden: RawAnswer, absent: RawAnswer, found: str | None) -> None:
    assert difference(hidden, absent, {"here": "away"}) == found


def test_what_the_request_named_may_come_back_and_nothing_else() -> None:
    results = ProbeResults((SECRET, DOCUMENT))
    results.inspect("GET /x", "nobody", RawAnswer(404, body=f"no {ID}".encode()), sent=[ID])
    assert results.failures == []
    results.inspect("GET /x", "in A", RawAnswer(200, body=f"{ID} {WORD}".encode()))
    assert results.failures == []
    results.inspect("GET /x", "nobody", RawAnswer(404, body=f"no {ID} {WORD}".encode()), sent=[ID])
    results.inspect("GET /x", "nobody", RawAnswer(500))
    assert [(f.wrong, f.canary, f.person) for f in results.failures] == [
        ("leak", "text of for A", "nobody"),
        ("broken", "–", "nobody"),
    ]
    assert results.verdict("GET /x", "nobody") == "fails"
    assert results.verdict("GET /x", "in A") == "holds"
    assert results.verdict("GET /x", "in B") == "not asked"


def test_what_must_be_shown_and_is_not_fails() -> None:
    results = ProbeResults((SECRET, DOCUMENT))
    results.inspect("GET /x", "in A", RawAnswer(200, body=ID.encode()))
    results.require_shown("GET /x", "in A", [DOCUMENT, SECRET], all_of=False)
    assert results.failures == []
    results.require_shown("GET /x", "in A", [DOCUMENT, SECRET])
    results.require_shown("GET /y", "in A", [SECRET], all_of=False)
    assert [(f.surface, f.wrong, f.where) for f in results.failures] == [
        ("GET /x", "missing", "status 200"),
        ("GET /y", "missing", "status not asked"),
    ]


def test_what_a_service_may_not_show_anybody_is_not_missed() -> None:
    results = ProbeResults((SECRET,))
    results.inspect("POST /ask, generate", "in A", RawAnswer(403))
    results.waive("POST /ask, generate", "in A")
    results.require_shown("POST /ask, generate", "in A", [SECRET])
    assert results.failures == []
    results.inspect("POST /ask, generate", "nobody", RawAnswer(403, body=WORD.encode()))
    results.waive("POST /ask, generate", "nobody")
    assert [f.wrong for f in results.failures] == ["leak"]


def test_refused_is_told_from_answered() -> None:
    results = ProbeResults(())
    results.inspect("GET /x", "nobody", RawAnswer(403))
    assert results.verdict("GET /x", "nobody") == "refused"
    results.inspect("GET /x", "nobody", RawAnswer(404))
    assert results.verdict("GET /x", "nobody") == "holds"
    results.add_failure("GET /z", "", "not tried", "–", "why")
    assert {results.verdict("GET /z", person) for person in PEOPLE} == {"fails"}


def document(*routes: tuple[str, str, list[dict[str, Any]]], **operation: Any) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for method, path, parameters in routes:
        paths.setdefault(path, {})[method] = {"parameters": parameters, "responses": {"200": {}}, **operation}
    return {"paths": paths}


def parameter(name: str, place: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}


TEXT = {"type": "string"}


@pytest.mark.slow
def test_every_route_of_ours_is_asked_or_only_changes() -> None:
    schema = create_routes().openapi()
    routes = plan_probes(schema, NOW)
    assert set(routes.not_tried) == set(REASONS)
    asked = {ask.surface for ask in routes.probes} | set(routes.not_sent) | QUESTIONS | set(REASONS)
    served = {f"{m.upper()} {p.removeprefix('/api/v1')}" for p, ms in schema["paths"].items() for m in ms}
    assert served <= asked
    assert not any(route.startswith("GET ") for route in routes.not_sent)


def test_a_new_route_is_asked_where_its_parameters_are_known() -> None:
    routes = plan_probes(
        document(("get", "/api/v1/documents/{document}/similar", [
            parameter("document", "path", TEXT),
            parameter("limit", "query", {"type": "integer", "maximum": 50}),
            parameter("user", "query", {"anyOf": [TEXT, {"type": "null"}]}),
            parameter("how", "query", {"enum": ["a", "b"], "type": "string"}),
        ])),
        NOW,
    )  # fmt: skip
    assert routes.not_tried == {}
    mine = [ask for ask in routes.probes if "similar" in ask.path]
    assert [(dict(a.named), dict(a.values), a.exhaustive) for a in mine] == [
        ({"document": "document"}, {"limit": "50"}, "document"),
        ({"document": "document", "user": "user"}, {"limit": "50"}, None),
        ({"document": "document"}, {"limit": "50", "how": "a"}, None),
        ({"document": "document"}, {"limit": "50", "how": "b"}, None),
    ]
    targets = [ProbeTarget("document", str(n), f"d/{n}", frozenset()) for n in range(3)]
    url = [mine[0].url({n: t.value for n, t in c.items()}) for c in mine[0].combinations(targets)]
    assert url[0] == ("/api/v1/documents/d%2F0/similar", {"limit": "50"})
    assert len(url) == 3
    assert list(mine[1].combinations(targets)) == []


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        (("get", "/api/v1/summaries/{summary}", [parameter("summary", "path", TEXT)]), "what {summary} names"),
        (("get", "/api/v1/documents", [parameter("tag", "query", TEXT)]), "what ?tag names"),
        (("get", "/api/v1/documents", [parameter("near", "query", {"type": "object"})]), "to write for ?near"),
    ],
)
def test_what_cannot_be_filled_in_is_said(route: tuple[str, str, list[dict[str, Any]]], reason: str) -> None:
    [(surface, why)] = plan_probes(document(route), NOW).not_tried.items()
    assert surface.startswith("GET /")
    assert reason in why


def test_a_new_question_with_a_body_is_not_passed_over() -> None:
    routes = plan_probes(document(("post", "/api/v1/similar", []), requestBody={}), NOW)
    assert list(routes.not_tried) == ["POST /similar"]


def test_the_words_are_new_each_time_and_the_question_holds_none() -> None:
    words, model_clients = CanaryWords(), CanaryWords()
    texts = [words.text(planted) for planted in DOCUMENTS]
    every = {c.word for text in texts for c in text.canaries} | {c.word for c in words.unattached()}
    assert len(every) == 4 * len(DOCUMENTS) + 3
    assert not any(w in words.ask() for w in every)
    assert model_clients.topic != words.topic
    assert re.fullmatch(r"[a-z]{14}", random_word())
    twin = next(d for d in DOCUMENTS if d.like)
    first, second = (words.text(d) for d in (twin, next(d for d in DOCUMENTS if d.name == twin.like)))

    def bare(text: Any) -> str:
        said = str(text.content.decode())
        for canary in text.canaries:
            said = said.replace(canary.word, "")
        return said

    assert bare(first) == bare(second)


def test_a_report_holds_no_canary() -> None:
    results = ProbeResults((SECRET, DOCUMENT))
    body = json.dumps({WORD: {"x": [WORD]}, "y": ID}).encode()
    results.inspect("GET /x", "nobody", RawAnswer(200, (("x-word", WORD),), body))
    assert len(results.failures) == 2
    report = LeakReport("1", "http://x", NOW, 1.0, 1, results.matrix(PEOPLE), results.failures, ProbePlan((), {}, ()))
    for text in (json.dumps(report.to_json()), report.to_markdown(), repr(report)):
        assert WORD not in text
        assert ID not in text
    assert not report.ok
    assert report.verdict().startswith("2 failures on 1 surfaces")


class Answering(ProbeClient):
    """Answers by itself what a request says, and keeps the requests."""

    def __init__(self, key: str | None, *statuses: int) -> None:
        super().__init__("http://127.0.0.1:9", threading.Semaphore(), key=key)
        self._statuses = itertools.chain(statuses, itertools.repeat(401))
        self.asked: list[str] = []

    def send(self, method: str, path: str, **_send: Any) -> RawAnswer:
        self.asked.append(f"{method} {path}")
        return RawAnswer(next(self._statuses))


@pytest.mark.parametrize(
    ("key", "statuses", "expected"),
    [
        # Refused for want of a key: once for what is there, and once for what is not.
        (None, [], 2),
        # Let in: all nine, and the one that is not there. Also where a later one is refused.
        (None, [200, 404, *[200] * 8], 10),
        (None, [404, 404, 404, 401], 4),
        # With a key a refusal says nothing about the next thing.
        ("clr_x", [], 10),
    ],
)
def test_without_a_key_what_is_refused_is_asked_once(key: str | None, statuses: list[int], expected: int) -> None:
    """Strangers have few requests a minute: hundreds of refusals would make the test wait for them."""
    client = Answering(key, *statuses)
    setup = Setup(Client("http://127.0.0.1:9", None), clients={"no key": client})
    setup.targets = [ProbeTarget("document", str(n), f"d{n}", frozenset({"in A"})) for n in range(9)]
    probe_run = ProbeRun(setup, ProbePlan((), {}, ()), ProbeResults(), lambda _done, _all: None)
    place = "/documents/{document}"
    probe_run._probe(
        "no key", RouteProbe(f"GET {place}", "GET", place, {"document": "document"}, exhaustive="document")
    )
    assert len(client.asked) == expected
