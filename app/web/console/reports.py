"""What browsers report of our policy: counted, since a page that broke it may have been attacked; never kept."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter

from app import log
from app.web.console.pages import REPORTS

router = APIRouter(include_in_schema=False)
# What a report may say that is of use; everything else in it is whatever its sender likes.
DIRECTIVES = frozenset(
    {
        *("default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem"),
        *("style-src-attr", "img-src", "connect-src", "form-action", "base-uri", "frame-ancestors"),
        *("require-trusted-types-for", "trusted-types"),
    }
)


class PolicyReports:
    """How many reports came, by the directive that was broken."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counted = Counter(
            "clearance_policy_reports",
            "Reports of browsers that a page broke its policy",
            ["directive"],
            registry=registry,
        )

    def count(self, directive: str) -> None:
        """Count one; a directive that is none is counted as `other`."""
        known = directive if directive in DIRECTIVES else "other"
        self._counted.labels(known).inc()
        log.get().warning("console.policy_report", directive=known)


@router.post(REPORTS, status_code=204)
async def report(request: Request) -> Response:
    """A report of a browser."""
    try:
        body = await request.json()
        found = body["csp-report"]
        directive = str(found.get("effective-directive") or found.get("violated-directive", "")).split(" ")[0]
    except (ValueError, KeyError, TypeError, AttributeError):
        directive = ""
    reports: PolicyReports = request.app.state.policy_reports
    reports.count(directive)
    return Response(status_code=204)
