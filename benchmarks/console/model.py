"""A language model on loopback that says true sentences word by word, at a pace, and keeps what it said to whom."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.indexing.analysis.sentences import sentences

PASSAGE = re.compile(r"<passage (\d+)>\n.*\n((?:.|\n)*?)\n</passage \1>")
PASSAGES, SENTENCES = 4, 3


@dataclass
class PacedModel:
    """`first` and `between` are seconds before the first word and each further one. `said` has pairs of a prompt and
    what was said to it.
    """

    url: str = ""
    first: float = 0.0
    between: float = 0.0
    said: list[tuple[str, str]] = field(default_factory=list)

    def said_to(self, question: str) -> list[str]:
        """What it said to this question, each time that it was asked."""
        return [text for prompt, text in self.said if question in prompt]


@contextlib.contextmanager
def paced_model() -> Iterator[PacedModel]:
    """A model that answers while the context is open."""
    model = PacedModel()

    class Handler(_Handler):
        told = model

    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        model.url = f"http://127.0.0.1:{server.server_port}/v1"
        yield model
        server.shutdown()


def cited_sentences(prompt: str) -> str:
    """Sentences of the first passages, each with its citation: grounding lets all of it through as it is."""
    said: list[str] = []
    for number, text in sorted((int(number), text) for number, text in PASSAGE.findall(prompt))[:PASSAGES]:
        whole = [s for line in text.split("\n") for s in sentences(line) if s.endswith(".") and len(s.split()) > 4]
        said += [f"{sentence[:-1]} [{number}]." for sentence in whole[:SENTENCES]]
    return " ".join(said) or "The passages do not answer this."


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # many may ask at the same moment
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    told: PacedModel

    def do_GET(self) -> None:
        self._begin("application/json")
        self.wfile.write(json.dumps({"data": [{"id": "scripted", "max_model_len": 32_768}]}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = str(body["messages"][-1]["content"])
        text = cited_sentences(prompt)
        self.told.said.append((prompt, text))
        self._begin("text/event-stream")
        time.sleep(self.told.first)
        for number, word in enumerate(text.split(" ")):
            if number:
                time.sleep(self.told.between)
            self.wfile.write(f"data: {json.dumps(_chunk(f' {word}' if number else word))}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _chunk(piece: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
    return {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [choice]}
