"""What must be shown, and where: held against what was. A service that shows nothing to anybody does not pass."""

from app.leak_test.cast import ADMINISTERS, AUDITS, CURATES, DOCUMENTS, LEFT, PEOPLE, Canary
from app.leak_test.results import Tally
from app.leak_test.routes import SYNC
from app.leak_test.setup import Stage
from app.leak_test.surfaces import ASKS, CITED, CONVERSATION, MODEL

# The surfaces that show documents whole, by the places of canaries that they show.
WHOLE = ("title", "heading", "path", "text")
SHOWN: dict[str, tuple[str, ...]] = {
    "POST /search": WHOLE,
    "GET /documents/{document}": WHOLE,
    "GET /documents/{document}/original": ("title", "heading", "text"),
    "GET /documents": ("title", "path"),
    "clearance search": WHOLE,
    "clearance documents show": WHOLE,
    "clearance documents list": ("path",),
}


def must_show(stage: Stage, tally: Tally) -> None:
    """Note each surface on which somebody was not shown what they may see."""
    for person in PEOPLE:
        read = {document.name for document in DOCUMENTS if person in document.readers}
        if read:
            _documents(stage, tally, person, read)
        shelf = [canary for canary in stage.canaries if canary.kind == "shelf" and person in canary.knowers]
        tally.require("GET /collections", person, shelf)
        tally.require("GET /collections/{name}", person, shelf)
    _others(stage, tally)


def _documents(stage: Stage, tally: Tally, person: str, read: set[str]) -> None:
    """All documents in lists and searches, at least one of them in answers."""
    for surface, kinds in SHOWN.items():
        tally.require(surface, person, _of(stage, read, *kinds))
    titles = _of(stage, read, "title")
    for surface in (*ASKS, "clearance ask", CITED):
        if surface not in {*MODEL, CITED} or tally.verdict(surface, person) != "not asked":
            tally.require(surface, person, titles, all_of=False)


def _others(stage: Stage, tally: Tally) -> None:
    """What is shown to those who look after things."""
    paths = _of(stage, {document.name for document in DOCUMENTS}, "path")
    for surface in ("GET /documents", "GET /jobs", SYNC, "clearance documents list"):
        tally.require(surface, CURATES, paths)
    for person in (CURATES, ADMINISTERS):
        tally.require("GET /collections/{name}/folders", person, [c for c in stage.canaries if c.kind == "folder"])
        tally.require("GET /access/plans", person, [c for c in stage.canaries if c.of.startswith("plan")])
    ids = [canary for canary in stage.canaries if canary.kind == "id" and canary.of.startswith("document ")]
    for surface in ("GET /audit/events", "GET /audit/export"):
        tally.require(surface, AUDITS, ids, all_of=False)
    tally.require(CONVERSATION, LEFT, [canary for canary in stage.canaries if canary.kind == "question"])


def _of(stage: Stage, documents: set[str], *kinds: str) -> list[Canary]:
    return [canary for canary in stage.canaries if canary.kind in kinds and canary.of in documents]
