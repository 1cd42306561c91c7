"""A client that hangs up in the middle of an answer."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx

from tests.support.company import Company
from tests.support.questions import ON_LEAVE


@contextlib.contextmanager
def hanging_up(url: str, company: Company, *, after: bytes, **options: Any) -> Iterator[None]:
    """A client that asks, reads until `after` has come, and is gone at the end."""
    body, headers = {"question": ON_LEAVE, "stream": True, **options}, company.headers("ben")
    with httpx.stream("POST", f"{url}/api/v1/ask", json=body, headers=headers, timeout=20, trust_env=False) as answer:
        read = b""
        pieces = answer.iter_raw()
        while after not in read:
            read += next(pieces)
        yield
