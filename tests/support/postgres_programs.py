"""Programs of the PostgreSQL that the tests run on."""

import os
from pathlib import Path

from app.local.binaries import find_binaries
from tests.support.environment import real_part_missing


def program(name: str) -> Path:
    """`pg_dump` or `pg_restore` of the server that the tests run on."""
    found = find_binaries().folder / name
    if not os.access(found, os.X_OK):
        real_part_missing(f"this PostgreSQL has no {name}")
    return found
