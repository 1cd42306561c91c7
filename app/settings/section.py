"""What every group of settings is made of."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

LabelName = Literal["public", "internal", "confidential", "restricted"]
SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
LOCAL_SOURCE = "local"


class Section(BaseModel):
    """A group of settings; an unknown name is an error, never ignored."""

    model_config = ConfigDict(extra="forbid")


def require_safe_url(value: str, what: str) -> str:
    """The URL, if it is HTTPS, or HTTP of this machine; raises ValueError."""
    parts = urlsplit(value)
    host = parts.hostname or ""
    loopback = host in {"127.0.0.1", "::1", "localhost"}
    if (parts.scheme != "https" and not (parts.scheme == "http" and loopback)) or not host:
        raise ValueError(f"{what} begins with https://, or with http:// on this machine alone")
    return value
