"""The pages of the console by who uses them, and a site that has something on each of them."""

from collections.abc import Mapping

from app.client.api import Client
from tests.e2e.browser_site import Site

QUESTION = "How many weeks of parental leave does an employee get?"
PAGES: Mapping[str, tuple[str, ...]] = {
    "ada": (
        "first",
        "search",
        "nothing found",
        "documents",
        "document",
        "conversations",
        "conversation",
        "me",
        "absent",
    ),
    "nora": ("first", "me"),
}


def prepare(site: Site) -> dict[str, str]:
    """Addresses by name: a conversation with an answer, a document, and so on."""
    with Client(site.url, site.company.keys["ada"]) as ada:
        conversation = ada.post("/conversations", {})["id"]
        for mode in ("quote", "generate"):
            ada.post("/ask", {"question": QUESTION, "mode": mode, "conversation": conversation})
    return {
        "first": "/",
        "search": "/search?q=parental+leave",
        "nothing found": '/search?q="no+such+words"',
        "documents": "/documents",
        "document": f"/documents/{site.company.documents['handbook', 'leave.md']}",
        "conversations": "/conversations",
        "conversation": f"/conversations/{conversation}",
        "me": "/me",
        "absent": "/documents/11111111-2222-4333-8444-555555555555",
    }
