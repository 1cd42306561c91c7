"""A page of somebody else, on this machine too, whose forms and scripts ride on a session here."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from playwright.sync_api import Page

HOSTILE = """<!doctype html><title>hostile</title>
<form id=link method=post action="{site}/sign-in/link"><input name=token value="{token}"></form>
<form id=out method=post action="{site}/sign-out"><input name=csrf value=""></form>
<form id=keys method=post action="{site}/api/v1/keys" enctype="text/plain"><input name='{{"x' value='":1}}'></form>
<form id=page method=post action="{site}/me/keys"><input name=label value=planted><input name=csrf value=""></form>
<script>
async function ride(method, path, headers, mode) {{
  try {{
    const answer = await fetch("{site}" + path, {{ method, headers, mode, credentials: "include" }});
    return answer.type === "opaque" ? "opaque" : String(answer.status);
  }} catch (error) {{ return error.name; }}
}}
</script>"""
FORMS = ("link", "page", "keys", "out")


class _Hostile(http.server.BaseHTTPRequestHandler):
    page: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def hostile(host: str, **words: str) -> Iterator[str]:
    """The address of such a page at this host; `site` is where its forms go, `token` what a link holds."""
    handler = type("Page", (_Hostile,), {"page": HOSTILE.format(**words).encode()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Sent:
    """A form of such a page, how it was answered, and whether the browser sent our cookie along."""

    form: str
    status: int
    with_cookie: bool


def submitted(page: Page, address: str) -> list[Sent]:
    """Open the page, and submit each of its forms from there."""
    found = []
    for form in FORMS:
        page.goto(address)
        with page.expect_navigation(), page.expect_response(lambda r: r.request.method == "POST") as waiting:
            page.evaluate(f"document.getElementById('{form}').submit()")
        cookies = waiting.value.request.all_headers().get("cookie", "")
        found.append(Sent(form, waiting.value.status, "clearance" in cookies))
    return found


def let_in(sent: list[Sent]) -> list[str]:
    """The forms that were not refused."""
    return [f"{each.form}: {each.status}" for each in sent if each.status not in {401, 403}]
