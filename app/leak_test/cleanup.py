"""Removes what this run of the leak test has made, and what a killed one has left."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.client.api import ApiError, Client, path
from app.leak_test.cast import MARK, PEOPLE, PREFIX, ROLES
from app.leak_test.http import ProbeClient


def delete_conversations(client: ProbeClient) -> None:
    while found := client.send("GET", "/api/v1/conversations", params={"limit": "500"}).json():
        if not isinstance(found, list):
            return
        for conversation in found:
            client.send("DELETE", f"/api/v1/conversations/{conversation['id']}")


@dataclass
class Cleanup:
    """Removes what this run made and a killed one left. `left_over` says what could not be removed."""

    admin: Client
    left_over: list[str] = field(default_factory=list)

    def run(self, clients: dict[str, ProbeClient]) -> None:
        """Conversations first, while their owners can delete them; then collections with all in them; then the rest."""
        for name, client in clients.items():
            if "ask" in PEOPLE[name].may:
                self._try("the conversations", partial(delete_conversations, client))
        self._each("/collections", self._is_ours, "a collection", lambda c: path("collections", c["name"]))
        self._each("/access/plans", self._is_ours, "a plan", lambda p: path("access", "plans", p["id"]))
        for place in ("delegations", "keys"):
            for one in self._list(f"/{place}"):
                if self._is_ours(one) and one["revoked_at"] is None:
                    self._try(f"a live {place[:-1]}", partial(self.admin.delete, path(place, one["id"])))
        self._users()
        for role in ROLES:
            self._role(role)

    def _is_ours(self, thing: dict[str, Any]) -> bool:
        """Recognised by the mark, or where there is none by the exact name of the person it belongs to."""
        users = {p.user for p in PEOPLE.values() if p.user}
        if "description" in thing:
            return bool(thing["name"].startswith(PREFIX) and thing["description"] == MARK)
        return any(thing.get(name) in users for name in ("author", "person", "user"))

    def _each(self, listing: str, wanted: Callable[[Any], bool], what: str, place: Callable[[Any], str]) -> None:
        for one in filter(wanted, self._list(listing)):
            self._try(what, partial(self.admin.delete, place(one)))

    def _users(self) -> None:
        names = {p.user for p in PEOPLE.values() if p.user}
        for user in self._list("/users"):
            if user["name"] not in names or user["display_name"] != MARK:
                continue
            for role in user["roles"]:
                member = path("roles", role, "members", user["name"])
                self._try("a membership", partial(self.admin.delete, member))
            off = {"active": False, "capabilities": []}
            self._try("a user who is on", partial(self.admin.patch, path("users", user["name"]), off))

    def _role(self, role: str) -> None:
        """A role that a kept rule names stays, empty, and is used again by the next run."""
        try:
            self.admin.delete(path("roles", role))
        except ApiError as error:
            if error.status not in {404, 409}:
                self.left_over.append(f"the role {role}: {error}")

    def _list(self, place: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        self._try(f"what {place} lists", lambda: found.extend(self.admin.pages(place)))
        return found

    def _try(self, what: str, act: Callable[[], Any]) -> None:
        """Do it, twice if need be: the service may be restarting. A 404 means that it is gone already."""
        for attempt in (1, 2):
            try:
                act()
            except ApiError as error:
                if error.status == 404:
                    return
                if attempt == 2:
                    self.left_over.append(f"{what}: {error}")
                time.sleep(1.0)
            else:
                return
