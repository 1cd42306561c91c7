"""Roles that a claim of a provider gives: those whose external id is among the groups that it lists, for a while."""

import datetime as dt
import uuid
from collections.abc import Set

from sqlalchemy import func, select, update

from app.admin.provisioning import change_members
from app.db.session import WriteSession
from app.db.tables.people import Membership, Role, User
from app.identity.subject import Subject


def set_claimed_roles(
    session: WriteSession, subject: Subject, user: User, groups: Set[str], until: dt.datetime
) -> None:
    """Let this person be in exactly the roles of these groups, as far as claims give them, until that moment.

    A group that no role stands for gives nothing. Memberships without an end were given directly and stay. One that
    holds for more than half its time is not written again, so that signing in changes nothing for anybody.
    """
    now = session.scalars(select(func.now())).one()
    wanted = set(session.scalars(select(Role.id).where(Role.source == user.source, Role.external_id.in_(groups))))
    rows = session.execute(
        select(Membership.role_id, Membership.ends_at)
        .join(Role, Role.id == Membership.role_id)
        .where(Membership.user_id == user.id, Role.source == user.source)
    ).all()
    held = {row.role_id: row.ends_at for row in rows}
    # One that has ended is left first, so that the log says when it came back.
    over = {role for role, end in held.items() if end is not None and (end <= now or role not in wanted)}
    for role_id in sorted(over):
        change_members(session, subject, session.get_one(Role, role_id), leave=[user.id])
    for role_id in sorted(wanted - (held.keys() - over)):
        change_members(session, subject, session.get_one(Role, role_id), join=[user.id], ends_at=until)
    _confirm(session, user.id, {r for r, end in held.items() if r in wanted - over and end is not None}, now, until)


def _confirm(
    session: WriteSession, user_id: uuid.UUID, roles: Set[uuid.UUID], now: dt.datetime, until: dt.datetime
) -> None:
    half = now + (until - now) / 2
    session.execute(
        update(Membership)
        .where(Membership.user_id == user_id, Membership.role_id.in_(roles), Membership.ends_at < half)
        .values(ends_at=until)
    )
