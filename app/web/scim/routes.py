"""The routes of SCIM 2.0 (RFC 7644), for provisioning services alone. Each is one request to the handler."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.web.http.route_table import PROVISIONING
from app.web.scim.entry import ChangingExchange, ReadingExchange
from app.web.scim.media import PREFIX, SCIM_MEDIA_TYPE

Text = Annotated[str | None, Query()]


class ScimResponseOf(Response):
    media_type = SCIM_MEDIA_TYPE


def shown_attributes(
    attributes: Text = None, excluded: Annotated[str | None, Query(alias="excludedAttributes")] = None
) -> None:
    """The parameters by which an answer is cut; the handler reads them."""


def search_parameters(
    filter_: Annotated[str | None, Query(alias="filter")] = None,
    start_index: Annotated[str | None, Query(alias="startIndex")] = None,
    count: Text = None,
    sort_by: Annotated[str | None, Query(alias="sortBy")] = None,
    sort_order: Annotated[str | None, Query(alias="sortOrder")] = None,
) -> None:
    """The parameters of a search; the handler reads them."""


def named_type(name: str) -> None:
    """The name of a resource type, which the handler reads from the path."""


def named_schema(urn: str) -> None:
    """The URN of a schema, which the handler reads from the path."""


def named_user(user: str) -> None:
    """The id of a person of the source, which the handler reads from the path."""


def named_group(group: str) -> None:
    """The id of a group of the source, which the handler reads from the path."""


SHOWN = [Depends(shown_attributes)]
SEARCHED = [Depends(shown_attributes), Depends(search_parameters)]
OF_USER = [*SHOWN, Depends(named_user)]
OF_GROUP = [*SHOWN, Depends(named_group)]
BODY = {
    "requestBody": {
        "required": True,
        "content": {SCIM_MEDIA_TYPE: {"schema": {"type": "object"}}},
    }
}
router = APIRouter(prefix=PREFIX, tags=[PROVISIONING], default_response_class=ScimResponseOf)


@router.get("/ServiceProviderConfig")
def scim_configuration(exchange: ReadingExchange) -> Response:
    """What this SCIM service can do."""
    return exchange()


@router.get("/ResourceTypes")
def scim_resource_types(exchange: ReadingExchange) -> Response:
    """The kinds of resources: users and groups."""
    return exchange()


@router.get("/ResourceTypes/{name}", dependencies=[Depends(named_type)])
def scim_resource_type(exchange: ReadingExchange) -> Response:
    """One kind of resources."""
    return exchange()


@router.get("/Schemas")
def scim_schemas(exchange: ReadingExchange) -> Response:
    """The attributes of users and groups."""
    return exchange()


@router.get("/Schemas/{urn}", dependencies=[Depends(named_schema)])
def scim_schema(exchange: ReadingExchange) -> Response:
    """One schema."""
    return exchange()


@router.post("/.search", openapi_extra=BODY)
def scim_search(exchange: ReadingExchange) -> Response:
    """Search the people and groups of the source, with the question in the body."""
    return exchange()


@router.post("/Bulk", openapi_extra=BODY)
def scim_bulk(exchange: ChangingExchange) -> Response:
    """Several changes in one transaction, each of which may fail by itself."""
    return exchange()


@router.get("/Users", dependencies=SEARCHED)
def scim_users(exchange: ReadingExchange) -> Response:
    """The people of the source."""
    return exchange()


@router.post("/Users", status_code=201, dependencies=SHOWN, openapi_extra=BODY)
def scim_create_user(exchange: ChangingExchange) -> Response:
    """A new person of the source, who may ask and reads what their groups and grants let them."""
    return exchange()


@router.post("/Users/.search", openapi_extra=BODY)
def scim_search_users(exchange: ReadingExchange) -> Response:
    """Search the people of the source, with the question in the body."""
    return exchange()


@router.get("/Users/{user}", dependencies=OF_USER)
def scim_user(exchange: ReadingExchange) -> Response:
    """A person of the source."""
    return exchange()


@router.put("/Users/{user}", dependencies=OF_USER, openapi_extra=BODY)
def scim_replace_user(exchange: ChangingExchange) -> Response:
    """Make a person what the source says. Switched off, their keys, sessions and tokens end at once."""
    return exchange()


@router.patch("/Users/{user}", dependencies=OF_USER, openapi_extra=BODY)
def scim_change_user(exchange: ChangingExchange) -> Response:
    """Change a person. Whom an administrator switched off stays so."""
    return exchange()


@router.delete("/Users/{user}", status_code=204, dependencies=[Depends(named_user)])
def scim_remove_user(exchange: ChangingExchange) -> Response:
    """Take a person out of the source for good: switched off, and nobody gets their id."""
    return exchange()


@router.get("/Groups", dependencies=SEARCHED)
def scim_groups(exchange: ReadingExchange) -> Response:
    """The groups of the source, which are roles here."""
    return exchange()


@router.post("/Groups", status_code=201, dependencies=SHOWN, openapi_extra=BODY)
def scim_create_group(exchange: ChangingExchange) -> Response:
    """A new group of the source; it opens nothing until somebody grants something to its role."""
    return exchange()


@router.post("/Groups/.search", openapi_extra=BODY)
def scim_search_groups(exchange: ReadingExchange) -> Response:
    """Search the groups of the source, with the question in the body."""
    return exchange()


@router.get("/Groups/{group}", dependencies=OF_GROUP)
def scim_group(exchange: ReadingExchange) -> Response:
    """A group of the source with its members."""
    return exchange()


@router.put("/Groups/{group}", dependencies=OF_GROUP, openapi_extra=BODY)
def scim_replace_group(exchange: ChangingExchange) -> Response:
    """Make a group what the source says. Members are people and groups of the same source."""
    return exchange()


@router.patch("/Groups/{group}", status_code=204, dependencies=OF_GROUP, openapi_extra=BODY)
def scim_change_group(exchange: ChangingExchange) -> Response:
    """Change a group, or who is in it."""
    return exchange()


@router.delete("/Groups/{group}", status_code=204, dependencies=[Depends(named_group)])
def scim_remove_group(exchange: ChangingExchange) -> Response:
    """Empty a group that is gone. A role that a rule names stays, and no other group gets it."""
    return exchange()
