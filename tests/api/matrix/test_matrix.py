"""The route matrix: every caller, every route, every state of what it names."""

import json
from typing import Annotated

import pytest
from fastapi import FastAPI, Header, Response, WebSocket
from pydantic import BaseModel
from starlette.staticfiles import StaticFiles

from app.main import create_routes
from tests.api.matrix.coverage import gaps
from tests.api.matrix.declared import DECLARED
from tests.api.matrix.route_access import Case, Route
from tests.api.matrix.run import AT_THE_DOOR, leaking_lines, matrix_over
from tests.api.matrix.world import World
from tests.support.environment import Report


@pytest.fixture
def app() -> FastAPI:
    """The routes of the product, to which a test may add."""
    return create_routes()


@pytest.mark.timeout(1500)
def test_every_cell(world: World, report: Report, caplog: pytest.LogCaptureFixture) -> None:
    with matrix_over(world) as (matrix, log):
        results = matrix.run(DECLARED)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    by = ", ".join(f"{n} × {status}" for status, n in sorted(matrix.statuses.items()))
    report(
        f"route matrix: {len(matrix.callers)} callers × {len(DECLARED)} routes × {len(matrix.states)} states ="
        f" {results.requests} cells ({by}); {results.pairs} hidden answers equal absent ones;"
        f" {len(results.failures)} wrong"
    )
    assert results.failures == []
    assert len(requests) == results.requests
    assert leaking_lines(log.getvalue() + caplog.text) == []
    assert sorted((code, header) for code, header, _ in matrix.at_the_door) == sorted(AT_THE_DOOR.items())
    assert set(matrix.states) == {"no target", "visible", "hidden", "absent"}


def test_everything_is_declared(app: FastAPI) -> None:
    assert gaps(app, DECLARED) == []


def test_a_route_that_nobody_declared_or_that_is_gone_is_named(app: FastAPI) -> None:
    app.add_api_route("/api/v1/back-door", lambda: None)
    app.add_route("/api/v1/side-door", lambda _: Response(), methods=["HEAD"])
    app.mount("/files", StaticFiles(directory="."), name="files")

    @app.websocket("/api/v1/talk")
    async def talk(_socket: WebSocket) -> None: ...

    assert gaps(app, DECLARED | {("GET", "/api/v1/gone"): Route("key")}) == [
        "ANY /api/v1/talk: the route has no declared access",
        "ANY /files: the route has no declared access",
        "GET /api/v1/back-door: the route has no declared access",
        "HEAD /api/v1/side-door: the route has no declared access",
        "GET /api/v1/gone: declared, and no such route",
    ]


class Inner(BaseModel):
    document: str | None = None
    limit: int = 1


class Body(BaseModel):
    collection: str
    among: list[Inner]


def test_an_identifier_that_no_case_fills_is_named(app: FastAPI) -> None:
    def door(thing: str, body: Body, like: str = "", limit: int = 1, of: Annotated[str, Header()] = "") -> None: ...

    app.add_api_route("/api/v1/door/{thing}", door, methods=["POST"])
    key = ("POST", "/api/v1/door/{thing}")
    found = [
        f"POST /api/v1/door/{{thing}}: undeclared identifier {name}"
        for name in (".among[].document", ".collection", "?like", "@of", "thing")
    ]
    assert gaps(app, DECLARED | {key: Route("key")}) == found
    hidden = Route("key", (Case(query={"invented": "<target>"}),), values=(".collection", ".among[].document", "@of"))
    assert gaps(app, DECLARED | {key: hidden}) == [
        "POST /api/v1/door/{thing}: undeclared identifier ?like",
        "POST /api/v1/door/{thing}: undeclared identifier thing",
        "POST /api/v1/door/{thing}: no such identifier ?invented",
    ]


def test_a_route_outside_the_schema_hides_no_identifier(app: FastAPI) -> None:
    app.add_api_route("/quiet/{thing}", lambda thing, other: None, include_in_schema=False)
    lines = gaps(app, DECLARED | {("GET", "/quiet/{thing}"): Route("key")})
    assert lines == [
        "GET /quiet/{thing}: undeclared identifier ?other",
        "GET /quiet/{thing}: undeclared identifier thing",
    ]
