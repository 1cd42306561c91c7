"""An HTTP server on loopback whose answers a test writes."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Request(BaseHTTPRequestHandler):
    """A GET or POST with its body, to which an `Answer` writes the reply; who asked may be gone by then."""

    answer: "Answer"
    body: bytes

    def do_GET(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with contextlib.suppress(OSError):
            self.answer(self)

    do_POST = do_GET  # noqa: N815  # the name that http.server calls

    def log_message(self, format: str, *arguments: object) -> None:
        pass


Answer = Callable[[Request], None]


@contextlib.contextmanager
def http_stub(answer: Answer) -> Iterator[str]:
    """The URL of a server that gives these answers."""
    handler = type("Handler", (Request,), {"answer": staticmethod(answer)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def status(code: int, body: bytes = b"{}", **headers: str) -> Answer:
    """A plain answer, which ends with the connection."""

    def answer(request: Request) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer
