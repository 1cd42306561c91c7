"""What this service says of itself as a SCIM service, made once: building the models takes longer than a request."""

import functools
from typing import Any

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    Patch,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
)
from scim2_server.utils import load_default_resource_types, load_default_schemas

from app.web.http.route_table import MAX_PROVISIONING_BYTES

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
# What we neither keep nor give back: secrets, and what nothing of ours reads and no filter can compare.
LEFT_OUT = frozenset({"password", "x509Certificates"})
MAX_RESULTS = 200
MAX_OPERATIONS = 100


@functools.cache
def scim_provider() -> ScimProvider:
    """Users and groups as RFC 7643 has them, without passwords, as tolerant as Entra ID needs it."""
    schemas = load_default_schemas()
    user = schemas[USER]
    user.attributes = [each for each in user.attributes or [] if each.name not in LEFT_OUT]
    for attribute in schemas[GROUP].attributes or []:
        # How a member is called is theirs to say, not the group's.
        attribute.sub_attributes = [each for each in attribute.sub_attributes or [] if each.name != "display"]
    return ScimProvider.from_discovery(
        schemas.values(), load_default_resource_types().values(), config=_config(), policy=_policy()
    )


def model_of(resource_type: ResourceType) -> type[Resource[Any]]:
    """The model of a resource type, with its extensions."""
    model = scim_provider().model_for(resource_type)
    if model is None or not issubclass(model, Resource):
        raise LookupError(f"no model of {resource_type.name}")
    return model


def _config() -> ServiceProviderConfig:
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MAX_OPERATIONS, max_payload_size=MAX_PROVISIONING_BYTES),
        filter=Filter(supported=True, max_results=MAX_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="API key",
                description="The API key of a provisioning service, as a bearer token.",
                primary=True,
            )
        ],
    )


def _policy() -> ScimPolicy:
    """Unknown attributes are dropped; a value beside `remove` says what to remove, and never widens it."""
    return ScimPolicy(
        unknown=ScimPolicy.Unknown.ignore,
        remove_value_as_filter=ScimPolicy.RemoveValue.apply,
        unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    )
