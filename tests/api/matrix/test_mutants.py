"""Tests of the matrix: with one thing broken in the product, it must name the route."""

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import log
from app.acl.placement import lock_document
from app.acl.visible import Visible
from app.db.tables.access import AccessPlan, Collection
from app.db.tables.library import Chunk, Document, Original
from app.errors import NotAllowed, NotFound
from app.identity.authenticate import identify
from app.identity.subject import Capability, Subject
from app.retrieval.browse import DocumentEntry, find_collection, find_document
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


def test_a_log_line_that_tells_is_found(world: World, monkeypatch: Patch) -> None:

    def telling(*given: Any) -> DocumentEntry:
        listed: DocumentEntry = find_document(*given)
        log.get().info("opened", path=listed.document.path)
        return listed

    monkeypatch.setattr("app.answer.documents.find_document", telling)
    with matrix_over(world) as (matrix, lines):
        matrix.run({("GET", DOCUMENT): DECLARED["GET", DOCUMENT]})
    assert any("qzopenpath.md" in line for line in leaking_lines(lines.getvalue()))
