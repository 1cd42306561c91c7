"""The back-fill of revision 0012: stored paths into their normal form, and documents under the folders that match now.

Where two meet, nothing is merged and nobody reads more than either said:

- two rules for one folder: the folder is closed, for nobody until somebody rules it anew;
- two documents at one path: the later one is called `name (2).md`, in the same folder.

In SQL and with the pure rules alone: the tables as they are declared may be of a later revision.
"""

import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, text

from app.acl.rules import OwnRule, Rule, effective
from app.db.backfill import need_owner_policy
from app.identity.subject import Label
from app.paths import MAX_BYTES, repaired

CLOSED = OwnRule(inherits=False, label=Label.RESTRICTED)
LOG = logging.getLogger("alembic.runtime.migration")

ODD_FOLDERS = text(
    "select id, collection_id, path from folder where not clearance.is_normal_path(path) order by created_at, id"
)
ODD_DOCUMENTS = text(
    "select id, collection_id, path from document where not clearance.is_normal_path(path) order by id"
)
ODD_UPLOADS = text("select id, path from ingest_job where not clearance.is_normal_path(path)")
MISPLACED = text(
    """
    select d.id, d.upload, d.scope_id, n.folder_id, s.own_digest, s.own_rule
    from (
      select id, null::uuid as upload, collection_id, path, scope_id from document where collection_id = :collection
      union all
      select null, id, collection_id, path, scope_id from ingest_job where collection_id = :collection
    ) as d
    cross join lateral (select clearance.nearest_folder(d.collection_id, d.path, null) as folder_id) as n
    join scope s on s.id = d.scope_id
    where s.folder_id is distinct from n.folder_id
    """
)
FOLDERS_ABOVE = text(
    """
    select f.own_rule from folder f join folder here on here.id = :folder
    where f.collection_id = here.collection_id and (f.id = here.id or starts_with(here.path, f.path || '/'))
    order by length(f.path)
    """
)


def bring_into_form(connection: Connection) -> None:
    """Bring all paths into their normal form."""
    for table in ("folder", "document", "ingest_job", "scope", "rule", "rule_grant", "collection"):
        need_owner_policy(connection, table)
    touched = _folders(connection) | _documents(connection)
    for row in connection.execute(ODD_UPLOADS).all():
        _rename(connection, "ingest_job", row.id, repaired(row.path))
    for collection in sorted(touched, key=str):
        _follow(connection, collection)
        _put_into_folders(connection, collection)


def _folders(connection: Connection) -> set[uuid.UUID]:
    touched = set()
    for row in connection.execute(ODD_FOLDERS).all():
        path = repaired(row.path)
        touched.add(row.collection_id)
        here = {"collection": row.collection_id, "path": path}
        other = connection.scalar(
            text("select id from folder where collection_id = :collection and path = :path"), here
        )
        if other is None:
            _rename(connection, "folder", row.id, path)
            continue
        LOG.warning("two rules for the folder %r: it is closed until somebody rules it anew", path)
        closed = text("update folder set own_rule = cast(:rule as jsonb) where id = :id")
        connection.execute(closed, {"rule": json.dumps(CLOSED.to_json()), "id": other})
        _empty(connection, row, other)
        connection.execute(text("delete from folder where id = :id"), {"id": row.id})
    return touched


def _empty(connection: Connection, leaving: Row[Any], staying: uuid.UUID) -> None:
    """What stands under a folder that goes comes under the one that stays."""
    scopes = connection.execute(
        text("select id, own_digest, own_rule from scope where folder_id = :id"), {"id": leaving.id}
    )
    for scope in scopes.all():
        target = _scope(connection, staying, scope, leaving.collection_id)
        for table in ("ingest_job", "document"):
            moved = text(f"update {table} set scope_id = :target where scope_id = :scope")  # noqa: S608  # two names
            connection.execute(moved, {"target": target, "scope": scope.id})


def _documents(connection: Connection) -> set[uuid.UUID]:
    touched = set()
    taken = text("select exists (select 1 from document where collection_id = :collection and path = :path)")
    for row in connection.execute(ODD_DOCUMENTS).all():
        wanted = path = repaired(row.path)
        touched.add(row.collection_id)
        number = 1
        while connection.scalar(taken, {"collection": row.collection_id, "path": path}):
            number += 1
            path = numbered(wanted, number)
        if number > 1:
            LOG.warning("two documents at one path: the later one is called %r", path)
        _rename(connection, "document", row.id, path)
    return touched


def numbered(path: str, number: int) -> str:
    """`a/b (2).md` for `a/b.md`; shortened where it would be too long."""
    folder, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".") if "." in name[1:] else (name, "", "")
    tail = f" ({number}){dot}{ending}"
    while len(f"{stem}{tail}") > 255 or len(f"{folder}{slash}{stem}{tail}".encode()) > MAX_BYTES:
        stem = stem[:-1]
    return f"{folder}{slash}{stem.rstrip(' ')}{tail}"


def _rename(connection: Connection, table: str, row_id: Any, path: str) -> None:
    statement = text(f"update {table} set path = :path where id = :id")  # noqa: S608  # three names of ours
    connection.execute(statement, {"path": path, "id": row_id})


def _follow(connection: Connection, collection: uuid.UUID) -> None:
    """Point each scope of the collection to the rule that follows from its folders as they are called now."""
    scopes = connection.execute(
        text("select id, folder_id, own_rule, rule_id from scope where collection_id = :id"), {"id": collection}
    ).all()
    for scope in scopes:
        rule_id = _intern(connection, _effective(connection, collection, scope.folder_id, scope.own_rule))
        if rule_id != scope.rule_id:
            connection.execute(
                text("update scope set rule_id = :rule where id = :id"), {"rule": rule_id, "id": scope.id}
            )


def _put_into_folders(connection: Connection, collection: uuid.UUID) -> None:
    """Bring each document and upload under its nearest folder."""
    for row in connection.execute(MISPLACED, {"collection": collection}).all():
        target = _scope(connection, row.folder_id, row, collection)
        table, row_id = ("document", row.id) if row.upload is None else ("ingest_job", row.upload)
        statement = text(f"update {table} set scope_id = :scope where id = :id")  # noqa: S608  # two names of ours
        connection.execute(statement, {"scope": target, "id": row_id})


def _scope(connection: Connection, folder_id: uuid.UUID | None, like: Row[Any], collection: uuid.UUID) -> int:
    """The scope with the same own rule in this folder, made if there is none yet."""
    values: dict[str, Any] = {"collection": collection, "folder": folder_id, "digest": like.own_digest}
    find = text(
        "select id from scope where collection_id = :collection and folder_id is not distinct from :folder"
        " and own_digest = :digest"
    )
    found = connection.scalar(find, values)
    if found is None:
        rule_id = _intern(connection, _effective(connection, collection, folder_id, like.own_rule))
        made = text(
            "insert into scope (collection_id, folder_id, own_digest, own_rule, rule_id)"
            " values (:collection, :folder, :digest, cast(:own as jsonb), :rule) returning id"
        )
        found = connection.scalar(made, {**values, "own": json.dumps(like.own_rule), "rule": rule_id})
    return int(found or 0)


def _effective(
    connection: Connection, collection: uuid.UUID, folder_id: uuid.UUID | None, own: Mapping[str, Any]
) -> Rule:
    shelf = connection.scalar(text("select own_rule from collection where id = :id"), {"id": collection})
    above = [] if folder_id is None else list(connection.scalars(FOLDERS_ABOVE, {"folder": folder_id}))
    return effective(*(OwnRule.from_json(dict(rule)) for rule in (shelf or {}, *above, own)))


def _intern(connection: Connection, rule: Rule) -> int:
    """The id of an equal rule, made if there is none yet."""
    find = text("select id from rule where digest = :digest")
    found = connection.scalar(find, {"digest": rule.digest})
    if found is not None:
        return int(found)
    made = text("insert into rule (digest, label) values (:digest, :label) returning id")
    rule_id = int(connection.scalar(made, {"digest": rule.digest, "label": int(rule.label)}) or 0)
    grant = text(
        "insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id, starts_at, ends_at)"
        " values (:rule, :ordinal, :effect, :kind, :principal, :starts_at, :ends_at)"
    )
    for ordinal, g in enumerate(sorted(rule.grants, key=lambda g: str(g.to_json()))):
        values = {"rule": rule_id, "ordinal": ordinal, "effect": g.effect, "kind": g.principal.kind}
        times = {"principal": g.principal.id, "starts_at": g.starts_at, "ends_at": g.ends_at}
        connection.execute(grant, values | times)
    return rule_id
