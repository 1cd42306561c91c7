"""Removes what the test has made, of this run and of one that was killed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.client.api import ApiError, Client, path
from app.leak_test.cast import MARK, PEOPLE, PREFIX, ROLES
from app.leak_test.requests import Asker


def forget_conversations(asker: Asker) -> None:
    """Delete all conversations of a person of the stage."""
    while found := asker.send("GET", "/api/v1/conversations", params={"limit": "500"}).json():
        if not isinstance(found, list):
            return
        for conversation in found:
            asker.send("DELETE", f"/api/v1/conversations/{conversation['id']}")


@dataclass
class Strike:
    """Removes everything of this run, and what a killed one has left; goes on past what it cannot do."""

    admin: Client
    stays: list[str] = field(default_factory=list)

    def everything(self, askers: dict[str, Asker]) -> None:
        """Conversations first, while their owners can still delete them; then the documents, at once; then the rest."""
        for name, asker in askers.items():
            if "ask" in PEOPLE[name].may:
                self._try("the conversations", partial(forget_conversations, asker))
        self._each("/collections", self._ours, "a collection", lambda c: path("collections", c["name"]))
        self._each("/access/plans", self._ours, "a plan", lambda p: path("access", "plans", p["id"]))
        for place in ("delegations", "keys"):
            for one in self._list(f"/{place}"):
                if self._ours(one) and one["revoked_at"] is None:
                    self._try(f"a live {place[:-1]}", partial(self.admin.delete, path(place, one["id"])))
        self._users()
        for role in ROLES:
            self._role(role)

    def _ours(self, thing: dict[str, Any]) -> bool:
        """By mark where there is one, else by the exact name of the person it is of."""
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
        """A rule that is still kept may name the role; then it stays, empty, and is used again by the next run."""
        try:
            self.admin.delete(path("roles", role))
        except ApiError as error:
            if error.status not in {404, 409}:
                self.stays.append(f"the role {role}: {error}")

    def _list(self, place: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        self._try(f"what {place} lists", lambda: found.extend(self.admin.pages(place)))
        return found

    def _try(self, what: str, act: Callable[[], Any]) -> None:
        """Do it; a 404 means that it is gone already. Tried twice: a service that is restarting comes back."""
        for attempt in (1, 2):
            try:
                act()
            except ApiError as error:
                if error.status == 404:
                    return
                if attempt == 2:
                    self.stays.append(f"{what}: {error}")
                time.sleep(1.0)
            else:
                return
