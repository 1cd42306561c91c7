"""What is revoked stays revoked, and no key lasts longer than an administrator says: in the database, whatever SQL the
service is made to send.
"""

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.session import Database
from app.identity.subject import Capability
from tests.support.library_db import LibraryDb, touched

MAKE_KEY = (
    "insert into api_key (prefix, hash, user_id, capabilities, expires_at)"
    " values (:prefix, convert_to(:prefix, 'UTF8'), :user, '{}', :expires)"
)
MAKE_DELEGATION = (
    "insert into delegation (prefix, hash, service_id, person_id, key_id, capabilities, expires_at)"
    " select 'd', 'd', s.id, k.user_id, k.id, '{ask}', now() + interval '1 day' from app_user s, api_key k"
    " where s.name = 'bot' and k.prefix = 'hers'"
)
EXPIRES = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def people(library: LibraryDb) -> dict[str, uuid.UUID]:
    """Ada with a key that ends, one that does not, and a delegation; Ben, who administers."""
    ada, ben = library.person("ada"), library.person("ben", may=[Capability.ADMINISTER])
    bot = "insert into app_user (name, display_name, kind, capabilities) values ('bot', '', 'service', '{ask}')"
    library.run("owner", bot)
    library.run("owner", MAKE_KEY, prefix="hers", user=ada, expires=EXPIRES)
    library.run("owner", MAKE_KEY, prefix="endless", user=ada, expires=None)
    library.run("owner", MAKE_DELEGATION)
    return {"ada": ada, "ben": ben}


@pytest.mark.parametrize("who", ["ada", "ben"])
@pytest.mark.parametrize("table", ["api_key", "delegation"])
@pytest.mark.parametrize("value", ["null", "now() + interval '1 day'", "'infinity'"])
def test_nobody_takes_a_revocation_back(
    library: LibraryDb, people: dict[str, uuid.UUID], database: Database, who: str, table: str, value: str
) -> None:
    with library.changing(database, people["ada"]) as session:
        assert touched(session, f"update {table} set revoked_at = now()") > 0
    with pytest.raises(DBAPIError, match="stays revoked"), database.writing(people[who]) as session:
        touched(session, f"update {table} set revoked_at = {value}")


def later(prefix: str) -> str:
    return f"update api_key set expires_at = '2031-01-01' where prefix = '{prefix}'"


def sooner(prefix: str) -> str:
    return f"update api_key set expires_at = '2029-01-01' where prefix = '{prefix}'"


def never(prefix: str) -> str:
    return f"update api_key set expires_at = null where prefix = '{prefix}'"


@pytest.mark.parametrize(
    ("who", "change", "prefix", "allowed"),
    [
        ("ada", sooner, "hers", True),
        ("ada", sooner, "endless", True),
        ("ada", later, "hers", False),
        ("ada", never, "hers", False),
        ("ben", later, "hers", True),
        ("ben", never, "hers", True),
    ],
)
def test_a_key_lasts_as_long_as_an_administrator_says(
    library: LibraryDb,
    people: dict[str, uuid.UUID],
    database: Database,
    who: str,
    change: Callable[[str], str],
    prefix: str,
    allowed: bool,
) -> None:
    """Its owner may end it sooner."""
    if allowed:
        with library.changing(database, people[who]) as session:
            assert touched(session, change(prefix)) == 1
        return
    with pytest.raises(DBAPIError, match="an administrator alone"), database.writing(people[who]) as session:
        touched(session, change(prefix))


def test_keys_of_others_are_left_alone(library: LibraryDb, people: dict[str, uuid.UUID], database: Database) -> None:
    """By who does not administer: neither sooner nor later."""
    eve = library.person("eve")
    with library.changing(database, eve) as session:
        for statement in ("update api_key set revoked_at = now()", sooner("hers"), later("hers")):
            assert touched(session, statement) == 0
    with database.anonymous() as session:
        assert session.scalar(text("select count(*) from api_key where expires_at = :e"), {"e": EXPIRES}) == 1
