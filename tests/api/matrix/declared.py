"""The declared access of every route. A route that is not here fails the tests.

The same holds for its identifiers: each is the target of some case, or stands in VALUES as naming nothing.
"""

from tests.api.matrix.access import ACCESS
from tests.api.matrix.library import LIBRARY
from tests.api.matrix.people import PEOPLE
from tests.api.matrix.route_access import Route

DECLARED: dict[tuple[str, str], Route] = LIBRARY | ACCESS | PEOPLE
# Swagger UI's files, out of its package; not a route of ours.
MOUNTS = {("ANY", "/api/v1/docs/static")}
# Fields that hold a value wherever they stand and never name a thing. Whatever is not here is an identifier.
VALUES = frozenset({
    "limit", "question", "query", "mode", "stream", "label", "description", "display_name", "clearance", "capabilities",
    "active", "effect", "everyone", "starts_at", "ends_at", "expires_at", "expires_in", "inherits", "format", "kind",
    "since", "until", "newest_first", "opened", "state", "file", "at", "change",
})  # fmt: skip
# What every route takes and the callers of the matrix vary.
CARRIED = frozenset({"@Clearance-On-Behalf-Of"})
