"""The caller as the log knows them."""

from app.audit.events.base import Actor, RecordedService
from app.identity.subject import Subject


def actor(subject: Subject) -> Actor:
    """The person whose rights are used, by id alone (names can be erased), and beside them the service that asks."""
    via = None
    if subject.via is not None:
        via = RecordedService(
            service=subject.via.service_id, name=subject.via.service, delegation=subject.via.delegation
        )
    return Actor(user=subject.user_id, key=subject.key_prefix, via=via, address=subject.address)
