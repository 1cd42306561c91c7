"""Whether each part of the service works (administer)."""

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.admin.health.service import ServiceParts, check_service
from app.web.api.schemas import ApiModel
from app.web.http.dependencies import Administrator, ComponentsOf

router = APIRouter(prefix="/health", tags=["health"])


class CheckResultOut(ApiModel):
    """One part."""

    part: str
    state: Literal["ok", "warn", "fail"]
    says: str
    mend: str = Field(description="how to repair it; empty: nothing to do")


class ServiceHealthOut(ApiModel):
    """All parts, in the order in which a request goes through them."""

    checks: list[CheckResultOut]


@router.get("")
def service_health(subject: Administrator, parts: ComponentsOf) -> ServiceHealthOut:
    """Check every part that this process can see, each for ten seconds at most (administer)."""
    found = check_service(subject, ServiceParts(parts.settings, parts.database, parts.embedder))
    return ServiceHealthOut(checks=[CheckResultOut.model_validate(result) for result in found])
