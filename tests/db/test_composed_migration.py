"""Revision 0011: rules that stand keep what they say and get their digests; down again they hold all their grants."""

import datetime as dt

import pytest
from alembic import command
from sqlalchemy import select

from app.acl.rules import Grant, OwnRule, Rule
from app.acl.scopes import repoint_scopes, rules_of
from app.db.bootstrap import alembic_config, migrate
from app.db.tables import access
from app.db.tables.access import Scope
from app.identity.subject import Label, Principal
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb, allow, deny, library_of

LATER = dt.datetime(2031, 2, 3, 4, 5, 6, 789, tzinfo=dt.UTC)
GRANTS = "select count(*) from rule_grant where rule_id = (select rule_id from scope where id = :scope)"


@pytest.mark.timeout(300)
def test_up_and_down_change_nothing_that_is_said(db: Db, library: LibraryDb) -> None:
    ada, role = library.person("ada"), library.role("role")
    on_shelf = frozenset({allow("user", ada), Grant("allow", Principal("role", role), None, LATER)})
    shelf = library.collection("shelf", *on_shelf)
    own = OwnRule(frozenset({deny("role", role), allow("user", ada)}), label=Label.PUBLIC)
    # Equal to parts that others inherit and that it has itself, but for being a rule.
    alone = OwnRule(on_shelf, inherits=False, label=Label.RESTRICTED)
    scopes = [library.scope(shelf), library.scope(shelf, own), library.scope(shelf, alone)]
    before = rules(library, scopes)
    command.downgrade(alembic_config(db.url("owner")), "0010")
    with library_of(db) as old:
        assert [old.value("owner", GRANTS, scope=scope) for scope in scopes] == [2, 3, 2]
    migrate(db.url("owner"))
    with library_of(db) as new:
        assert rules(new, scopes) == before
        with new.session("owner") as session:
            digests = dict(session.execute(select(access.Rule.id, access.Rule.digest)).all())
            held = dict(session.execute(select(Scope.id, Scope.rule_id)).all())
            assert {digests[held[s]] for s in scopes} == {before[s].digest for s in scopes}
            # Equal digests: nothing moves, and what moves later has parts.
            assert repoint_scopes(session, shelf) == []
            assert session.scalars(select(Scope.own_part_id).where(Scope.id.in_(scopes))).all().count(None) == 0


def rules(library: LibraryDb, scopes: list[int]) -> dict[int, Rule]:
    """What the rules of these scopes say."""
    with library.session("owner") as session:
        held = dict(session.execute(select(Scope.id, Scope.rule_id).where(Scope.id.in_(scopes))).all())
        said = rules_of(session, set(held.values()))
        return {scope: said[rule] for scope, rule in held.items()}
