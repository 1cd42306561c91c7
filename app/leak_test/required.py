"""What must be shown, and where. A service that shows nothing to anybody does not pass."""

from app.leak_test.canaries import Canary
from app.leak_test.cast import ADMINISTERS, AUDITS, CURATES, DOCUMENTS, LEFT, PEOPLE
from app.leak_test.probe_run import ASKS, CITED, CONVERSATION, MODEL
from app.leak_test.results import ProbeResults
from app.leak_test.routes import SYNC
from app.leak_test.setup import Setup

# The surfaces that show documents whole, by the places of canaries that they show.
COMMAND_ASK = "clearance ask"
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


def check_shown(setup: Setup, results: ProbeResults, *, commands: bool = True) -> None:
    """Note each surface on which somebody was not shown what they may see; of commands, if they were run."""
    if not commands:
        for surface in (*SHOWN, COMMAND_ASK):
            for person in PEOPLE if surface.startswith("clearance ") else ():
                results.waive(surface, person)
    for person in PEOPLE:
        read = {document.name for document in DOCUMENTS if person in document.readers}
        if read:
            _documents(setup, results, person, read)
        collection = [canary for canary in setup.canaries if canary.kind == "collection" and person in canary.knowers]
        results.require_shown("GET /collections", person, collection)
        results.require_shown("GET /collections/{name}", person, collection)
    _others(setup, results)


def _documents(setup: Setup, results: ProbeResults, person: str, read: set[str]) -> None:
    """All documents in lists and searches, at least one of them in answers."""
    for surface, kinds in SHOWN.items():
        results.require_shown(surface, person, _of(setup, read, *kinds))
    titles = _of(setup, read, "title")
    for surface in (*ASKS, COMMAND_ASK, CITED):
        if surface not in {*MODEL, CITED} or results.verdict(surface, person) != "not asked":
            results.require_shown(surface, person, titles, all_of=False)


def _others(setup: Setup, results: ProbeResults) -> None:
    """What is shown to those who look after things."""
    paths = _of(setup, {document.name for document in DOCUMENTS}, "path")
    lists = ("GET /documents", "GET /collections/{name}/documents", "GET /jobs")
    for surface in (*lists, SYNC, "clearance documents list"):
        results.require_shown(surface, CURATES, paths)
    for person in (CURATES, ADMINISTERS):
        results.require_shown(
            "GET /collections/{name}/folders", person, [c for c in setup.canaries if c.kind == "folder"]
        )
        results.require_shown("GET /access/plans", person, [c for c in setup.canaries if c.of.startswith("plan")])
    ids = [canary for canary in setup.canaries if canary.kind == "id" and canary.of.startswith("document ")]
    for surface in ("GET /audit/events", "GET /audit/export"):
        results.require_shown(surface, AUDITS, ids, all_of=False)
    results.require_shown(CONVERSATION, LEFT, [canary for canary in setup.canaries if canary.kind == "question"])


def _of(setup: Setup, documents: set[str], *kinds: str) -> list[Canary]:
    return [canary for canary in setup.canaries if canary.kind in kinds and canary.of in documents]
