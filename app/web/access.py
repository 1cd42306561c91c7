"""Who calls, what they may do, and the transaction they act in: the dependencies of all routes."""

import uuid
from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.acl.policy import need
from app.acl.rules import Capability, Subject
from app.acl.subject import identify
from app.answer.parts import Parts
from app.db.session import ReadSession, WriteSession
from app.errors import NotFound, NotSignedIn
from app.web.limits import KeyLimits

# The tag of routes that have the rate of bulk work.
BULK = "curation"


def parts_of(request: Request) -> Parts:
    """The parts of this service."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]


bearer = HTTPBearer(auto_error=False, scheme_name="API key", description="An API key: clr_…")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def caller(request: Request, parts: PartsOf, given: Bearer) -> Iterator[Subject]:
    """The verified caller, holding one of the key's slots until the response is sent, also when it streams."""
    if given is None:
        raise NotSignedIn
    with parts.database.anonymous() as session:
        subject = identify(session, given.credentials)
    limits: KeyLimits = request.app.state.limits
    with limits.slot(subject.key_id, bulk=BULK in getattr(request.scope.get("route"), "tags", ())):
        yield subject


Caller = Annotated[Subject, Depends(caller)]


def having(capability: Capability) -> Callable[[Subject], Subject]:
    """A dependency: the caller, who has this capability."""

    def check(subject: Caller) -> Subject:
        need(subject, capability)
        return subject

    return check


Asker = Annotated[Subject, Depends(having(Capability.ASK))]
Downloader = Annotated[Subject, Depends(having(Capability.DOWNLOAD))]
CuratorCaller = Annotated[Subject, Depends(having(Capability.CURATE))]
Administrator = Annotated[Subject, Depends(having(Capability.ADMINISTER))]
Auditor = Annotated[Subject, Depends(having(Capability.AUDIT))]


def reading(subject: Caller, parts: PartsOf) -> Iterator[ReadSession]:
    """One read-only snapshot as the caller."""
    with parts.database.reading(subject.user_id) as session:
        yield session


def writing(subject: Caller, parts: PartsOf) -> Iterator[WriteSession]:
    """One transaction as the caller."""
    with parts.database.writing(subject.user_id) as session:
        yield session


# scope="function": the transaction ends before the response begins. With the default a failed commit would still reach
# the client as a 200.
Reading = Annotated[ReadSession, Depends(reading, scope="function")]
Writing = Annotated[WriteSession, Depends(writing, scope="function")]


def public_id(text: str) -> uuid.UUID:
    """A public id from a path; what is none is not there."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound from None
