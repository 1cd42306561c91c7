"""The witness over HTTP (c2sp.org/tlog-witness): `POST /add-checkpoint`. Nothing of the service runs in it.

Who asks is not asked for: what is signed depends on the log's own signature, and on nothing else.
"""

import time

import uvicorn
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import log
from app.evidence.signed_note import BadNote
from app.evidence.witness import MAX_REQUEST_BYTES, Witness, WitnessRefused, WitnessRequest

SIZE_TYPE = "text/x.tlog.size"


def build(witness: Witness) -> Starlette:
    """The application of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_REQUEST_BYTES:
                return PlainTextResponse("The request is too long.\n", 413)
        try:
            asked = WitnessRequest.parse(body.decode())
            signature = await run_sync(lambda: witness.add(asked, moment=int(time.time())))
        except (BadNote, UnicodeDecodeError) as error:
            return PlainTextResponse(f"{error}\n", 400)
        except WitnessRefused as refused:
            log.get().warning("witness.refused", status=refused.status, origin=asked.checkpoint.origin,
                              size=asked.checkpoint.head.size, reason=str(refused))  # fmt: skip
            if refused.size is not None:
                return Response(f"{refused.size}\n", refused.status, media_type=SIZE_TYPE)
            return PlainTextResponse(f"{refused}\n", refused.status)
        log.get().info("witness.signed", origin=asked.checkpoint.origin, size=asked.checkpoint.head.size)
        return PlainTextResponse(str(signature))

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def serve(witness: Witness, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvicorn.run(build(witness), host=host, port=port, log_config=None, access_log=False, server_header=False)
