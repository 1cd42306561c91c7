"""A language model on loopback that copies: true sentences with right, wrong and missing citations, in turn.

What it says is known, so the figures of a run with it are those of everything around the model.
"""

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.indexing.analysis.sentences import sentences

PASSAGE = re.compile(r"<passage (\d+)>\n.*\n((?:.|\n)*?)\n</passage \1>")
SENTENCES = 4


@contextlib.contextmanager
def scripted_endpoint() -> Iterator[str]:
    """The base URL of the endpoint."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def scripted_answer(prompt: str) -> str:
    """One sentence of each of the first passages: of four, two are cited rightly, one wrongly, and one not at all."""
    passages = {int(number): text for number, text in PASSAGE.findall(prompt)}
    said = []
    for turn, (number, text) in zip(range(SENTENCES), itertools.cycle(sorted(passages.items())), strict=False):
        whole = [s for line in text.split("\n") for s in sentences(line) if s.endswith(".") and len(s.split()) > 4]
        if whole:
            wrong = next((n for n in passages if n != number), number)
            cited = {2: f" [{wrong}]", 3: ""}.get(turn, f" [{number}]")
            said.append(whole[min(turn // max(len(passages), 1), len(whole) - 1)][:-1] + f"{cited}.")
    return " ".join(dict.fromkeys(said)) or "The passages do not answer this."


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._send("application/json", json.dumps({"data": [{"id": "scripted", "max_model_len": 32_768}]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = scripted_answer(body["messages"][-1]["content"])
        chunks = [answer[at : at + 5] for at in range(0, len(answer), 5)]
        events = (
            {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "scripted",
             "choices": [{"index": 0, "delta": {"content": chunk}, "finish_reason": None}]}
            for chunk in chunks
        )  # fmt: skip
        stream = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self._send("text/event-stream", f"{stream}data: [DONE]\n\n")

    def _send(self, kind: str, body: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        pass
