"""For revisions that fill in rows. Under row-level security one that sees no row changes nothing and says nothing."""

from sqlalchemy import Connection, text


class BackFillTouchedNothing(RuntimeError):
    """A back-fill changed no row, though each table under the lock has at least the start-up probe's."""


def back_fill(connection: Connection, statement: str) -> int:
    """Run one INSERT or UPDATE; gives the number of rows it touched, and raises BackFillTouchedNothing for none."""
    touched = connection.execute(text(statement)).rowcount
    if touched < 1:
        raise BackFillTouchedNothing(
            f"no row was touched by: {' '.join(statement.split())[:200]}. Either the owner's policy of the table is "
            "missing or the row of the start-up probe is; nothing was migrated."
        )
    return touched


def need_owner_policy(connection: Connection, table: str) -> None:
    """Raise BackFillTouchedNothing unless the owner sees every row of this table: for tables that may be empty."""
    policy = text(
        "select exists (select 1 from pg_policies where schemaname = 'public' and tablename = :table"
        " and policyname = 'owner_all' and qual = 'true')"
    )
    if not connection.scalar(policy, {"table": table}):
        raise BackFillTouchedNothing(f"the owner's policy of the table '{table}' is missing; nothing was migrated.")
