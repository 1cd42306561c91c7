"""Delivers to an HTTP collector: a POST of lines for each batch, acknowledged by any status from 200 to 299."""

import httpx2

from app.audit.delivery.addresses import DeliveryAddress
from app.audit.delivery.batch import Batch
from app.audit.delivery.target import ContentRefused, TargetUnavailable, read_secret, tls_context

# Said of what was sent. Any other status says something of the collector, or of how we are set up: a wrong key or path
# must not put the whole log aside, record by record.
ABOUT_CONTENT = frozenset({400, 413, 422})
TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
TYPES = {"jsonl": "application/x-ndjson", "ocsf": "application/x-ndjson", "cef": "text/plain; charset=utf-8"}


class HttpTarget:
    """A collector at a URL. `header` among its files holds one line, 'Name: value', such as its key."""

    def __init__(self, address: DeliveryAddress) -> None:
        self._address = address

    def send(self, batch: Batch) -> None:
        """POST its lines. Its name in `Idempotency-Key` is the same whenever it is sent."""
        headers = {
            "Content-Type": TYPES[batch.form],
            "Idempotency-Key": batch.key,
            "Clearance-Records": f"{batch.first}-{batch.last}",
            **self._secret_header(),
        }
        verify = tls_context(self._address.files)
        try:
            with (
                httpx2.Client(timeout=TIMEOUT, verify=verify, trust_env=True, follow_redirects=False) as client,
                client.stream("POST", self._address.where, content=batch.lines, headers=headers) as answer,
            ):
                # What it says beside is not read: it may be of any length, and hold what we sent.
                status = answer.status_code
        except httpx2.HTTPError as error:
            raise TargetUnavailable(type(error).__name__) from error
        if status in ABOUT_CONTENT:
            raise ContentRefused(f"HTTP {status}")
        if not 200 <= status < 300:
            raise TargetUnavailable(f"HTTP {status}")

    def _secret_header(self) -> dict[str, str]:
        if (file := self._address.files.get("header")) is None:
            return {}
        name, colon, value = read_secret(file).partition(":")
        if not colon or not name.strip() or "\n" in value:
            raise TargetUnavailable(f"{file.name} is no line 'Name: value'")
        return {name.strip(): value.strip()}
