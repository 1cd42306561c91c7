"""One SCIM request: read, normalised, handled in its transaction, and answered; and the answers to what was refused.

Imported with the first of them (`entry`): the library and its models take a sixth of the API's start.
"""

import json
from typing import Any

from fastapi import Request, Response
from scim2_models import InvalidValueException, Resource, SCIMException
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from app.admin.directory_keeping import DirectoryKeeper
from app.admin.refusals import RECORDED, record_refused
from app.answer.components import Components
from app.db.session import ReadSession, WriteSession
from app.errors import AppError
from app.identity.subject import Subject
from app.web.scim.media import PREFIX, SCIM_MEDIA_TYPE
from app.web.scim.provider import scim_provider
from app.web.scim.quirks import UnclearRemoval, normalize
from app.web.scim.storage import SourceStorage

# PostgreSQL keeps no NUL, and no name has one.
NUL = (b"\\u0000", b"\x00")


class DirectoryService(ScimService):
    """The protocol for one request. `refused`: what the steps of a bulk request were refused, for the record."""

    def __init__(self) -> None:
        super().__init__(scim_provider())
        self.refused: list[AppError] = []

    def bulk_failure(self, outcome: dict[str, Any], exception: Exception) -> dict[str, Any]:
        if isinstance(exception.__cause__, RECORDED):
            self.refused.append(exception.__cause__)
        return super().bulk_failure(outcome, exception)

    def apply_replacement(
        self, current: Resource[Any], replacement: Resource[Any], conditions: Conditions
    ) -> Resource[Any] | None:
        """An absent `active` stays what it is: nobody is switched on by leaving it out."""
        if getattr(replacement, "active", True) is None:
            replacement = replacement.model_copy(update={"active": getattr(current, "active", None)})
        return super().apply_replacement(current, replacement, conditions)

    def patch_response(self, base_url: str, resource: Resource[Any], response_parameters: Any) -> ScimResponse:
        """People are given back, as Okta wants them; of a group nothing, which may have thousands of members."""
        answer = super().patch_response(base_url, resource, response_parameters)
        if answer.body is not None or resource.meta is None or resource.meta.resource_type != "User":
            return answer
        return self.replacement_response(base_url, resource, response_parameters)


class ScimExchange:
    """A request in its transaction. Called, it is handled and gives the answer; what is refused is raised."""

    def __init__(
        self, request: Request, body: bytes, session: ReadSession | WriteSession, subject: Subject, parts: Components
    ) -> None:
        self._request, self._body, self._parts = request, body, parts
        self._session, self._subject = session, subject

    def __call__(self) -> Response:
        service = DirectoryService()
        answer = ScimHandler(service, self._storage()).handle(self._read())
        if service.refused and isinstance(self._session, WriteSession):
            route = f"{self._request.method} {self._request.scope['route'].path}"
            record_refused(self._session, self._subject, route, service.refused)
        return _response(answer)

    def _storage(self) -> SourceStorage:
        if not isinstance(self._session, WriteSession):
            return SourceStorage(self._session, self._subject)
        keeper = DirectoryKeeper(self._session, self._subject, self._parts.sealer)
        several = self._request.url.path.endswith("/Bulk")
        return SourceStorage(self._session, self._subject, keeper, several)

    def _read(self) -> ScimRequest:
        request = self._request
        path = request.url.path.partition(PREFIX)[2]
        query = dict(request.query_params)
        if any(nul in self._body.lower() for nul in NUL) or any("\x00" in value for value in query.values()):
            raise InvalidValueException(detail="A value holds a NUL character.")
        try:
            body = normalize(request.method, path, self._body)
        except UnclearRemoval as error:
            raise InvalidValueException(detail=str(error)) from error
        return ScimRequest(
            method=request.method,
            base_url=f"{self._parts.settings.public_url}{PREFIX}",
            path=path,
            query=query,
            headers=request.headers.items(),
            body=body,
            subject=self._subject,
        )


def answer_refusal(error: SCIMException) -> Response:
    """What the library says of a request that it refuses."""
    return _response(ScimService(scim_provider()).error_response(error))


def _response(answer: ScimResponse) -> Response:
    content = b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False).encode()
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-type"}
    media = SCIM_MEDIA_TYPE if answer.body is not None else None
    return Response(content, int(answer.status), headers, media_type=media)
