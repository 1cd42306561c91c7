"""What is revoked stays revoked, and no key lasts longer than an administrator says: in the database, whatever SQL the
service is made to send.
"""

import datetime as dt
import itertools
import uuid

import pytest

from app.db.session import Database
from app.identity.subject import Capability
from tests.support.library_db import LibraryDb, check_refused, touched

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


@pytest.mark.parametrize("table", ["api_key", "delegation"])
def test_nobody_takes_a_revocation_back(
    library: LibraryDb, people: dict[str, uuid.UUID], database: Database, table: str
) -> None:
    with library.changing(database, people["ada"]) as session:
        assert touched(session, f"update {table} set revoked_at = now()") > 0
    for who, value in itertools.product(("ada", "ben"), ("null", "now() + interval '1 day'", "'infinity'")):
        check_refused(database, people[who], "stays revoked", f"update {table} set revoked_at = {value}")


LATER, SOONER, NEVER = "expires_at = '2031-01-01'", "expires_at = '2029-01-01'", "expires_at = null"


@pytest.mark.parametrize(
    ("who", "change", "prefix", "allowed"),
    [
        ("ada", SOONER, "hers", True),
        ("ada", SOONER, "endless", True),
        ("ada", LATER, "hers", False),
        ("ada", NEVER, "hers", False),
        ("ada", "label = 'x'", "hers", False),
        ("ben", LATER, "hers", True),
        ("ben", NEVER, "hers", True),
    ],
)
def test_a_key_lasts_as_long_as_an_administrator_says(
    library: LibraryDb,
    people: dict[str, uuid.UUID],
    database: Database,
    who: str,
    change: str,
    prefix: str,
    allowed: bool,
) -> None:
    """Its owner may end it sooner."""
    statement = f"update api_key set {change} where prefix = '{prefix}'"
    if allowed:
        with library.changing(database, people[who]) as session:
            assert touched(session, statement) == 1
        return
    check_refused(database, people[who], "an administrator alone", statement)
