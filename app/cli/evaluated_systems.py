"""Brings a dataset into a running service as its curator would, and asks as the people who would."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.console import err
from app.cli.ingest import progress
from app.client.access_file import Tags
from app.client.api import ApiError, Client, path
from app.client.errors import UserError
from app.client.upload import Item, Outcome, upload
from app.db.session import Database, Signer, connect
from app.embedding.factory import build_embedder
from app.embedding.protocol import EmbeddingModel
from app.evaluation import baselines
from app.evaluation.datasets import Dataset, Question
from app.evaluation.legs import Asked, Leg, legs, run
from app.evaluation.report import PRODUCT, Ranked
from app.identity.authenticate import identify
from app.identity.subject import Subject
from app.indexing.quantizer import codebook
from app.local.scratch_instance import Temporary
from app.scope_index.database_reader import StoredCodes
from app.scope_index.index import ScopeLists
from app.scope_index.protocol import Lists, NoLists
from app.settings import EmbedderSettings

SHELF, CURATOR = "evaluation", "curator"
# The most that one search gives.
PASSAGES = 50
EMBEDDER = "CLEARANCE_EMBEDDER__"


class NotIngested(UserError):
    """Documents of the dataset could not be brought in: a measurement without them would say nothing."""


@dataclass(frozen=True)
class Site:
    """A service that holds the dataset. `keys` are those of a person for each role."""

    service: Temporary
    dataset: Dataset
    keys: Mapping[str, str] = field(repr=False)

    @cached_property
    def ids(self) -> dict[str, str]:
        """Document ids by the paths that they were uploaded under."""
        return {p.path: p.id for p in self.dataset.pages}

    def document(self, place: str) -> str:
        """The id of the document at a path; one that is not the dataset's is nobody's to see: itself."""
        return self.ids.get(place, place)


def bring_in(service: Temporary, dataset: Dataset, scratch: Path) -> Site:
    """Make roles, people and rules, upload every document, and wait until each is indexed. Safe to do again."""
    keys = {}
    with Client(service.api_url, service.admin_key) as admin:
        for role in dataset.roles:
            _made(admin, "/roles", {"name": role})
        _made(admin, "/collections", {"name": SHELF, "label": "internal"})
        for role in dataset.roles:
            keys[role] = _person(admin, f"asks-{role}"[:63], "ask")
            for member in {role, dataset.common or role}:
                admin.put(path("roles", member, "members", f"asks-{role}"[:63]))
        curator = _person(admin, CURATOR, "curate")
        admin.put(path("collections", SHELF, "curators", CURATOR))
    with Client(service.api_url, curator) as client, progress(len(dataset.pages)) as ended:
        outcomes = upload(client, _items(dataset, scratch), ended=ended)
    _require_all(outcomes)
    return Site(service, dataset, keys)


def searched(site: Site, questions: Sequence[Question]) -> Ranked:
    """The product's search over HTTP, each question as the person of its role."""
    document = {id_: site.document(place) for id_, place in site.service.documents().items()}
    clients = {role: Client(site.service.api_url, key) for role, key in site.keys.items()}
    rankings, beside = [], []
    try:
        for question in _shown(questions, PRODUCT):
            hits = clients[question.role].post("/search", {"query": question.text, "limit": PASSAGES})["hits"]
            rankings.append(tuple(document[hit["document"]] for hit in hits))
            beside.append(tuple(document[copy["document"]] for hit in hits for copy in hit["copies"]))
    finally:
        for client in clients.values():
            client.close()
    return Ranked(PRODUCT, tuple(rankings), tuple(beside))


def searched_by_legs(site: Site, questions: Sequence[Question], embedder: EmbeddingModel) -> list[Ranked]:
    """Each search of the product alone, in this process, under the same row-level security."""
    service = site.service
    document = {chunk: site.document(place) for chunk, place in service.passages().items()}
    database = Database(
        connect(service.urls["clearance_app"], pool_size=2),
        Signer(service.identity_key, seconds=60),
        statement_timeout_ms=60_000,
    )
    lists = _lists(service, embedder.dimensions)
    try:
        subjects = {role: _subject(database, key) for role, key in site.keys.items()}
        asked = [Asked(q.text, embedder.embed_query(q.text)) for q in _shown(questions, "embedding")]
        found = []
        for name, leg in legs(lists).items():
            ask = _asking(database, subjects, leg)
            pairs = zip(_shown(questions, name), asked, strict=True)
            found.append(Ranked(name, tuple(tuple(document[c] for c in ask(q, a)) for q, a in pairs)))
        return found
    finally:
        lists.close()
        database.engine.dispose()


def searched_outside(site: Site, questions: Sequence[Question]) -> Ranked:
    """bm25s, for each role over what that role may read."""
    indexes = {}
    rankings = []
    for question in _shown(questions, baselines.NAME):
        if question.role not in indexes:
            seen = site.dataset.readable(question.role)
            indexes[question.role] = baselines.OutsideIndex([p for p in site.dataset.pages if p.id in seen])
        rankings.append(tuple(indexes[question.role].rank(question.text, PASSAGES)))
    return Ranked(baselines.NAME, tuple(rankings))


def embedder_of(environ: Mapping[str, str], home: Path) -> EmbeddingModel:
    """The embedder that the service uses as well."""
    given = {name.removeprefix(EMBEDDER).lower(): value for name, value in environ.items() if name.startswith(EMBEDDER)}
    options = EmbedderSettings.model_validate({"cache": home / "models", **given})
    return build_embedder(kind=options.kind, name=options.name, threads=options.threads, cache=options.cache)


def _lists(service: Temporary, dimensions: int) -> Lists:
    """The scope lists, loaded; none where vectors of this length have no codes."""
    book = codebook(dimensions)
    if book is None:
        return NoLists()
    lists = ScopeLists(StoredCodes(connect(service.urls["clearance_search"], pool_size=2), book), book)
    lists.load()
    return lists


def _asking(database: Database, subjects: Mapping[str, Subject], leg: Leg) -> Callable[[Question, Asked], list[int]]:
    return lambda question, asked: run(database, subjects[question.role], leg, asked, limit=PASSAGES)


def _subject(database: Database, key: str) -> Subject:
    with database.anonymous() as session:
        return identify(session, key)


def _person(admin: Client, name: str, capability: str) -> str:
    """A key of somebody with one capability."""
    _made(admin, "/users", {"name": name, "capabilities": [capability]})
    return str(admin.post("/keys", {"user": name, "capabilities": [capability]})["secret"])


def _made(admin: Client, place: str, body: dict[str, Any]) -> None:
    """Make something, unless it is there from an earlier run."""
    try:
        admin.post(place, body)
    except ApiError as error:
        if error.code != "Conflict":
            raise


def _items(dataset: Dataset, scratch: Path) -> list[Item]:
    """The documents that hold anything as files, each tagged with its role."""
    items = []
    for page in (p for p in dataset.pages if p.content):
        file = scratch / page.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(page.content)
        items.append(Item(file, SHELF, page.path, Tags(roles=(page.role,), label="")))
    return items


def _require_all(outcomes: Sequence[Outcome]) -> None:
    failed = sorted((o for o in outcomes if o.state == "failed"), key=lambda o: o.item.path)
    if failed:
        first = failed[0]
        raise NotIngested(
            f"{len(failed)} of {len(outcomes)} documents could not be read, {first.item.path} for one: {first.reason}"
        )


@contextmanager
def _bar(total: int, what: str) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def _shown(questions: Sequence[Question], what: str) -> Iterator[Question]:
    """The questions, with a bar that moves on."""
    with _bar(len(questions), what) as moved:
        for question in questions:
            yield question
            moved()
