"""Names of users and roles as people write them: `engineering`, or `okta:engineering` for one from another source.

The only place that finds a user or role by name. A name alone means the source `local`, so the same name from two
sources is never taken for one.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from app.db.tables.people import LOCAL, Role, User
from app.errors import InvalidInput, NotFound

# (source, name)
FullName = tuple[str, str]


def parse_name(text: str) -> FullName:
    """Source and name. Neither holds a colon, so that a second one leaves a name that nobody has."""
    source, colon, name = text.partition(":")
    return (source, name) if colon else (LOCAL, text)


def find_user(session: Session, name: str) -> User:
    """The user of that name, person or service; raises NotFound, which repeats the name as it was given.

    Only who may know the names of users calls it: an administrator, or who has passed a check before. Names in `_` are
    ours and found by nobody, with the same words as names that nobody has.
    """
    source, own = parse_name(name)
    user = session.scalar(select(User).where(User.source == source, User.name == own, User.name.not_like(r"\_%")))
    if user is None:
        raise NotFound(f"No user is named {name!r}.")
    return user


def find_person(session: Session, name: str) -> User:
    """The person of that name; raises NotFound, and InvalidInput for a service."""
    user = find_user(session, name)
    refuse_service(user)
    return user


def refuse_service(user: User) -> None:
    """Raise InvalidInput for a service where only a person has a place."""
    if user.kind != "person":
        raise InvalidInput(f"'{user.shown}' is a service: it reads nothing by itself, only for a person who lets it.")


def find_role(session: Session, name: str) -> Role:
    """The role of that name; raises NotFound, which repeats it. Only who may know the names of roles calls it."""
    source, own = parse_name(name)
    role = session.scalar(select(Role).where(Role.source == source, Role.name == own))
    if role is None:
        raise NotFound(f"No role is named {name!r}.")
    return role


def name_contains(table: type[User | Role], text: str) -> ColumnElement[bool]:
    """Whether a text stands in the name as people write it, in any case of letters."""
    return table.shown.icontains(text, autoescape=True)


def names_by(session: Session, query: Select[*tuple[Any, ...]]) -> dict[uuid.UUID, list[str]]:
    """The second column of the query by its first, in the order of its rows."""
    found: dict[uuid.UUID, list[str]] = {}
    for owner, name in session.execute(query):
        found.setdefault(owner, []).append(name)
    return found


def names_of(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of these users and roles, by id; who is gone is left out."""
    wanted = set(ids)
    names: dict[uuid.UUID, str] = dict(session.execute(select(Role.id, Role.shown).where(Role.id.in_(wanted))).all())
    return names | dict(session.execute(select(User.id, User.shown).where(User.id.in_(wanted))).all())


def known_roles(session: Session, names: Iterable[str]) -> dict[str, uuid.UUID]:
    """The ids of those names that are names of roles, by the name as it was given."""
    wanted = {name: parse_name(name) for name in names}
    rows = session.execute(
        select(Role.source, Role.name, Role.id).where(tuple_(Role.source, Role.name).in_(set(wanted.values())))
    )
    ids = {(row.source, row.name): row.id for row in rows}
    return {name: ids[full] for name, full in wanted.items() if full in ids}


def person_ids(session: Session, names: Iterable[str]) -> dict[str, uuid.UUID]:
    """The ids of persons, by the name as it was given. Raises InvalidInput for a name of nobody, or of a service."""
    wanted = {name: parse_name(name) for name in names}
    rows = session.scalars(
        select(User).where(tuple_(User.source, User.name).in_(set(wanted.values())), User.name.not_like(r"\_%"))
    )
    users = {(user.source, user.name): user for user in rows}
    if unknown := sorted(name for name, full in wanted.items() if full not in users):
        raise InvalidInput(f"No user is named {', '.join(map(repr, unknown))}.")
    for user in users.values():
        refuse_service(user)
    return {name: users[full].id for name, full in wanted.items()}
