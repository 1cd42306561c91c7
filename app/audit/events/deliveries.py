"""What becomes of the delivery of the log to elsewhere; that a batch was delivered is none, or it would feed itself."""

from dataclasses import dataclass

from app.audit.events.base import Event


@dataclass(frozen=True, kw_only=True)
class DeliveryConfigured(Event):
    """A target came, went (`configured` is false), or has another form: `means` is folder, s3, syslog or http.

    Where it is stands in the settings alone.
    """

    kind = "delivery.configured"
    target: str
    means: str
    form: str
    configured: bool


@dataclass(frozen=True, kw_only=True)
class DeliveryRetried(Event):
    """Somebody had records that a target refused sent to it again: how many."""

    kind = "delivery.retried"
    target: str
    records: int
