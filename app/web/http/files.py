"""Files as they are sent: always saved, never shown by a browser."""

from collections.abc import Iterator
from urllib.parse import quote as percent

from fastapi import Response
from fastapi.responses import StreamingResponse

# Whatever it is, it runs nowhere, and nobody on the way keeps it.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def attachment(file_name: str, content: bytes) -> Response:
    """A file to be saved."""
    return Response(content, headers=_named(file_name), media_type="application/octet-stream")


def streamed_attachment(file_name: str, pieces: Iterator[bytes], *, length: int) -> StreamingResponse:
    """A file of so many bytes to be saved, sent piece by piece: one that breaks off is seen to be no whole file."""
    headers = {**_named(file_name), "Content-Length": str(length)}
    return StreamingResponse(pieces, headers=headers, media_type="application/octet-stream")


def _named(file_name: str) -> dict[str, str]:
    return {**HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{percent(file_name, safe='')}"}
