"""A service to try the leak test on, with holes made on purpose: routes without their filter, no row-level security."""

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import dict_row
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from app.acl.visible import Visible, visible_scopes
from app.admin import collections, documents, explain, rules
from app.answer import conversation, pipeline, search
from app.answer import documents as opening
from app.db.tables.access import Collection, Rule
from app.db.tables.access import Scope as AccessScope
from app.identity.subject import Label
from app.llm.scripted import ScriptedChat
from app.local.administrator import create_first_administrator
from tests.support.cluster import TEMPLATE, Cluster, Db, copied
from tests.support.processes import sequencer, worker
from tests.support.service import endpoint, parts_of, serve

MakeHole = Callable[[FastAPI], None]
HASHED = {"CLEARANCE_EMBEDDER__KIND": "hashed"}
# The use cases that filter by what `visible_scopes` gives them.
FILTERING = (search, opening, conversation, pipeline, collections, documents, rules, explain)
_open: ContextVar[bool] = ContextVar("open", default=False)


@dataclass
class LeakSite:
    """A database with its worker and sequencer, and an administrator; the service itself is started by each test."""

    db: Db
    key: str = field(repr=False)

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Rows as the superuser sees them."""
        with psycopg.connect(self.db.libpq("admin"), row_factory=dict_row) as connection:
            return connection.execute(statement.encode()).fetchall()

    def left(self) -> dict[str, int]:
        """How many rows of each kind a run has left that must not stay."""
        counted = {
            "collections": "collection where name like 'leak-test-%'",
            "documents": "document d join collection c on c.id = d.collection_id where c.name not like '\\_%'",
            "jobs": "ingest_job j join collection c on c.id = j.collection_id where c.name not like '\\_%'",
            "conversations": "conversation where user_id in (select id from app_user where name like 'leak-test-%')",
            "curators": "curator",
            "memberships": "membership m join app_user u on u.id = m.user_id where u.name like 'leak-test-%'",
            "living users": "app_user where name like 'leak-test-%' and active",
            "rights": "app_user where name like 'leak-test-%' and cardinality(capabilities) > 0",
            "living keys": "api_key k join app_user u on u.id = k.user_id "
            "where u.name like 'leak-test-%' and k.revoked_at is null",
            "living delegations": "delegation where revoked_at is null",
            "open plans": "access_plan where state = 'open'",
        }
        return {
            what: n for what, sql in counted.items() if (n := self.rows(f"select count(*) as n from {sql}")[0]["n"])
        }


@contextlib.contextmanager
def leak_site(cluster: Cluster, folder: Path) -> Iterator[LeakSite]:
    """An instance that is empty but for its administrator."""
    with copied(cluster, TEMPLATE) as db:
        key = create_first_administrator(db.url("owner")).secret
        with worker(folder, db, **HASHED), sequencer(folder, db, close_after=600):
            yield LeakSite(db, key)


@contextlib.contextmanager
def serving(site: LeakSite, make_hole: MakeHole | None = None, *, row_security: bool = True) -> Iterator[str]:
    """The service's URL, in this process; `make_hole` changes it before it starts."""
    chat = ScriptedChat(endpoint(Label.RESTRICTED), lambda _: ("It says so [1].",))
    with (
        serve(parts_of(site.db, chat=chat), make_hole) as url,
        # The service does not start without row-level security: it is taken off behind its back.
        contextlib.nullcontext() if row_security else _without_row_security(site),
    ):
        yield url


def without_filter(patch: pytest.MonkeyPatch, *routes: tuple[str, str]) -> MakeHole:
    """Leave out the filter of some routes: for requests to them every scope is visible."""

    def everything(session: Session, subject: Any) -> Visible:
        found = visible_scopes(session, subject)
        if not _open.get():
            return found
        rows = session.execute(
            select(AccessScope.id, AccessScope.public_id, Rule.label)
            .join(Rule, Rule.id == AccessScope.rule_id)
            .join(Collection, Collection.id == AccessScope.collection_id)
            # The canaries of the start-up probe are no documents, and have vectors of another length.
            .where(Collection.name.not_like(r"\_%"))
        ).all()
        ids = tuple(row.id for row in rows)
        labels = dict(zip(ids, (row.label for row in rows), strict=True))
        return dataclasses.replace(found, scope_ids=ids, public_ids=tuple(r.public_id for r in rows), labels=labels)

    for module in FILTERING:
        patch.setattr(module, "visible_scopes", everything)
    served = [(method, compile_path(f"/api/v1{path}")[0]) for method, path in routes]
    return lambda app: app.add_middleware(_OpenRoutes, routes=served)


class _OpenRoutes:
    """Sets `_open` for requests to some routes."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[tuple[str, re.Pattern[str]]]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = (scope.get("method"), str(scope.get("path")))
        token = _open.set(any(method == asked[0] and path.match(asked[1]) for method, path in self._routes))
        try:
            await self._app(scope, receive, send)
        finally:
            _open.reset(token)


@contextlib.contextmanager
def _without_row_security(site: LeakSite) -> Iterator[None]:
    """Row-level security off on all tables that have it."""
    tables = [r["t"] for r in site.rows("select oid::regclass::text as t from pg_class where relrowsecurity")]

    def set_all(how: str) -> None:
        with psycopg.connect(site.db.libpq("admin"), autocommit=True) as connection:
            for table in tables:
                connection.execute(f"alter table {table} {how} row level security".encode())

    set_all("disable")
    try:
        yield
    finally:
        set_all("enable")
