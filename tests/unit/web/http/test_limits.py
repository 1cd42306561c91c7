"""The limits of a key and of a body, without a server: a bucket, a count, a watch."""

import contextlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.errors import AppError, TooManyRequests
from app.settings import ApiSettings
from app.web.http import limits
from app.web.http.limits import BodyLimit, KeyLimits, UploadSlots
from app.web.http.route_table import Pace
from tests.support.clock import Clock

KEY, OTHER = uuid.uuid4(), uuid.uuid4()
BUCKETS: tuple[tuple[uuid.UUID, Pace], ...] = ((KEY, "ordinary"), (OTHER, "ordinary"), (KEY, "bulk"), (KEY, "page"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(limits, "time", made)
    return made


def use(key_limits: KeyLimits, key: uuid.UUID = KEY, *, pace: Pace = "ordinary") -> None:
    with key_limits.slot(key, pace=pace):
        pass


def test_a_burst_then_the_rate(clock: Clock) -> None:
    of_key = KeyLimits(ApiSettings(rate_per_minute=60, burst=3))
    for _ in range(3):
        use(of_key)
    with pytest.raises(TooManyRequests) as refused:
        use(of_key)
    assert refused.value.headers["Retry-After"] in {"1", "2"}
    clock.now += int(refused.value.headers["Retry-After"])
    use(of_key)
    clock.now += 3600
    for _ in range(3):
        use(of_key)
    with pytest.raises(TooManyRequests):
        use(of_key)  # an idle hour saves up no more than a burst


@pytest.mark.parametrize("rate", [1, 7, 60, 119, 600])
def test_who_waits_as_told_is_let_in(clock: Clock, rate: int) -> None:
    of_key = KeyLimits(ApiSettings(rate_per_minute=rate, burst=1))
    for _ in range(5):
        use(of_key)
        with pytest.raises(TooManyRequests) as refused:
            use(of_key)
        clock.now += int(refused.value.headers["Retry-After"])


def test_a_refused_request_costs_nothing(clock: Clock) -> None:
    of_key = KeyLimits(ApiSettings(rate_per_minute=60, burst=1))
    use(of_key)
    for _ in range(10):
        with pytest.raises(TooManyRequests):
            use(of_key)
    clock.now += 1.0
    use(of_key)


def test_keys_and_kinds_of_work_do_not_share(clock: Clock) -> None:
    of_key = KeyLimits(ApiSettings(rate_per_minute=60, bulk_rate_per_minute=60, page_rate_per_minute=60, burst=1))
    for key, pace in BUCKETS:
        use(of_key, key, pace=pace)
    for key, pace in BUCKETS:
        with pytest.raises(TooManyRequests):
            use(of_key, key, pace=pace)


def test_slots_are_given_back_also_after_an_error(clock: Clock) -> None:
    of_key = KeyLimits(ApiSettings(concurrent=2, burst=100))
    with of_key.slot(KEY, pace="ordinary"), of_key.slot(KEY, pace="ordinary"):
        with pytest.raises(TooManyRequests, match="2 requests in progress"):
            use(of_key)
        use(of_key, OTHER)
    with contextlib.suppress(ZeroDivisionError), of_key.slot(KEY, pace="ordinary"):
        raise ZeroDivisionError
    with of_key.slot(KEY, pace="ordinary"), of_key.slot(KEY, pace="ordinary"):
        pass


def test_many_threads_never_pass_the_count() -> None:
    of_key = KeyLimits(ApiSettings(concurrent=3, burst=10_000, rate_per_minute=60_000))
    inside: list[int] = []
    counts: list[int] = []

    def run(_: int) -> None:
        with contextlib.suppress(TooManyRequests), of_key.slot(KEY, pace="ordinary"):
            inside.append(1)
            counts.append(len(inside))
            time.sleep(0)
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(400)))
    assert max(counts) <= 3
    assert inside == []


def test_of_many_keys_one_with_a_running_request_is_never_forgotten(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_KEYS", 64)
    of_key = KeyLimits(ApiSettings(burst=2, rate_per_minute=60, concurrent=1))
    with of_key.slot(KEY, pace="ordinary"):
        for _ in range(1000):
            clock.now += 0.01
            use(of_key, uuid.uuid4())
        with pytest.raises(TooManyRequests, match="1 requests in progress"):
            use(of_key)
    assert len(of_key._table) <= 64  # what is left in memory is the point


async def drain(_: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the whole body and, as frameworks do, makes an error of its own of any failure."""
    code = 200
    try:
        while (await receive()).get("more_body"):
            pass
    except Exception:  # noqa: BLE001  # that is what it stands for
        code = 400
    await send({"type": "http.response.start", "status": code, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def send_body(
    pieces: list[bytes], *, declared: int | None = None, delay: float = 0.0, upload: bool = True
) -> tuple[int, int]:
    """The status, and how many pieces were read."""
    limit = BodyLimit(drain, settings=ApiSettings(max_body_mb=1, request_seconds=0.3), upload=upload)
    sent: list[Message] = []
    left = list(pieces)

    async def receive() -> Message:
        await anyio.sleep(delay)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    try:
        anyio.run(limit, {"type": "http", "headers": headers}, receive, send)
    except AppError as error:
        assert sent == []  # what the application made of the refused body is not sent
        return error.status, len(pieces) - len(left)
    [start] = [m for m in sent if m["type"] == "http.response.start"]
    return start["status"], len(pieces) - len(left)


HALF = b"x" * (512 * 1024)


SMALL = b"x" * (32 * 1024)


@pytest.mark.parametrize(
    ("pieces", "declared", "upload", "outcome"),
    [
        ([HALF, HALF], None, True, (200, 2)),
        ([HALF, HALF], 2 * len(HALF), True, (200, 2)),
        # A declared length above the limit is refused unread; without one, or with a false one, it is counted.
        ([HALF, HALF, b"x"], 2 * len(HALF) + 1, True, (413, 0)),
        ([HALF, HALF, b"x", HALF, HALF], None, True, (413, 3)),
        ([HALF, HALF, b"x", HALF], 10, True, (413, 3)),
        # What is no upload may be small alone.
        ([SMALL, SMALL], None, False, (200, 2)),
        ([SMALL, SMALL, b"x", HALF], None, False, (413, 3)),
        ([HALF], len(HALF), False, (413, 0)),
    ],
)
def test_a_body_is_read_up_to_its_limit(
    pieces: list[bytes], declared: int | None, upload: bool, outcome: tuple[int, int]
) -> None:
    assert send_body(pieces, declared=declared, upload=upload) == outcome


def test_uploads_at_once_are_bounded_and_nothing_else_is() -> None:
    slots = UploadSlots(1)
    with slots.slot(needed=True):
        with pytest.raises(TooManyRequests, match="1 uploads"), slots.slot(needed=True):
            pass
        with slots.slot(needed=False):
            pass
    with contextlib.suppress(ZeroDivisionError), slots.slot(needed=True):
        raise ZeroDivisionError
    with slots.slot(needed=True):
        pass


def test_a_slow_body_is_refused() -> None:
    status, read = send_body([b"x"] * 20, delay=0.05)
    assert status == 400
    assert read < 10
