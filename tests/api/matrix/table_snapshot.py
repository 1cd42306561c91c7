"""The tables of a founded world: whether an act changed them, and the way back."""

from collections.abc import Iterable

import psycopg

from tests.support.cluster import Db

# The log grows with every request, and the epoch never goes back. How far the log was delivered is no part of it.
APART = "^(audit_(?!delivery|dead_letter).*|alembic_version|policy_epoch)$"
# A trigger notes which tables were written to: to digest all of them after each act would cost more than the acts.
PREPARE = """
create schema kept;
create table kept.written (name text not null);
create function kept.note_write() returns trigger language plpgsql security definer set search_path = '' as
$$ begin insert into kept.written values (tg_table_name); return null; end $$;
set session_replication_role = replica
"""
COPY = """
create table kept.{0} as table public.{0};
create trigger note_write after insert or update or delete or truncate on public.{0}
  for each statement execute function kept.note_write();
alter table public.{0} enable always trigger note_write
"""


class TableSnapshot:
    """The tables as they were when it was made: says which have changed, and puts them back."""

    def __init__(self, db: Db) -> None:
        self._connection = psycopg.connect(db.libpq("admin"), autocommit=True)
        rows = self._connection.execute(
            "select c.relname, string_agg(quote_ident(a.attname), ', ' order by a.attnum)"
            " filter (where a.attgenerated = '')"
            " from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
            " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname !~ %s"
            " group by c.relname order by c.relname",
            [APART],
        ).fetchall()
        self._columns = {str(name): str(columns) for name, columns in rows}
        self.tables = list(self._columns)
        self._run(PREPARE)
        for table in self.tables:
            self._run(COPY.format(table))
        self._kept = self._digests(self.tables)

    def __enter__(self) -> "TableSnapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def changed(self) -> list[str]:
        """The tables that are not as they were, among those that were written to."""
        written = self._connection.execute("select distinct name from kept.written order by name").fetchall()
        return self.differing(name for (name,) in written if name in self._kept)

    def differing(self, tables: Iterable[str]) -> list[str]:
        """Those of these tables that are not as they were."""
        return [table for table, digest in self._digests(tables).items() if digest != self._kept[table]]

    def restore(self) -> bool:
        """Put back what has changed; gives whether anything had."""
        changed = self.changed()
        for table in changed:
            self._put_back(table)
        # Triggers that keep histories wrote meanwhile.
        again = self.changed() if changed else []
        for table in again:
            self._put_back(table)
        assert not again or not self.changed()
        self._run("delete from kept.written")
        return bool(changed)

    def _put_back(self, table: str) -> None:
        columns = self._columns[table]
        self._run(
            f"delete from public.{table};"
            f" insert into public.{table} ({columns}) overriding system value select {columns} from kept.{table}"
        )

    def _digests(self, tables: Iterable[str]) -> dict[str, str]:
        digests = " union all ".join(
            f"select '{t}', md5(coalesce(string_agg(r::text, '|' order by r::text), '')) from public.{t} r"
            for t in tables
        )
        return dict(self._connection.execute(digests.encode()).fetchall()) if digests else {}

    def _run(self, statements: str) -> None:
        self._connection.execute(statements.encode())
