"""Lists, page by page."""

from typing import Any

from fastapi.testclient import TestClient


def every(client: TestClient, path: str, headers: dict[str, str], limit: int) -> list[Any]:
    """All items of a list, asked for in pages of this size."""
    found: list[Any] = []
    query = f"{'&' if '?' in path else '?'}limit={limit}"
    while query:
        answer = client.get(path + query, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        page = page if isinstance(page, list) else page.get("events", page.get("turns"))
        assert len(page) <= limit
        found += page
        query = answer.links.get("next", {}).get("url", "")
        path = path.partition("?")[0]
    return found
