"""Rules as they are stored: equal ones once, and put together from parts by reference.

A rule has an own part and an inherited one. Re-granting a collection makes a rule for each scope on it and writes one
row for each, since the hundreds of grants of an own rule stay where they are. However it is put together, a rule is
known by the digest of all its grants: equal rules are one row.
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Collection as Collected
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import ColumnElement, Text, any_, bindparam, select, text
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Uuid

from app.acl.rules import Effect, Grant, Rule, joined_digests, rule_digest, united
from app.db.engine import BINARY
from app.db.session import WriteSession
from app.db.tables import access
from app.identity.subject import EVERYONE_ID, Label, Principal, PrincipalKind

INSERT_RULES = text(
    "insert into rule (digest, label, own_id, above_id, grant_digests)"
    " select * from unnest(cast(:digests as bytea[]), cast(:labels as smallint[]), cast(:own as int[]),"
    " cast(:above as int[]), cast(:grant_digests as bytea[]))"
    " on conflict do nothing returning digest, id"
)
KNOWN = text("select digest, id from rule where digest = any (cast(:digests as bytea[]))")
INSERT_GRANTS = text(
    "insert into rule_grant (inherited, rule_id, ordinal, effect, principal_kind, principal_id, starts_at, ends_at)"
    " select :inherited, * from unnest(cast(:rules as int[]), cast(:ordinals as smallint[]), cast(:effects as text[]),"
    " cast(:kinds as text[]), cast(:principals as uuid[]), cast(:starts as timestamptz[]),"
    " cast(:ends as timestamptz[]))"
)
# A row for each different grant, with the parts that hold it: some hundred rows for half a million grants.
GRANTS = (
    "select effect, principal_kind, principal_id, starts_at, ends_at, string_agg(int4send(rule_id), '') as parts"
    " from rule_grant where rule_id = any (cast(:parts as int[])){} group by 1, 2, 3, 4, 5"
)
ALL_GRANTS = text(GRANTS.format(""))
GRANTS_ABOUT = text(GRANTS.format(" and principal_id = any (:about)")).bindparams(bindparam("about", type_=ARRAY(Uuid)))


# digest, label, own_id, above_id, grant_digests
_Row = tuple[bytes, int, int | None, int | None, bytes | None]


@dataclass(frozen=True)
class RulePart:
    """Grants that are interned for themselves, and their digests behind one another, ascending.

    Those of own rules and those that are inherited are apart, even if they are equal: so who looks for the rules that a
    part belongs to looks once.
    """

    id: int
    digests: bytes
    inherited: bool


@dataclass(frozen=True)
class Composed:
    """A rule to be: its canonical digest, and the parts that its grants are taken from."""

    digest: bytes
    label: Label
    own_id: int | None
    above_id: int | None


def compose(label: Label, own: RulePart, above: RulePart | None) -> Composed:
    """The rule of this label with the grants of both parts; `above` is None where the own rule breaks with it."""
    if own.inherited or (above is not None and not above.inherited):
        raise ValueError("a part in the wrong place would not be found by who is asked what a rule says")
    digests = own.digests if above is None else united(own.digests, above.digests)
    # Empty parts are left out.
    own_id = own.id if own.digests else None
    above_id = above.id if above is not None and above.digests else None
    return Composed(rule_digest(label, digests), label, own_id, above_id)


def intern_composed(session: WriteSession, rules: Iterable[Composed]) -> dict[bytes, int]:
    """The ids of these rules by digest, those made that are not there yet. Two writers that meet make one."""
    wanted = {rule.digest: rule for rule in rules}
    known = _known(session, wanted)
    fresh = [rule for digest, rule in wanted.items() if digest not in known]
    made = _insert(session, [(r.digest, int(r.label), r.own_id, r.above_id, None) for r in fresh])
    return known | made | _known(session, [r.digest for r in fresh if r.digest not in made])


def intern_parts(
    session: WriteSession, sets: Iterable[frozenset[Grant]], *, inherited: bool = False
) -> dict[frozenset[Grant], RulePart]:
    """These sets of grants as parts, those made that are not there yet."""
    named = ((grants, joined_digests(grants)) for grants in sets)
    wanted = {part_digest(digests, inherited): (grants, digests) for grants, digests in named}
    known = _known(session, wanted)
    fresh = [digest for digest in wanted if digest not in known]
    # No scope points to a part; were one to, its label would hide it from most.
    made = _insert(session, [(digest, int(Label.RESTRICTED), None, None, wanted[digest][1]) for digest in fresh])
    _insert_grants(session, {made[digest]: wanted[digest][0] for digest in made}, inherited)
    ids = known | made | _known(session, [digest for digest in fresh if digest not in made])
    return {grants: RulePart(ids[digest], digests, inherited) for digest, (grants, digests) in wanted.items()}


def own_parts(session: Session, part_ids: Collected[int]) -> dict[int, RulePart]:
    """Parts of own rules by their ids."""
    if not part_ids:
        return {}
    query = select(access.Rule.id, access.Rule.grant_digests).where(one_of(access.Rule.id.expression, part_ids))
    found = session.execute(query.execution_options(**BINARY))
    return {row.id: RulePart(row.id, row.grant_digests, False) for row in found}


def rule_of(session: Session, rule_id: int) -> Rule:
    return rules_of(session, {rule_id})[rule_id]


def rules_of(session: Session, rule_ids: Collected[int]) -> dict[int, Rule]:
    """Interned rules as values, by id. Three statements, and a grant of many rules is one object."""
    return _values(session, rule_ids, None)


def rules_about(session: Session, rule_ids: Collected[int], principals: Collected[uuid.UUID]) -> dict[int, Rule]:
    """The same less the grants that name none of these principals and not everyone.

    To `decide` for somebody who is all within these principals they say what the whole rules say, and reading them
    costs little however many others the rules name.
    """
    return _values(session, rule_ids, [EVERYONE_ID, *principals])


def rules_by_part(session: Session, rule_ids: Collected[int]) -> dict[int, set[int]]:
    """Which of these rules take grants from each part, by the number under which the grants stand."""
    columns = (access.Rule.id, access.Rule.own_id, access.Rule.above_id)
    found: dict[int, set[int]] = defaultdict(set)
    for row in session.execute(select(*columns).where(one_of(access.Rule.id.expression, rule_ids))):
        for part in (row.own_id or row.id, row.above_id):
            if part is not None:
                found[part].add(row.id)
    return found


def _values(session: Session, rule_ids: Collected[int], about: list[uuid.UUID] | None) -> dict[int, Rule]:
    columns = (access.Rule.id, access.Rule.label, access.Rule.own_id, access.Rule.above_id)
    rows = session.execute(select(*columns).where(one_of(access.Rule.id.expression, rule_ids))).all()
    wanted = {part for row in rows for part in (row.own_id or row.id, row.above_id) if part is not None}
    given: dict[str, Any] = {"parts": array(wanted)}
    found = session.execute(*((ALL_GRANTS, given) if about is None else (GRANTS_ABOUT, given | {"about": about})))
    by_part: dict[int | None, set[Grant]] = defaultdict(set)
    for row in found:
        principal = Principal(cast(PrincipalKind, row.principal_kind), row.principal_id)
        grant = Grant(cast(Effect, row.effect), principal, row.starts_at, row.ends_at)
        for part in np.frombuffer(row.parts, ">i4").tolist():
            by_part[part].add(grant)
    made: dict[tuple[int, int | None, int | None], Rule] = {}

    def rule(label: int, *parts: int | None) -> Rule:
        """One object for all rules that say the same: of thousands, few say anything about a few principals."""
        own, above = (part if part in by_part else None for part in parts)
        if (found := made.get((label, own, above))) is None:
            grants = frozenset(by_part.get(own, ())) | frozenset(by_part.get(above, ()))
            made[label, own, above] = found = Rule(Label(label), grants)
        return found

    return {r.id: rule(r.label, r.own_id or r.id, r.above_id) for r in rows}


def part_digest(digests: bytes, inherited: bool) -> bytes:
    """Under another name than rules: a part holds its grants itself, so no rule made of parts may stand for it."""
    return hashlib.sha256((b"inherited|" if inherited else b"own|") + digests).digest()


def one_of(column: ColumnElement[Any], values: Collected[Any]) -> ColumnElement[bool]:
    """`in_` with one parameter, an array: thousands of parameters take longer to compile than the statement to run."""
    return column == any_(sql_cast(bindparam(None, array(values), type_=Text()), ARRAY(column.type)))


def array(values: Iterable[uuid.UUID | bytes | int | None]) -> str:
    """As PostgreSQL writes an array: sent as it is, where the driver takes many times as long for a list."""
    written = ("NULL" if v is None else f'"\\\\x{v.hex()}"' if isinstance(v, bytes) else str(v) for v in values)
    return f"{{{','.join(written)}}}"


def _known(session: Session, digests: Iterable[bytes]) -> dict[bytes, int]:
    given = list(digests)
    rows = session.execute(KNOWN, {"digests": array(given)}) if given else ()
    return {row.digest: row.id for row in rows}


def _insert(session: WriteSession, rows: list[_Row]) -> dict[bytes, int]:
    """The ids by digest of those that nobody else has made meanwhile."""
    if not rows:
        return {}
    # In one order, so that two writers cannot wait for each other.
    columns = zip(*sorted(rows), strict=True)
    names = ("digests", "labels", "own", "above", "grant_digests")
    made = session.execute(INSERT_RULES, dict(zip(names, map(array, columns), strict=True)))
    return {row.digest: row.id for row in made}


def _insert_grants(session: WriteSession, sets: dict[int, frozenset[Grant]], inherited: bool) -> None:
    rows = [
        (part, n, g.effect, g.principal.kind, g.principal.id, g.starts_at, g.ends_at)
        for part, grants in sets.items()
        for n, g in enumerate(sorted(grants, key=lambda g: g.digest))
    ]
    if rows:
        names = ("rules", "ordinals", "effects", "kinds", "principals", "starts", "ends")
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        session.execute(INSERT_GRANTS, {**columns, "inherited": inherited})
