"""Declared: SCIM, for provisioning services alone. Everybody else is refused alike, whatever they name."""

from typing import Any

from tests.api.matrix.route_access import NONE, Case, Route, on
from tests.support.provisioning import GROUP, PATCH_OP, USER

OWN = "of the service's source"
# A service on behalf of a person gets no other refusal than the person, hence `lent`.
QUERY = ("?filter", "?startIndex", "?count", "?sortBy", "?sortOrder", "?attributes", "?excludedAttributes")
SCIM: dict[str, Any] = {"shape": "scim"}
SEARCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
BULK = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
    "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": [USER], "userName": "new-person"}}
    ],
}
RENAMED = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "displayName", "value": "Another"}]}


def kept(*cases: Case, values: tuple[str, ...] = ()) -> Route:
    return Route("provision", cases, values=("name", "urn", *values), lent=True)


def resources(endpoint: str, name: str, body: dict[str, Any], **patched: Any) -> dict[tuple[str, str], Route]:
    """The routes of a kind of resource; `patched`: how a PATCH is answered."""
    place, one, kind = f"/scim/v2/{endpoint}", f"/scim/v2/{endpoint}/{{{name}}}", f"scim {name}"
    return {
        ("GET", place): kept(Case(**SCIM), values=QUERY),
        ("POST", place): kept(Case(body=body, done=201, **SCIM), values=QUERY),
        ("POST", f"{place}/.search"): kept(Case(body=SEARCH, **SCIM)),
        ("GET", one): kept(on(kind, OWN, name, **SCIM), values=QUERY),
        ("PUT", one): kept(on(kind, OWN, name, body=body, **SCIM), values=QUERY),
        ("PATCH", one): kept(on(kind, OWN, name, body=RENAMED, **patched), values=QUERY),
        ("DELETE", one): kept(on(kind, OWN, name, **NONE)),
    }


PROVISIONING: dict[tuple[str, str], Route] = {
    ("GET", "/scim/v2/ServiceProviderConfig"): kept(Case(**SCIM)),
    ("GET", "/scim/v2/ResourceTypes"): kept(Case(**SCIM)),
    ("GET", "/scim/v2/ResourceTypes/{name}"): kept(Case(path={"name": "User"}, **SCIM)),
    ("GET", "/scim/v2/Schemas"): kept(Case(**SCIM)),
    ("GET", "/scim/v2/Schemas/{urn}"): kept(Case(path={"urn": USER}, **SCIM)),
    ("POST", "/scim/v2/.search"): kept(Case(body=SEARCH, **SCIM)),
    ("POST", "/scim/v2/Bulk"): kept(Case(body=BULK, acts=True, **SCIM)),
    **resources("Users", "user", {"schemas": [USER], "userName": "new-person"}, **SCIM),
    **resources("Groups", "group", {"schemas": [GROUP], "displayName": "new-group"}, **NONE),
}
