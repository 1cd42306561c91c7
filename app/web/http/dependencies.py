"""Who calls, what they may do, and the transaction they act in: the dependencies of all routes.

What only looks at the request is `async`, though it waits for nothing: for anything else a thread is taken.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.acl.change_guard import guard_change
from app.admin.audit_log import AuditLog
from app.admin.leak_test_runs import LeakTestRuns
from app.admin.log_exports import LogExports
from app.admin.openings import OpeningPolicy, Openings
from app.admin.replay import PromptReplays
from app.answer.components import Components
from app.answer.replay import rebuild_prompt
from app.answer.running import RunningAnswers
from app.db.session import ReadSession, WriteSession
from app.errors import MissingCapability, NotFound, NotSignedIn
from app.guardrail.redactor import Redactor
from app.identity.subject import Capability, Subject, require_capability, require_in_person, require_person
from app.web.http.credentials import Cookies
from app.web.http.route_table import SUBJECT


async def parts_of(request: Request) -> Components:
    parts: Components = request.app.state.parts
    return parts


ComponentsOf = Annotated[Components, Depends(parts_of)]


async def leak_tests_of(request: Request) -> LeakTestRuns:
    """What starts leak tests in this process."""
    found: LeakTestRuns = request.app.state.leak_tests
    return found


LeakTestsOf = Annotated[LeakTestRuns, Depends(leak_tests_of)]


async def log_exports_of(request: Request) -> LogExports:
    """What makes exports of the log in this process."""
    found: LogExports = request.app.state.log_exports
    return found


LogExportsOf = Annotated[LogExports, Depends(log_exports_of)]


async def running_of(request: Request) -> RunningAnswers:
    """The answers that this process is making."""
    found: RunningAnswers = request.app.state.running
    return found


RunningOf = Annotated[RunningAnswers, Depends(running_of)]


def cookies_of(request: Request) -> Cookies:
    """The names of our cookies, and where the service is reached."""
    found: Cookies = request.app.state.cookies
    return found


CookiesOf = Annotated[Cookies, Depends(cookies_of)]


bearer = HTTPBearer(
    auto_error=False, scheme_name="API key", description="An API key (clr_…), or an access token of a provider"
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
OnBehalfOf = Annotated[
    list[str] | None,
    Header(alias="Clearance-On-Behalf-Of", description="with a service's key: the token (cld_…) of a person"),
]


async def caller(request: Request, _key: Bearer, _on_behalf_of: OnBehalfOf = None) -> Subject:
    """The caller whom the authentication middleware has verified; without it nobody is anybody.

    The parameters are there for the API's description: the middleware has read them, and once is enough.
    """
    subject = _verified(request)
    require_person(subject)
    return subject


def _verified(request: Request) -> Subject:
    subject: Subject | None = request.scope.get(SUBJECT)
    if subject is None:
        raise NotSignedIn
    return subject


async def provisioner(request: Request, _key: Bearer) -> Subject:
    """The service that keeps the people and roles of one source: the only caller of the routes for that."""
    subject = _verified(request)
    if subject.provisions is None:
        raise MissingCapability("This is for a service that keeps the people of a source, with a key that may do so.")
    require_capability(subject, Capability.PROVISION)
    return subject


Provisioner = Annotated[Subject, Depends(provisioner)]


# The caller, or the person for whom a service asks: only for what people may delegate, which is to read and to ask.
CallerOrDelegate = Annotated[Subject, Depends(caller)]


async def in_person(subject: CallerOrDelegate) -> Subject:
    """The caller in person: a route is closed to services unless it says CallerOrDelegate."""
    require_in_person(subject)
    return subject


Caller = Annotated[Subject, Depends(in_person)]


def requires(capability: Capability, who: Callable[..., Awaitable[Subject]]) -> Callable[[Subject], Awaitable[Subject]]:
    """A dependency: what `who` gives, if it has this capability."""

    async def check(subject: Annotated[Subject, Depends(who)]) -> Subject:
        require_capability(subject, capability)
        return subject

    return check


def requires_any(*capabilities: Capability) -> Callable[[Subject], Awaitable[Subject]]:
    """A dependency: the caller in person, who has one of these capabilities."""

    async def check(subject: Caller) -> Subject:
        if not subject.capabilities.intersection(capabilities):
            raise MissingCapability
        return subject

    return check


AskerOrDelegate = Annotated[Subject, Depends(requires(Capability.ASK, caller))]
DownloaderOrDelegate = Annotated[Subject, Depends(requires(Capability.DOWNLOAD, caller))]
Downloader = Annotated[Subject, Depends(requires(Capability.DOWNLOAD, in_person))]
Asker = Annotated[Subject, Depends(requires(Capability.ASK, in_person))]
CuratorCaller = Annotated[Subject, Depends(requires(Capability.CURATE, in_person))]
Administrator = Annotated[Subject, Depends(requires(Capability.ADMINISTER, in_person))]
Auditor = Annotated[Subject, Depends(requires(Capability.AUDIT, in_person))]
Eraser = Annotated[Subject, Depends(requires(Capability.ERASE, in_person))]
ErasureReader = Annotated[Subject, Depends(requires_any(Capability.ERASE, Capability.AUDIT))]
Revealer = Annotated[Subject, Depends(requires(Capability.REVEAL, in_person))]
HoldPlacer = Annotated[Subject, Depends(requires(Capability.HOLD, in_person))]
Desk = Annotated[Subject, Depends(requires_any(Capability.HOLD, Capability.ERASE, Capability.AUDIT))]


async def audit_log_of(subject: Auditor, parts: ComponentsOf) -> AuditLog:
    """The log as its auditor."""
    return AuditLog(parts.database, parts.sealer, subject, Redactor(parts.redaction))


AuditLogOf = Annotated[AuditLog, Depends(audit_log_of)]


async def replays_of(log: AuditLogOf, parts: ComponentsOf) -> PromptReplays:
    """What makes the prompts of answers again, as their askers, and compares them."""
    return PromptReplays(
        log, partial(rebuild_prompt, parts.database, dimensions=parts.embedder.dimensions, checks=parts.checks)
    )


ReplaysOf = Annotated[PromptReplays, Depends(replays_of)]


async def openings_of(log: AuditLogOf, parts: ComponentsOf) -> Openings:
    """The openings of sealed words, under the policy of the settings."""
    settings = parts.settings.audit
    return Openings(log, OpeningPolicy(settings.opening_needs_second, settings.opening_hours))


OpeningsOf = Annotated[Openings, Depends(openings_of)]


async def word_openings_of(openings: OpeningsOf) -> Openings:
    """The same for who may open words."""
    require_capability(openings.log.subject, Capability.OPEN)
    return openings


WordOpeningsOf = Annotated[Openings, Depends(word_openings_of)]


async def export_openings_of(openings: OpeningsOf) -> Openings:
    """The same for who may export the log."""
    require_capability(openings.log.subject, Capability.EXPORT)
    return openings


ExportOpeningsOf = Annotated[Openings, Depends(export_openings_of)]


def reading(subject: CallerOrDelegate, parts: ComponentsOf) -> Iterator[ReadSession]:
    """One read-only snapshot as the caller, or as the person for whom a service asks."""
    with parts.database.reading(subject.user_id) as session:
        yield session


def writing(subject: Caller, parts: ComponentsOf) -> Iterator[WriteSession]:
    with parts.database.writing(subject.user_id) as session:
        yield session


# scope="function": the transaction ends before the response begins. With the default a failed commit would still reach
# the client as a 200.
Reading = Annotated[ReadSession, Depends(reading, scope="function")]
Writing = Annotated[WriteSession, Depends(writing, scope="function")]


def changing(subject: Caller, session: Writing) -> WriteSession:
    """One transaction as the caller in person that changes who may read or do what: guarded until it is committed."""
    guard_change(session, subject)
    return session


Changing = Annotated[WriteSession, Depends(changing, scope="function")]


def provisioning(subject: Provisioner, parts: ComponentsOf) -> Iterator[WriteSession]:
    """One transaction as a provisioning service: guarded until it is committed."""
    with parts.database.writing(subject.user_id) as session:
        guard_change(session, subject)
        yield session


Provisioning = Annotated[WriteSession, Depends(provisioning, scope="function")]


def reading_source(subject: Provisioner, parts: ComponentsOf) -> Iterator[ReadSession]:
    """One read-only snapshot as a provisioning service."""
    with parts.database.reading(subject.user_id) as session:
        yield session


SourceReading = Annotated[ReadSession, Depends(reading_source, scope="function")]


def record_number(text: str) -> int:
    """The number of a record of the log, from a path; what is none is not there."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NotFound
    return int(text)


def public_id(text: str) -> uuid.UUID:
    """A public id from a path; what is none is not there."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound from None
