"""Back-fills of migrations. Under row-level security one that may see nothing would change nothing and say nothing."""

from sqlalchemy import Connection, text


class BackFillTouchedNothing(RuntimeError):
    """A back-fill changed no row, though each table under the lock has at least the start-up probe's."""


def back_fill(connection: Connection, statement: str) -> int:
    """Run one INSERT or UPDATE of a migration; gives the rows it touched, and raises if there were none."""
    touched = connection.execute(text(statement)).rowcount
    if touched < 1:
        raise BackFillTouchedNothing(
            f"no row was touched by: {' '.join(statement.split())[:200]}. Either the owner's policy of the table is "
            "missing or the row of the start-up probe is; nothing was migrated."
        )
    return touched


def back_fill_any(connection: Connection, statement: str, *, reads: str) -> int:
    """The same for a statement that reads a table that may be empty: raises unless its owner sees every row of it."""
    need_owner_policy(connection, reads)
    return connection.execute(text(statement)).rowcount


def need_owner_policy(connection: Connection, table: str) -> None:
    """Raise unless the owner sees every row of this table, whose rows a migration is about to look at one by one."""
    policy = text(
        "select exists (select 1 from pg_policies where schemaname = 'public' and tablename = :table"
        " and policyname = 'owner_all' and qual = 'true')"
    )
    if not connection.scalar(policy, {"table": table}):
        raise BackFillTouchedNothing(f"the owner's policy of the table '{table}' is missing; nothing was migrated.")
