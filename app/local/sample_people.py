"""Where the sample company is, and its people with their keys. Every command imports this, so it stays light."""

import json
from pathlib import Path
from typing import Any

from app.client.errors import UserError

SAMPLE_FOLDER = Path(__file__).parents[2] / "sample"
PEOPLE_FILE = "people.json"
ADMINISTRATOR_KEY = "administrator.key"
ADMINISTRATOR = "ada"  # the first administrator, as whom the company is loaded


class SampleFailed(UserError):
    """The sample company cannot be loaded or read; the message says why."""


def read_people(people_file: Path) -> dict[str, dict[str, Any]]:
    """name → display_name, title, roles, capabilities, key. Empty if there is no file; raises SampleFailed."""
    try:
        people: dict[str, dict[str, Any]] = json.loads(people_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise SampleFailed(f"{people_file} is another user's: only who started Clearance there has its keys") from error
    except ValueError as error:
        raise SampleFailed(
            f"{people_file} is damaged: remove it and sample.json, and 'clearance run' makes new keys"
        ) from error
    return people
