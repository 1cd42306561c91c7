"""Files that somebody uploaded, as they are sent back: always saved, never shown by a browser."""

from urllib.parse import quote as percent

from fastapi import Response


def attachment(file_name: str, content: bytes) -> Response:
    """A file to be saved. Whatever it is, it runs nowhere, and nobody on the way keeps it."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{percent(file_name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return Response(content, headers=headers, media_type="application/octet-stream")
