"""The language model behind one method. Messages in, pieces of text out."""

import ipaddress
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from app.errors import LabelTooHigh
from app.identity.subject import Label


@dataclass(frozen=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True)
class Endpoint:
    """Where text goes, and the highest label that may go there."""

    base_url: str
    model: str
    internal: bool
    max_label: Label

    @property
    def address(self) -> str:
        """Host and port, for the audit log: never a path or a secret."""
        parts = urlsplit(self.base_url)
        return parts.hostname + (f":{parts.port}" if parts.port else "") if parts.hostname else "unknown"


class ChatModel(Protocol):
    @property
    def endpoint(self) -> Endpoint:
        """Where it runs."""

    def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer, piece by piece. Raises ModelUnavailable if there is none, also in the middle."""


def is_loopback(base_url: str) -> bool:
    """Whether the endpoint is on this machine by its address itself; a name other than localhost is not resolved."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def route(endpoint: Endpoint, label: Label) -> str:
    """Why the text may go to the endpoint, for the audit log. Raises LabelTooHigh: there is no fallback."""
    if label > endpoint.max_label:
        raise LabelTooHigh(
            f"What would be shown carries the label '{label.text}', the model endpoint may see "
            f"'{endpoint.max_label.text}' at most. Ask with mode 'quote', or have an administrator name an internal "
            "endpoint."
        )
    kind = "internal" if endpoint.internal else "external"
    return f"{kind} endpoint, {label.text} within {endpoint.max_label.text}"
