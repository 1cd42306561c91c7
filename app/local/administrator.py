"""Creates a database's first administrator as its owner; administrators create everybody else through the API."""

from sqlalchemy import any_, create_engine, select
from sqlalchemy.orm import Session

from app.audit.events.base import Actor
from app.audit.events.directory import KeyCreated, UserCreated
from app.audit.log import record
from app.db.tables.people import User
from app.errors import Conflict
from app.identity.api_keys import NewKey
from app.identity.directory import add_key, add_person
from app.identity.subject import Capability, Label


def create_first_administrator(owner_url: str, *, name: str = "admin") -> NewKey:
    """Create a user who may administer and ask, and reads no document by that; returns the key to show once.

    `owner_url` is `postgresql+psycopg://clearance_owner:…`. Raises Conflict if the database has an administrator.
    """
    engine = create_engine(owner_url, hide_parameters=True)
    try:
        with Session(engine) as session, session.begin():
            if session.scalar(select(User.id).where(any_(User.capabilities) == Capability.ADMINISTER.value)):
                raise Conflict("This database has an administrator; ask for a key there.")
            allowed = [Capability.ADMINISTER, Capability.ASK]
            user = add_person(session, name=name, display_name=name, clearance=Label.INTERNAL, allowed=allowed)
            key, new = add_key(session, user, label="first key", allowed=allowed, expires_at=None)
            actor = Actor.service("init")
            record(session, UserCreated(actor=actor, user=user.id, after={"capabilities": key.capabilities}))
            event = KeyCreated(
                actor=actor, user=user.id, prefix=key.prefix, capabilities=tuple(key.capabilities), expires_at=None
            )
            record(session, event)
            return new
    finally:
        engine.dispose()
