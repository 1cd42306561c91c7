"""What the roles of this instance are called, for a policy that names them."""

import uuid

from sqlalchemy import select

from app.db.session import Database
from app.db.tables.people import Role


def role_names(database: Database) -> dict[uuid.UUID, str]:
    """The names of all roles by id, as people write them: `engineering`, or `okta:engineering` of another source."""
    with database.anonymous() as session:
        return dict(session.execute(select(Role.id, Role.shown)).all())
