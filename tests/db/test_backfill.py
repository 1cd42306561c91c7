"""Back-fills of revisions under row-level security: one that would touch nothing stops the migration."""

import re

import pytest
from sqlalchemy import create_engine

from migrations.backfill import BackFillTouchedNothing, back_fill, need_owner_policy
from tests.support.cluster import Db
from tests.support.library_db import LibraryDb


@pytest.mark.parametrize(
    "statement",
    [
        "update chunk set tokens = tokens where false",
        "insert into rule (digest, label) select digest, label from rule where false",
        "delete from original where title = 'none of this name'",
    ],
)
def test_nothing_touched_is_an_error(db: Db, statement: str) -> None:
    engine = create_engine(db.url("owner"))
    with engine.connect() as connection, pytest.raises(BackFillTouchedNothing, match=re.escape(statement[:20])):
        back_fill(connection, statement)
    with engine.connect() as connection:
        assert back_fill(connection, "update chunk set tokens = tokens") == 1, "the canary's"
    engine.dispose()


def test_rows_that_their_owner_cannot_see_are_an_error(db: Db, library: LibraryDb) -> None:
    """FORCE without the owner's policy shows an empty table; one that may be empty is asked for its policy instead."""
    engine = create_engine(db.url("owner"))
    with engine.connect() as connection:
        need_owner_policy(connection, "membership")
    library.run("owner", "drop policy owner_all on membership")
    library.run("owner", "drop policy owner_all on chunk")
    with engine.connect() as connection:
        with pytest.raises(BackFillTouchedNothing, match="membership"):
            need_owner_policy(connection, "membership")
        with pytest.raises(BackFillTouchedNothing, match="owner's policy"):
            back_fill(connection, "update chunk set tokens = tokens")
    engine.dispose()
