"""Nobody changes access to their own profit: the one place that checks a transaction which changes it (ADR 0018).

`guard_change` begins it, before anything else is locked. `Database.writing` ends it before the commit, and commits no
change of access without it. In between, triggers (`changes.sql`) note what stood before, by whatever statement it is
changed, so no function has to report what it does. Compared before and after are the author's standing (roles, roles
they look after, clearance, capabilities, collections, keys) and each rule under which something stands, or will: of
collections and folders, empty ones too, of scopes, and of documents and uploads that came under another scope.

The order of locks, everywhere: the policy epoch, then a plan, then collections, then documents, uploads and scopes.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.acl.changed_rules import changed_rules
from app.acl.rules import Grant, Rule
from app.db.session import WriteSession
from app.db.tables.access import Curator
from app.db.tables.people import ApiKey, Role, User
from app.errors import SelfGrant
from app.identity.authenticate import capabilities
from app.identity.nesting import roles_of, stewarded_with_outer
from app.identity.subject import Capability, Label, Subject

ANOTHER = "Ask another administrator"
PLAN = f"{ANOTHER}, or make a plan of it that another one applies ('clearance grants plan')."


@dataclass(frozen=True)
class Standing:
    """What somebody is and may do, apart from the rules that name them.

    `controlled`: for each role that they look after, that role and all that it lies inside of. `keys`: what each living
    key of theirs may do, and until when.
    """

    active: bool
    clearance: Label
    capabilities: frozenset[Capability]
    roles: frozenset[uuid.UUID]
    controlled: dict[uuid.UUID, frozenset[uuid.UUID]]
    curates: frozenset[uuid.UUID]
    keys: dict[uuid.UUID, tuple[frozenset[Capability], Any]]


class ChangeGuard:
    """Judges one transaction by what its author would gain. `subject` is the author as they stood when it began."""

    def __init__(self, session: WriteSession, subject: Subject) -> None:
        self._session = session
        self._before = standing(session, subject.user_id)
        self.subject = subject

    def gains(self) -> list[str]:
        """What the author gains by what was done so far, in words that say what to do instead; empty for nothing."""
        self._session.flush()
        after = standing(self._session, self.subject.user_id)
        found = list(_risen(self._session, self.subject, self._before, after))
        own = self._before.roles | after.roles
        looked_after = frozenset().union(*self._before.controlled.values(), *after.controlled.values())
        mine = Mine(self.subject.user_id, own, looked_after, self._before.clearance)
        if any(gains(mine, before, after) for before, after in changed_rules(self._session, mine.principals)):
            found.append(
                "This change would give you, a role you are in, or a role you look after something to read, now or "
                f"later. {PLAN}"
            )
        return found

    def __call__(self) -> None:
        if found := self.gains():
            raise SelfGrant(found[0])


@dataclass(frozen=True)
class Mine:
    """Whom grants name that are to one's profit. A role that one looks after is as one's own: one could put a friend
    into it.
    """

    user_id: uuid.UUID
    roles: frozenset[uuid.UUID]
    controlled: frozenset[uuid.UUID]
    clearance: Label

    @property
    def principals(self) -> frozenset[uuid.UUID]:
        """The ids that such a grant may name, everyone apart."""
        return self.roles | self.controlled | {self.user_id}

    def named_by(self, grant: Grant) -> bool:
        return grant.principal.kind == "everyone" or grant.principal.id in self.principals


def guard_change(session: WriteSession, subject: Subject) -> ChangeGuard:
    """The guard of this transaction, begun unless it has: to be called before anything is changed or locked.

    Holds the policy epoch, so that nobody else's change of access comes in between. Raises ValueError for an author who
    is not the session's.
    """
    if session.author != subject.user_id:
        raise ValueError("a transaction is guarded for its own author")
    if isinstance(session.guard, ChangeGuard):
        return session.guard
    session.execute(select(func.clearance.hold_epoch()))
    session.guard = guard = ChangeGuard(session, subject)
    return guard


def gains(mine: Mine, before: Rule | None, after: Rule) -> bool:
    """Whether a rule in the place of another is to one's profit; None: nothing stood there before.

    Conservative: grants that start later count, an allow counts though another one gives the same, and a lowered label
    counts though no allow names one. A grant to everyone is not one to oneself: the whole company sees it, and the log
    shows it.
    """
    old = before.grants if before else frozenset()
    added = any(g.effect == "allow" and g.principal.kind != "everyone" and mine.named_by(g) for g in after.grants - old)
    ended = any(g.effect == "deny" and mine.named_by(g) for g in old - after.grants)
    lowered = before is not None and before.label > mine.clearance >= after.label
    return added or ended or lowered


def standing(session: Session, user_id: uuid.UUID) -> Standing:
    """What somebody is and may do now. A service is in no role, curates nothing and looks after no role: the database
    refuses it there, so that nothing of it is looked for.
    """
    query = select(User.active, User.clearance, User.capabilities, User.kind).where(User.id == user_id)
    user = session.execute(query).one()
    is_person = user.kind == "person"
    living = select(ApiKey.id, ApiKey.capabilities, ApiKey.expires_at).where(
        ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)
    )
    return Standing(
        active=user.active,
        clearance=Label(user.clearance),
        capabilities=capabilities(user.capabilities),
        roles=roles_of(session, user_id) if is_person else frozenset(),
        controlled=stewarded_with_outer(session, user_id) if is_person else {},
        curates=_curated(session, user_id) if is_person else frozenset(),
        keys={row.id: (capabilities(row.capabilities), row.expires_at) for row in session.execute(living)},
    )


def _curated(session: Session, user_id: uuid.UUID) -> frozenset[uuid.UUID]:
    return frozenset(session.scalars(select(Curator.collection_id).where(Curator.user_id == user_id)))


def _risen(session: Session, subject: Subject, before: Standing, after: Standing) -> list[str]:
    """How the author's standing rose; a role that is left counts, since a deny to it ends with that."""
    found = []
    if before.roles != after.roles:
        found.append(
            "This change would put you into a role or take you out of one, be it by a role that lies inside another or "
            f"is deleted. {PLAN}"
        )
    if set(after.controlled) - set(before.controlled):
        found.append(f"You cannot delegate a role to yourself. {ANOTHER}.")
    if any(_otherwise(session, root, roles, after) for root, roles in before.controlled.items()):
        found.append(f"This change would put a role that you look after into another or take it out of one. {PLAN}")
    if after.clearance > before.clearance:
        found.append(f"You cannot raise your own clearance. {PLAN}")
    if after.capabilities - before.capabilities or after.active > before.active:
        found.append(f"You cannot raise your own clearance or capabilities. {ANOTHER}.")
    if after.curates - before.curates:
        found.append(f"You cannot make yourself a curator. {ANOTHER}.")
    changed = [may for key, (may, until) in after.keys.items() if before.keys.get(key) != (may, until)]
    if any(not may <= subject.capabilities for may in changed):
        found.append("A key of your own may do no more than the one you make or change it with.")
    return found


def _otherwise(session: Session, root: uuid.UUID, roles: frozenset[uuid.UUID], after: Standing) -> bool:
    """Whether a role one looked after lies elsewhere now, or is gone; to look after it no more is no gain."""
    now = after.controlled.get(root)
    return now != roles if now is not None else session.get(Role, root) is None
