"""Tests of the matrix: with one thing broken in the product, it must name the route."""

import dataclasses
import uuid
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.types import Scope

from app import log
from app.acl.placement import lock_document
from app.acl.visible import Visible, visible_scopes
from app.admin import users
from app.answer import documents as reading
from app.answer.components import Components
from app.answer.documents import DocumentView, OpenedPassage
from app.db.tables.access import AccessPlan, Collection
from app.db.tables.library import Chunk, Document, Original
from app.errors import AppError, NotAllowed, NotFound
from app.identity.authenticate import identify
from app.identity.subject import Capability, Subject
from app.leak_test.results import Wrong
from app.retrieval.browse import DocumentEntry, find_collection, find_document
from app.web.console.errors import error_page
from app.web.http.dependencies import Administrator, caller, in_person
from tests.api.matrix.declared import DECLARED
from tests.api.matrix.run import leaking_lines, matrix_over
from tests.api.matrix.world import World
from tests.support.environment import Report

Patch = pytest.MonkeyPatch


def _unlock(world: World, *tables: str) -> None:
    """Row-level security off, which would hold alone."""
    for table in tables:
        world.execute(
            f"alter table {table} no force row level security; alter table {table} disable row level security"
        )


def _any_document(session: Session, _subject: Subject, _visible: Visible, public_id: uuid.UUID) -> DocumentEntry:
    row = session.execute(
        select(Document, Collection.name, Original.title)
        .join(Collection, Collection.id == Document.collection_id)
        .join(Original, Original.document_id == Document.id)
        .where(Document.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return DocumentEntry(*row)


def no_filter_on_open(patch: Patch, world: World, _app: FastAPI) -> None:
    _unlock(world, "document", "original", "chunk")
    patch.setattr("app.answer.documents.find_document", _any_document)
    patch.setattr(
        "app.answer.documents.passages_of",
        lambda session, _, listed: list(session.scalars(select(Chunk).where(Chunk.document_id == listed.document.id))),
    )


def no_filter_on_list(patch: Patch, world: World, _app: FastAPI) -> None:
    _unlock(world, "document", "original")

    def everything(session: Session, subject: Subject, visible: Visible, *_: Any, **__: Any) -> list[DocumentEntry]:
        ids = session.scalars(select(Document.public_id).where(Document.path != "canary")).all()
        return [_any_document(session, subject, visible, i) for i in ids]

    patch.setattr("app.answer.documents.browse", everything)


def no_curator_check(patch: Patch, world: World, _app: FastAPI) -> None:
    _unlock(world, "document")

    def place(session: Any, subject: Subject, public_id: uuid.UUID) -> Any:
        all_collections = frozenset(session.scalars(select(Collection.id)))
        return lock_document(session, dataclasses.replace(subject, curates=all_collections), public_id)

    for module in ("app.admin.documents", "app.web.api.uploads"):
        patch.setattr(f"{module}.lock_document", place)


def forbidden_instead_of_absent(patch: Patch, _world: World, _app: FastAPI) -> None:

    def telling(session: Session, subject: Subject, visible: Visible, public_id: uuid.UUID) -> DocumentEntry:
        try:
            return find_document(session, subject, visible, public_id)
        except NotFound:
            raise NotAllowed from None

    patch.setattr("app.admin.explain.find_document", telling)


def anybody_instead_of_administrators(patch: Patch, _world: World, made: FastAPI) -> None:
    """Both checks of the capability are gone: the route's, and that of the use case."""
    check = get_args(Administrator)[1].dependency
    made.dependency_overrides[check] = caller
    for module in ("users", "roles"):
        patch.setattr(f"app.admin.{module}.require_capability", lambda _subject, _capability: None)


def a_header_that_tells(patch: Patch, world: World, _app: FastAPI) -> None:

    def telling(session: Session, subject: Subject, visible: Visible, name: str) -> Collection:
        try:
            return find_collection(session, subject, visible, name)
        except NotFound as error:
            if session.scalar(select(Collection.id).where(Collection.name == name)) is not None:
                error.headers["x-cache"] = "hit"
            raise

    patch.setattr("app.admin.collections.find_collection", telling)


def a_refusal_that_acts(patch: Patch, world: World, _app: FastAPI) -> None:

    def place(session: Any, subject: Subject, public_id: uuid.UUID) -> Any:
        try:
            return lock_document(session, subject, public_id)
        except NotFound:
            world.execute(f"update document set version = version + 1 where public_id = '{public_id}'")
            raise

    for module in ("app.admin.documents", "app.web.api.uploads"):
        patch.setattr(f"{module}.lock_document", place)


def a_key_as_strong_as_its_person(patch: Patch, _world: World, _app: FastAPI) -> None:

    def generous(*given: Any) -> Subject:
        subject = identify(*given)
        return dataclasses.replace(subject, capabilities=subject.capabilities | {Capability.AUDIT})

    patch.setattr("app.sign_in.callers.identify", generous)


def no_expiry(patch: Patch, _world: World, _app: FastAPI) -> None:
    patch.setattr("app.identity.authenticate._expired", lambda _key, _now: False)


def services_everywhere(_patch: Patch, _world: World, made: FastAPI) -> None:
    made.dependency_overrides[in_person] = caller


def plans_by_row_security_alone(patch: Patch, _world: World, _app: FastAPI) -> None:
    """It knows the person and not what the key may do."""
    patch.setattr("app.admin.plans.plans_of", lambda _subject: select(AccessPlan))


def _alone(patch: Patch, name: str, module: ModuleType, **replaced: Any) -> None:
    """Another module in the place of one, where a room of the console names it: all others have the true one."""
    patch.setattr(f"app.web.console.{name}", SimpleNamespace(**{**vars(module), **replaced}))


def _view(listed: DocumentEntry) -> DocumentView:
    row = listed.document
    return DocumentView(
        id=row.public_id, collection=listed.collection, path=row.path, title=listed.title or "",
        media_type=row.media_type, size=row.size, version=row.version, updated_at=row.updated_at, label="internal",
    )  # fmt: skip


def a_page_of_any_document(patch: Patch, world: World, _app: FastAPI) -> None:
    _unlock(world, "document", "original", "chunk")

    def opened(
        parts: Components, subject: Subject, public_id: uuid.UUID, _: object
    ) -> tuple[DocumentView, list[OpenedPassage], tuple[object, bool]]:
        with parts.database.reading(subject.user_id) as session:
            row = session.scalar(select(Document).where(Document.public_id == public_id))
            if row is None:
                raise NotFound
            title = session.scalar(select(Original.title).where(Original.document_id == row.id))
            chunks = session.scalars(select(Chunk).where(Chunk.document_id == row.id)).all()
            passages = [OpenedPassage(c.public_id, tuple(c.heading_path), c.page, c.text) for c in chunks]
            return _view(DocumentEntry(row, "", title)), passages, (SimpleNamespace(text="Because."), False)

    _alone(patch, "reading.documents.reading", reading, open_document_and=opened)


def a_page_that_lists_what_is_hidden(patch: Patch, world: World, _app: FastAPI) -> None:
    _unlock(world, "document", "original")

    def everything(session: Session, subject: Subject, *_: Any) -> list[DocumentView]:
        visible = visible_scopes(session, subject)
        ids = session.scalars(select(Document.public_id).where(Document.path != "canary")).all()
        return [_view(_any_document(session, subject, visible, each)) for each in ids]

    patch.setattr("app.web.console.library.collections.list_documents", everything)


def a_page_of_the_company_for_anybody(patch: Patch, _world: World, made: FastAPI) -> None:
    """The route asks for no capability any more, and the page asks the floor as if its viewer had it."""
    made.dependency_overrides[get_args(Administrator)[1].dependency] = in_person

    def listed(session: Session, subject: Subject, *given: Any) -> list[users.UserView]:
        raised = dataclasses.replace(subject, capabilities=subject.capabilities | {Capability.ADMINISTER})
        return users.list_users(session, raised, *given)

    _alone(patch, "company.people.users", users, list_users=listed)


def an_error_page_that_tells(_patch: Patch, world: World, made: FastAPI) -> None:
    there = set(world.documents.values())

    def telling(scope: Scope, error: AppError) -> Response:
        answer = error_page(scope, error)
        if not there.isdisjoint(scope["path"].split("/")):
            answer.headers["x-cache"] = "hit"
        return answer

    made.state.error_page = telling


DOCUMENT = "/api/v1/documents/{document}"
MUTATIONS: list[tuple[Callable[[Patch, World, FastAPI], None], tuple[str, str]]] = [
    (no_filter_on_open, ("GET", DOCUMENT)),
    (no_filter_on_list, ("GET", "/api/v1/documents")),
    (no_curator_check, ("GET", f"{DOCUMENT}/access")),
    (no_curator_check, ("DELETE", DOCUMENT)),
    (forbidden_instead_of_absent, ("GET", "/api/v1/access/explain")),
    (anybody_instead_of_administrators, ("GET", "/api/v1/users")),
    (anybody_instead_of_administrators, ("POST", "/api/v1/roles")),
    (a_header_that_tells, ("GET", "/api/v1/collections/{name}")),
    (a_refusal_that_acts, ("PUT", f"{DOCUMENT}/access")),
    (a_key_as_strong_as_its_person, ("GET", "/api/v1/audit/events")),
    (no_expiry, ("GET", "/api/v1/collections")),
    (services_everywhere, ("GET", "/api/v1/keys")),
    (plans_by_row_security_alone, ("GET", "/api/v1/access/plans/{plan}")),
]

# What breaks a page alone, with the route of the API that gives the same and stays whole, and what must be found.
PAGE_MUTATIONS: list[tuple[Callable[[Patch, World, FastAPI], None], str, str, Wrong]] = [
    (a_page_of_any_document, "/documents/{document}", DOCUMENT, "leak"),
    (a_page_that_lists_what_is_hidden, "/collections/{name}", "/api/v1/collections/{name}", "leak"),
    (a_page_of_the_company_for_anybody, "/people", "/api/v1/users", "unexpected"),
    (an_error_page_that_tells, "/documents/{document}/original", f"{DOCUMENT}/original", "told apart"),
]


@pytest.mark.parametrize(("mutation", "key"), MUTATIONS, ids=lambda v: v.__name__ if callable(v) else f"{v[0]} {v[1]}")
def test_a_broken_route_is_named(
    world: World,
    monkeypatch: Patch,
    report: Report,
    mutation: Callable[[Patch, World, FastAPI], None],
    key: tuple[str, str],
) -> None:
    with matrix_over(world) as (matrix, _):
        mutation(monkeypatch, world, matrix.app)
        results = matrix.run({key: DECLARED[key]})
    assert {failure.surface for failure in results.failures} == {f"{key[0]} {key[1]}"}
    report(f"{mutation.__name__}: {len(results.failures)} wrong; {str(results.failures[0])[:260]}")


@pytest.mark.parametrize(
    ("mutation", "page", "beside", "wrong"), PAGE_MUTATIONS, ids=lambda v: v.__name__ if callable(v) else v
)
def test_a_broken_page_is_named_and_not_the_route_beside_it(
    world: World,
    monkeypatch: Patch,
    report: Report,
    mutation: Callable[[Patch, World, FastAPI], None],
    page: str,
    beside: str,
    wrong: Wrong,
) -> None:
    with matrix_over(world) as (matrix, _):
        mutation(monkeypatch, world, matrix.app)
        results = matrix.run({("GET", path): DECLARED["GET", path] for path in (beside, page)})
    assert {failure.surface for failure in results.failures} == {f"GET {page}"}
    found = [failure for failure in results.failures if failure.wrong == wrong]
    report(f"{mutation.__name__}: {len(found)} {wrong}; {str(found[:1])[:260]}")
    assert found


def test_a_log_line_that_tells_is_found(world: World, monkeypatch: Patch) -> None:

    def telling(*given: Any) -> DocumentEntry:
        listed: DocumentEntry = find_document(*given)
        log.get().info("opened", path=listed.document.path)
        return listed

    monkeypatch.setattr("app.answer.documents.find_document", telling)
    with matrix_over(world) as (matrix, lines):
        matrix.run({("GET", DOCUMENT): DECLARED["GET", DOCUMENT]})
    assert any("qzopenpath.md" in line for line in leaking_lines(lines.getvalue()))
