"""Alembic's environment: one connection, one transaction, limits on locks, and nothing of procrastinate's compared."""

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlalchemy.schema import SchemaItem

from app.db.tables import Base


def ours(_item: SchemaItem, name: str | None, kind: str, _reflected: bool, _compare_to: SchemaItem | None) -> bool:
    """Tables that procrastinate keeps for itself are not ours to compare."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def run() -> None:
    """Migrate under an advisory lock, so that two starting processes take turns."""
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, include_object=ours)
        with context.begin_transaction():
            connection.execute(text("set local lock_timeout = '5s'"))
            connection.execute(text("select pg_advisory_xact_lock(hashtext('clearance.migrations'))"))
            context.run_migrations()
    engine.dispose()


run()
