"""The tables of a founded world: whether an act changed them, and the way back."""

from collections.abc import Mapping

import psycopg

from tests.support.cluster import Db

# The log grows with every request, and the epoch never goes back.
APART = "^(audit_.*|alembic_version|policy_epoch)$"


class Keep:
    """The tables as they were founded: says whether anything changed, and puts it back."""

    def __init__(self, db: Db) -> None:
        self._connection = psycopg.connect(db.libpq("admin"), autocommit=True)
        rows = self._connection.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
            " and relname !~ %s order by relname",
            [APART],
        ).fetchall()
        self.tables = [str(name) for (name,) in rows]
        self._run("create schema kept; set session_replication_role = replica")
        for table in self.tables:
            self._run(f"create table kept.{table} as table public.{table}")
        digests = " union all ".join(
            f"select '{t}', md5(coalesce(string_agg(r::text, '|' order by r::text), '')) from public.{t} r"
            for t in self.tables
        )
        self._digests = digests
        self._founded = self._look()

    def __enter__(self) -> "Keep":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def changed(self) -> list[str]:
        """The tables that are not as they were."""
        now = self._look()
        return [t for t in self.tables if now[t] != self._founded[t]]

    def restore(self) -> None:
        """Put back what has changed. Triggers that keep histories write while we do, so histories come last."""
        for table in sorted(self.changed(), key=self._is_history):
            self._put_back(table)
        for table in self.changed():
            self._put_back(table)
        assert not self.changed()

    @staticmethod
    def _is_history(table: str) -> bool:
        return table.endswith("_history")

    def _put_back(self, table: str) -> None:
        columns = self._columns(table)
        self._run(
            f"delete from public.{table};"
            f" insert into public.{table} ({columns}) overriding system value select {columns} from kept.{table}"
        )

    def _columns(self, table: str) -> str:
        rows = self._connection.execute(
            "select column_name from information_schema.columns"
            " where table_schema = 'public' and table_name = %s and is_generated = 'NEVER' order by ordinal_position",
            [table],
        ).fetchall()
        return ", ".join(f'"{name}"' for (name,) in rows)

    def _look(self) -> Mapping[str, str]:
        return dict(self._connection.execute(self._digests.encode()).fetchall())

    def _run(self, statement: str) -> None:
        self._connection.execute(statement.encode())
