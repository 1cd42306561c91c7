"""Whoever deletes a row that others refer to finds these by an index: without one each deletion reads a whole table."""

from sqlalchemy import text

from tests.support.library_db import LibraryDb

# References whose target is never deleted nor changed: nothing follows them.
NEVER_FOLLOWED: dict[str, str] = {}
# A partial index serves where it leaves out no more than the rows that refer to nothing.
WITHOUT_INDEX = text("""
    select c.conname from pg_constraint c
    where c.contype = 'f' and c.connamespace = 'public'::regnamespace
      and c.conrelid::regclass::text not like 'procrastinate%'
      and not exists (
        select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = any (c.conkey)
          and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) like '(% IS NOT NULL)'))
""")


def test_every_reference_that_is_followed_has_an_index(shared: LibraryDb) -> None:
    with shared.session("admin") as session:
        assert set(session.scalars(WITHOUT_INDEX)) == set(NEVER_FOLLOWED)


def test_a_reference_without_one_is_found(library: LibraryDb) -> None:
    library.run("admin", "drop index membership_role_id_idx")
    with library.session("admin") as session:
        assert "membership_role_id_fkey" in set(session.scalars(WITHOUT_INDEX))
