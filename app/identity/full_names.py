"""What the people of this instance are called, for the guardrail to look for."""

from sqlalchemy import select

from app.db.session import Database
from app.db.tables.people import User


def full_names(database: Database) -> list[str]:
    """The full names of all people, now and before, in order. One word is an account's name and no person's."""
    with database.anonymous() as session:
        rows = session.execute(select(User.display_name, User.former_display_names).where(User.kind == "person")).all()
    return sorted({name for now, before in rows for name in (now, *before) if len(name.split()) > 1})
