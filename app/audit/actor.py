"""The caller as the log names them."""

from app.audit.events.base import Actor, RecordedService
from app.identity.subject import Subject


def actor(subject: Subject) -> Actor:
    """The caller as the log names them: the person whose rights are used, and beside them the service that asks."""
    via = None
    if subject.via is not None:
        via = RecordedService(
            service=subject.via.service_id, name=subject.via.service, delegation=subject.via.delegation
        )
    return Actor(user=subject.user_id, name=subject.name, key=subject.key_prefix, via=via, address=subject.address)
