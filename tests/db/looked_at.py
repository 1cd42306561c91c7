"""How much PostgreSQL looks at, out of its own statistics: counted, not timed."""

from sqlalchemy import text

# Rows read one after another, and index entries, of all tables with text. Rows fetched by an index are left out: each
# has an entry that counts, and an index-only or a bitmap scan, between which the planner chooses, counts none.
COUNTED = text(
    """
    select sum(pg_stat_get_xact_tuples_returned(c.oid))::int
    from pg_class c left join pg_index i on i.indexrelid = c.oid
    where coalesce(i.indrelid, c.oid) = any ('{document, original, chunk, vector_row, posting}'::regclass[])
    """
)
# The service's database role may not read statistics; the counting needs them.
ALLOW = """
grant execute on function pg_stat_get_xact_tuples_returned(oid) to clearance_app;
grant select on pg_class, pg_index to clearance_app;
"""
