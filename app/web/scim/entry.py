"""Where a SCIM request comes in: with its transaction, and with the library only once there is a request."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from app.answer.components import Components
from app.db.session import ReadSession, WriteSession
from app.identity.subject import Subject
from app.web.http.dependencies import ComponentsOf, Provisioner, Provisioning, SourceReading
from app.web.http.problems import keep_refusal


class ScimRefused(Exception):
    """What the library refused, as its cause; its own error has a class that is known only once it is imported."""


class ScimEntry:
    """A request in its transaction. Called, in a thread, it is handled and gives the answer. Raises ScimRefused."""

    def __init__(
        self, request: Request, body: bytes, session: ReadSession | WriteSession, subject: Subject, parts: Components
    ) -> None:
        self._request, self._body, self._parts = request, body, parts
        self._session, self._subject = session, subject

    def __call__(self) -> Response:
        # For SCIM requests alone.
        from scim2_models import SCIMException  # noqa: PLC0415

        from app.web.scim.exchange import ScimExchange  # noqa: PLC0415

        try:
            return ScimExchange(self._request, self._body, self._session, self._subject, self._parts)()
        except SCIMException as error:
            raise ScimRefused from error


async def raw_body(request: Request) -> bytes:
    """The body as it came: the media type is SCIM's, and the library reads it."""
    return await request.body()


RawBody = Annotated[bytes, Depends(raw_body)]


def changing_exchange(
    request: Request, subject: Provisioner, session: Provisioning, parts: ComponentsOf, body: RawBody
) -> ScimEntry:
    return ScimEntry(request, body, session, subject, parts)


def reading_exchange(
    request: Request, subject: Provisioner, session: SourceReading, parts: ComponentsOf, body: RawBody
) -> ScimEntry:
    return ScimEntry(request, body, session, subject, parts)


ChangingExchange = Annotated[ScimEntry, Depends(changing_exchange, scope="function")]
ReadingExchange = Annotated[ScimEntry, Depends(reading_exchange, scope="function")]


def install(app: FastAPI) -> None:
    """Let the application answer what SCIM refuses, behind the transaction that is rolled back by it."""
    app.add_exception_handler(ScimRefused, _on_refused)


def _on_refused(request: Request, refused: Exception) -> Response:
    """In a thread, for the record of a refused change."""
    from scim2_models import SCIMException  # noqa: PLC0415  # as above

    from app.web.scim.exchange import answer_refusal  # noqa: PLC0415

    error = refused.__cause__
    if not isinstance(error, SCIMException):
        raise refused
    keep_refusal(request, error.__cause__)
    return answer_refusal(error)
