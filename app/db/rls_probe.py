"""The start-up probe of row-level security, in two halves for each table: nobody sees nothing, the canary sees one row.

The first half fails if a table lost its row-level security or the database role bypasses it; the second if it hides
everything (a wrong key, an empty table), so that a policy that shows nothing is not taken for a good one.
"""

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.session import Database

CANARY = uuid.UUID("00000000-0000-4000-8000-00000000ca9a")
CONVERSATIONS = ("conversation", "turn", "turn_answer", "turn_source")
NAMES = ("path_history", "title_history", "collection_name_history")
PROBED_TABLES = (
    "document", "original", "chunk", "vector_row", "scope_volume", "posting", "ingest_job", *CONVERSATIONS, *NAMES,
)  # fmt: skip
# Also tables without text and without a row of the canary's: for the first half alone.
SECURED_TABLES = (
    *PROBED_TABLES,
    "audit_leaf",
    "audit_entry",
    "audit_head",
    "audit_checkpoint",
    # Without its lock the next one shows too.
    "audit_cosignature",
    "audit_timestamp",
    "audit_document",
    "audit_tag",
    "audit_name",
    "audit_day",
    "audit_pruned",
    "audit_node",
    "audit_delivery",
    "audit_dead_letter",
    "access_plan",
    "document_history",
    "name_history",
    # Without its lock the next one shows too.
    "answer_feedback_source",
    "answer_feedback",
    "pseudonym",
    "pseudonym_passage",
    "directory_profile",
    "leak_test_run",
    "access_review",
    "access_review_item",
    "saved_query",
    "opening",
    "erasure",
    "retention_rule",
    "legal_hold",
    # Without its lock the next one shows too.
    "log_export",
    "log_export_part",
)


# The settings that a database role brings into each new connection. PostgreSQL lets every role set its own, and nothing
# can forbid it, so they are checked. Those listed here only limit how long something may take.
OWN_SETTINGS = """
    select r.rolname, split_part(c, '=', 1)
    from pg_db_role_setting s join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) as c
    where r.rolname like 'clearance\\_%'
      and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
      and split_part(c, '=', 1) not in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
        'idle_session_timeout', 'transaction_timeout', 'work_mem', 'maintenance_work_mem')
    order by 1, 2
"""


class RowLevelSecurityBroken(RuntimeError):
    """Row-level security does not hold; the service must not start."""


def probe(database: Database) -> None:
    """Raise RowLevelSecurityBroken unless both halves hold for every table."""
    with database.anonymous() as session:
        _refuse_powerful_role(session)
        _refuse_own_settings(session)
        for table in SECURED_TABLES:
            if seen := _count(session, table):
                raise RowLevelSecurityBroken(
                    f"without identity {seen} rows of '{table}' are seen: its row-level security is off"
                )
    with database.reading(CANARY) as session:
        for table in PROBED_TABLES:
            if (seen := _count(session, table)) != 1:
                raise RowLevelSecurityBroken(
                    f"the canary sees {seen} rows of '{table}' instead of 1: the identity key of the service is not "
                    "that of the database, or the policy of the table has changed ('clearance init' sets the key)"
                )


def _refuse_powerful_role(session: Session) -> None:
    row = session.execute(
        text(
            "select r.rolname, r.rolsuper or r.rolbypassrls as powerful,"
            " exists (select 1 from pg_class c where c.relowner = r.oid) as owner,"
            " has_function_privilege('pg_catalog.pg_prepared_statement()', 'execute') as knows_plans"
            " from pg_roles r where r.rolname = current_user"
        )
    ).one()
    if row.powerful or row.owner:
        raise RowLevelSecurityBroken(f"the database role '{row.rolname}' passes row-level security or owns tables")
    if row.knows_plans:
        raise RowLevelSecurityBroken(
            f"the database role '{row.rolname}' may list the plans that a connection keeps, so that injected SQL could"
            " put its own in their place: 'clearance init' closes the list"
        )


def _refuse_own_settings(session: Session) -> None:
    me = session.scalar(text("select current_user"))
    found = [setting for role, setting in session.execute(text(OWN_SETTINGS)) if role == me]
    if found:
        raise RowLevelSecurityBroken(
            f"the database role '{me}' brings settings of its own into each connection ({', '.join(found)}): somebody"
            " who had its password may have left them. ALTER ROLE … RESET ALL, as 'clearance init' does, removes them"
        )


def _count(session: Session, table: str) -> int:
    return int(session.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608  # a name from the tuple above
