"""Going on as somebody else of the sample company: to see what another person sees, where nobody is a real person.

It is a sign-in with that person's own key, which `clearance run` keeps in a file beside its sample. Where no file is
named in the settings there is nothing to go on with, and the file of other keys would open nothing but what they open.
"""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.answer.components import Components
from app.errors import AppError, NotFound
from app.identity.api_keys import NewKey
from app.identity.subject import Subject
from app.sign_in.callers import Credential, identify_caller
from app.sign_in.sessions import Browser, Proof, start_session

# As much of the file as can be people; it is small.
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class SamplePersonView:
    """Somebody of the sample company; `about` says who they are."""

    name: str
    about: str


def sample_people(parts: Components, subject: Subject, address: str | None) -> tuple[SamplePersonView, ...]:
    """As whom this caller may go on: everybody of the sample, for one of them on this machine; else nobody."""
    found = _read(parts.settings.sample.people_file)
    if subject.name not in found or subject.means != "session" or not _is_this_machine(address):
        return ()
    return tuple(SamplePersonView(name, _about(entry)) for name, entry in found.items())


def go_on_as(parts: Components, subject: Subject, name: str, browser: Browser) -> NewKey:
    """A session as that person of the sample. Raises NotFound where the caller may not go on as them."""
    if name not in {person.name for person in sample_people(parts, subject, browser.address)}:
        raise NotFound
    key = str(_read(parts.settings.sample.people_file)[name].get("key", ""))
    try:
        person = identify_caller(parts.database, parts.providers, Credential("key", key))
    except AppError:
        raise NotFound from None
    if person.name != name:
        raise NotFound
    return start_session(parts.database, parts.settings.sign_in, person.user_id, Proof("sample"), browser)


def _read(file: Path | None) -> Mapping[str, Mapping[str, object]]:
    """The people in the file, by name; none if there is no file, or one that is not of the sample."""
    if file is None:
        return {}
    try:
        if file.stat().st_size > MAX_BYTES:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_people = isinstance(found, dict) and all(isinstance(entry, dict) for entry in found.values())
    return found if is_people else {}


def _about(entry: Mapping[str, object]) -> str:
    return ", ".join(str(entry[part]) for part in ("display_name", "title") if entry.get(part))


def _is_this_machine(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
