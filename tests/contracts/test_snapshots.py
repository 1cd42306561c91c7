"""The public surfaces stay as they are, unless somebody means to change them.

Held are: of the HTTP interface, the routes with their parameters, bodies, answers and error codes, down to each field's
name, type, limits and default; of the command line, every command, argument and option with its help; of the audit log,
every kind of record with its fields. Not held is what explains the HTTP interface (docs/reference.md has its own test),
nor what is made from the names of Python functions and classes there (operation ids, names of schemas): these may be
renamed until a release promises them.
"""

import difflib

import pytest

from tests.contracts.public_surfaces import FOLDER, SNAPSHOTS

CHANGED = """{name} is no longer what tests/contracts/snapshots/{name} says, so a public surface changed:
{difference}

If that is meant, say so in CHANGELOG.md and run: python -m tests.contracts.public_surfaces"""


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_public_surface_is_as_recorded(name: str) -> None:
    recorded, now = (FOLDER / name).read_text("utf-8"), SNAPSHOTS[name]()
    if now != recorded:
        lines = difflib.unified_diff(recorded.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=6)
        pytest.fail(CHANGED.format(name=name, difference="\n".join(lines)), pytrace=False)
