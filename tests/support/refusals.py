"""Files of refusals, and guard models behind a real HTTP server that say what a test wants."""

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.refusals.kept import KeptRules
from tests.support.http_stub import Request, http_stub, status

EXAMPLES = tuple(
    f"{how} the {what} of the harbour {where}"
    for how in ("Please paint", "I want to see")
    for what in ("old ships", "grey cranes", "long quays", "high masts", "small boats")
    for where in ("at dawn", "in winter")
)
# Lets the models that hang go on.
ENDED = threading.Event()


def written(folder: Path, text: str) -> Path:
    """A file of refusals with `version: 1` before this text."""
    path = folder / "refusals.yaml"
    path.write_text(f"version: 1\n{text}", "utf-8")
    return path


def kept(folder: Path, text: str) -> KeptRules:
    return KeptRules(written(folder, text), seconds=3600)


class Guard:
    """A guard model that notes what it was asked. `says` is its answer: JSON, or what is sent as it stands."""

    def __init__(self, says: Any = None, *, code: int = 200, hangs: bool = False, drips: bool = False) -> None:
        self.says, self.code, self.hangs, self.drips = says, code, hangs, drips
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []
        self.url = ""

    def answer(self, request: Request) -> None:
        self.asked.append((request.path, json.loads(request.body), request.headers.get("Authorization")))
        if self.hangs:
            ENDED.wait(20)
        if self.drips:
            request.send_response(200)
            request.end_headers()
            while not ENDED.wait(0.02):
                request.wfile.write(b" ")
                request.wfile.flush()
            return
        body = self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()
        headers = {"Location": "/elsewhere"} if self.code == 302 else {}
        status(self.code, body, **headers)(request)

    @property
    def texts(self) -> list[str]:
        """All that it was sent, as text."""
        return [json.dumps(body, ensure_ascii=False) for _, body, _ in self.asked]


@contextlib.contextmanager
def standing(guard: Guard) -> Iterator[Guard]:
    ENDED.clear()
    with http_stub(guard.answer) as url:
        guard.url = url
        yield guard
        ENDED.set()


def llama(content: str) -> dict[str, Any]:
    """An answer of an OpenAI-compatible API with this content."""
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}
