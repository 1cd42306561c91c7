"""The people and groups of one source as the storage behind the SCIM handler; what it does is done in `app.admin`."""

import contextlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from scim2_models import (
    ConflictException,
    ForbiddenException,
    InvalidFilterException,
    InvalidValueException,
    NotFoundException,
    NotImplementedException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
    UniquenessException,
)
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy.orm import Session

from app.admin.directory_entries import DirectoryEntry, EntryKind, EntryQuery, find_entry, search_entries
from app.admin.directory_filter import UnsupportedFilter, canonical_id
from app.admin.directory_keeping import DirectoryKeeper, EntryState, NameTaken
from app.errors import Conflict, ForeignMember, InvalidInput, NotAllowed, NotFound, NotOfSource
from app.identity.subject import Subject
from app.web.scim.filters import condition_of, sort_attribute
from app.web.scim.provider import model_of, scim_provider

# What has a place of its own, or is ours to say; never a password, whatever the models say.
APART = frozenset({"id", "externalId", "meta", "active", "members", "groups", "password"})
# Kept among the attributes of a person whose `active` the directory took away.
UNASSIGNED = "active"
ENDPOINTS = {"user": "Users", "group": "Groups"}


@dataclass
class SourceStorage(ScimStorage):
    """One request's storage. `keeper` is there where the request may change anything; `several`: it has parts that
    fail alone.
    """

    session: Session
    subject: Subject
    keeper: DirectoryKeeper | None = None
    several: bool = False

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        with _in_scim_words():
            entry = self._find(resource_type, resource_id, with_links=_wants_links(resource_type, response_parameters))
            return _resource(resource_type, entry)

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002  # of cursors, which the configuration does not announce
    ) -> SearchPage:
        """A page; of several types one type after another, which is no order that could be asked for."""
        if len(resource_types) > 1 and search_request.sort_by is not None:
            raise NotImplementedException(detail="Sort people or groups, not both at once.")
        page = SearchPage(0, [])
        left, start = search_request.count, search_request.start_index_0 or 0
        with _in_scim_words():
            for resource_type in resource_types:
                offset = max(0, start - (page.total or 0))
                query = replace(_query(resource_type, search_request), offset=offset, count=left)
                links = _wants_links(resource_type, search_request)
                found = search_entries(self.session, self.subject, _kind(resource_type), query, with_links=links)
                page.total = (page.total or 0) + found.total
                page.resources += [_resource(resource_type, entry) for entry in found.entries]
                left = None if left is None else left - len(found.entries)
        return page

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        with _in_scim_words():
            state = _state(resource_type, resource, new=True)
            return _resource(resource_type, self._keeper.add(_kind(resource_type), state))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        with _in_scim_words():
            entry = self._find(resource_type, resource.id or "", with_links=True)
            _check_version(entry, expected_version)
            return _resource(resource_type, self._keeper.change(entry, _state(resource_type, resource)))

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        with _in_scim_words():
            entry = self._find(resource_type, resource_id, with_links=False)
            _check_version(entry, expected_version)
            self._keeper.remove(entry)

    @contextlib.contextmanager
    def operation(self) -> Iterator[None]:
        """A savepoint, so that a failed operation of a bulk request undoes itself alone. A request of one operation is
        undone as a whole.
        """
        if not self.several:
            yield
            return
        with self.session.begin_nested():
            yield

    @property
    def _keeper(self) -> DirectoryKeeper:
        if self.keeper is None:
            raise ForbiddenException(detail="This request changes nothing.")
        return self.keeper

    def _find(self, resource_type: ResourceType, text: str, *, with_links: bool) -> DirectoryEntry:
        wanted = canonical_id(text)
        # What is no id takes the same way as one that nobody has.
        entry = find_entry(
            self.session, self.subject, _kind(resource_type), wanted or uuid.UUID(int=0), with_links=with_links
        )
        if entry is None:
            raise NotOfSource
        return entry


@contextlib.contextmanager
def _in_scim_words() -> Iterator[None]:
    """What our use cases refuse, as SCIM says it; the cause stays with it, for the record."""
    try:
        yield
    except NameTaken as error:
        raise UniquenessException(detail=error.detail) from error
    except Conflict as error:
        raise ConflictException(detail=error.detail) from error
    except UnsupportedFilter as error:
        raise InvalidFilterException(detail=error.detail) from error
    except (InvalidInput, ForeignMember) as error:
        raise InvalidValueException(detail=error.detail) from error
    except NotFound as error:
        raise NotFoundException(detail=error.detail) from error
    except NotAllowed as error:
        raise ForbiddenException(detail=error.detail or error.title) from error


def _kind(resource_type: ResourceType) -> EntryKind:
    return "user" if resource_type.name == "User" else "group"


def _version(entry: DirectoryEntry) -> str:
    return f'W/"{entry.version}"'


def _check_version(entry: DirectoryEntry, expected: str | None) -> None:
    if expected is not None and _version(entry) != expected:
        raise PreconditionFailedException


def _query(resource_type: ResourceType, request: SearchRequest[Any]) -> EntryQuery:
    model = model_of(resource_type)
    return EntryQuery(
        condition=None if request.filter is None else condition_of(model, request.filter),
        sort=sort_attribute(model, request),
        descending=request.sort_order is not None and request.sort_order.value == "descending",
    )


def _wants_links(resource_type: ResourceType, parameters: ResponseParameters[Any] | None) -> bool:
    """Whether the answer holds members or groups: a group of thousands is not read for its name."""
    name = "groups" if _kind(resource_type) == "user" else "members"
    if parameters is None:
        return True
    if parameters.attributes:
        return name in {head for head, _ in _heads(parameters.attributes)}
    return (name, True) not in set(_heads(parameters.excluded_attributes or ()))


def _heads(paths: Iterable[Any]) -> Iterator[tuple[str, bool]]:
    """The attribute that each path begins with, and whether the path is that attribute as a whole."""
    for path in paths:
        head, dot, _ = str(path).rsplit(":", 1)[-1].partition(".")
        yield head.lower(), not dot


def _resource(resource_type: ResourceType, entry: DirectoryEntry) -> Resource[Any]:
    said: dict[str, Any] = {
        **entry.attributes,
        "id": str(entry.id),
        "externalId": entry.external_id,
        "meta": {
            "resourceType": resource_type.name,
            "created": entry.created_at,
            "lastModified": entry.changed_at,
            "version": _version(entry),
        },
    }
    links = [{"value": str(link.id), "$ref": f"{ENDPOINTS[link.kind]}/{link.id}"} for link in entry.links or ()]
    if entry.kind == "user":
        said["active"] = None if UNASSIGNED in entry.attributes else entry.active
        shown = zip(links, entry.links or (), strict=True)
        said["groups"] = [{**each, "display": link.shown, "type": "direct"} for each, link in shown] or None
    else:
        types = [link.kind.title() for link in entry.links or ()]
        said["members"] = [{**link, "type": kind} for link, kind in zip(links, types, strict=True)] or None
    return model_of(resource_type).model_validate(said, scim_provider=scim_provider())


def _state(resource_type: ResourceType, resource: Resource[Any], *, new: bool = False) -> EntryState:
    """What a resource says. Of `active` that was taken away the person stays as they are: nobody comes back by it."""
    said = resource.model_dump(scim_provider=scim_provider())
    attributes = {name: value for name, value in said.items() if name not in APART}
    if _kind(resource_type) == "group":
        shown = str(said.get("displayName") or "")
        members = frozenset(_member(each) for each in said.get("members") or ())
        return EntryState(shown, shown, said.get("externalId") or None, attributes, members=members)
    if said.get("active") is None and not new:
        attributes[UNASSIGNED] = None
    name, parts = str(said.get("userName") or ""), said.get("name") or {}
    full = parts.get("formatted") or " ".join(filter(None, (parts.get("givenName"), parts.get("familyName"))))
    shown = said.get("displayName") or full or name
    return EntryState(name, shown, said.get("externalId") or None, attributes, active=said.get("active"))


def _member(member: dict[str, Any]) -> uuid.UUID:
    found = canonical_id(str(member.get("value") or ""))
    if found is None:
        raise ForeignMember
    return found
