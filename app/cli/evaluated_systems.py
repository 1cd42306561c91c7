"""Loads a dataset into a scratch service, and ranks its documents by each system that an evaluation compares.

The systems are the product's search over HTTP, each of its legs alone, and bm25s as a baseline. Each question is asked
as the person of its role.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from app.cli.progress import progress_bar, upload_progress
from app.client.access_file import Tags
from app.client.api import ApiError, Client, path
from app.client.errors import UserError
from app.client.upload import UploadItem, UploadOutcome, upload
from app.db.engine import connect
from app.db.session import Database, Signer
from app.embedding.factory import build_embedder
from app.embedding.protocol import EmbeddingModel
from app.evaluation import baselines
from app.evaluation.datasets import Dataset, Question
from app.evaluation.legs import legs, run
from app.evaluation.report import PRODUCT, SystemRankings
from app.identity.authenticate import identify
from app.identity.subject import Subject
from app.indexing.quantizer import quantizer_for
from app.local.scratch_instance import ScratchInstance
from app.retrieval.search import Query
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import NoIndex, VectorIndex
from app.settings import EmbedderSettings

Asked = TypeVar("Asked")
COLLECTION, CURATOR = "evaluation", "curator"
MAX_HITS = 50  # the most that the API takes as a limit
EMBEDDER_PREFIX = "CLEARANCE_EMBEDDER__"


class NotIngested(UserError):
    """Documents of the dataset failed; without them a measurement would be wrong."""


@dataclass(frozen=True)
class LoadedDataset:
    """A service with the dataset in it. `keys` has the key of one person for each role."""

    service: ScratchInstance
    dataset: Dataset
    keys: Mapping[str, str] = field(repr=False)

    @cached_property
    def ids(self) -> dict[str, str]:
        """Document ids of the dataset by upload path."""
        return {p.path: p.id for p in self.dataset.pages}

    def document_id(self, path: str) -> str:
        """The dataset's id of an upload path; a path outside the dataset stands for itself and counts as a leak."""
        return self.ids.get(path, path)


def load_dataset(service: ScratchInstance, dataset: Dataset, scratch: Path) -> LoadedDataset:
    """Create roles, people and rules, upload every document, and wait until each is indexed. Safe to repeat."""
    keys = {}
    with Client(service.api_url, service.admin_key) as admin:
        for role in dataset.roles:
            _create(admin, "/roles", {"name": role})
        _create(admin, "/collections", {"name": COLLECTION, "label": "internal"})
        for role in dataset.roles:
            keys[role] = _create_person(admin, f"asks-{role}"[:63], "ask")
            for member in {role, dataset.common or role}:
                admin.put(path("roles", member, "members", f"asks-{role}"[:63]))
        curator = _create_person(admin, CURATOR, "curate")
        admin.put(path("collections", COLLECTION, "curators", CURATOR))
    with Client(service.api_url, curator) as client, upload_progress(len(dataset.pages)) as on_end:
        outcomes = upload(client, _items(dataset, scratch), on_end=on_end)
    _require_all(outcomes)
    return LoadedDataset(service, dataset, keys)


def rank_by_search(site: LoadedDataset, questions: Sequence[Question]) -> SystemRankings:
    document = {id_: site.document_id(path) for id_, path in site.service.documents().items()}
    clients = {role: Client(site.service.api_url, key) for role, key in site.keys.items()}
    rankings, copies = [], []
    try:
        for question in with_progress(questions, PRODUCT):
            hits = clients[question.role].post("/search", {"query": question.text, "limit": MAX_HITS})["hits"]
            rankings.append(tuple(document[hit["document"]] for hit in hits))
            copies.append(tuple(document[copy["document"]] for hit in hits for copy in hit["copies"]))
    finally:
        for client in clients.values():
            client.close()
    return SystemRankings(PRODUCT, tuple(rankings), tuple(copies))


def rank_by_legs(
    site: LoadedDataset, questions: Sequence[Question], embedder: EmbeddingModel, chosen: Sequence[str]
) -> list[SystemRankings]:
    """Rank by legs of the product's search alone, in this process, under the same row-level security."""
    service = site.service
    document = {chunk: site.document_id(path) for chunk, path in service.passages().items()}
    database = Database(
        connect(service.urls["clearance_app"], pool_size=2),
        Signer(service.identity_key, seconds=60),
        statement_timeout_ms=60_000,
    )
    lists = _lists(service, embedder.dimensions)
    try:
        subjects = {role: _subject(database, key) for role, key in site.keys.items()}
        asked = [
            Query(q.text, embedder.embed_query(q.text), MAX_HITS, languages=embedder.languages)
            for q in with_progress(questions, "embedding")
        ]
        systems = []
        for name, leg in ((name, leg) for name, leg in legs(lists).items() if name in chosen):
            pairs = zip(with_progress(questions, name), asked, strict=True)
            chunks = (run(database, subjects[q.role], leg, a) for q, a in pairs)
            systems.append(
                SystemRankings(name, tuple(tuple(document[chunk] for chunk in ranking) for ranking in chunks))
            )
        return systems
    finally:
        lists.close()
        database.engine.dispose()


def rank_by_bm25s(dataset: Dataset, questions: Sequence[Question]) -> SystemRankings:
    """Rank by bm25s, with one index for each role over what that role may read."""
    indexes = {}
    rankings = []
    for question in with_progress(questions, baselines.NAME):
        if question.role not in indexes:
            readable = dataset.readable(question.role)
            indexes[question.role] = baselines.Bm25sIndex([p for p in dataset.pages if p.id in readable])
        rankings.append(tuple(indexes[question.role].rank(question.text, MAX_HITS)))
    return SystemRankings(baselines.NAME, tuple(rankings))


def configured_embedder(environ: Mapping[str, str], home: Path) -> EmbeddingModel:
    """The embedder that the environment configures, as the service builds it; weights are cached in `home`."""
    options = {
        name.removeprefix(EMBEDDER_PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(EMBEDDER_PREFIX)
    }
    settings = EmbedderSettings.model_validate({"cache": home / "models", **options})
    return build_embedder(
        kind=settings.kind,
        name=settings.name,
        threads=settings.threads,
        cache=settings.cache,
        languages=settings.languages,
    )


def _lists(service: ScratchInstance, dimensions: int) -> VectorIndex:
    """The scope lists, loaded; none where vectors of this length have no codes."""
    quantizer = quantizer_for(dimensions)
    if quantizer is None:
        return NoIndex()
    lists = ScopeIndex(CodeReader(connect(service.urls["clearance_search"], pool_size=2), quantizer), quantizer)
    lists.load()
    return lists


def _subject(database: Database, key: str) -> Subject:
    with database.anonymous() as session:
        return identify(session, key)


def _create_person(admin: Client, name: str, capability: str) -> str:
    """Create somebody with one capability, and return a key of theirs."""
    _create(admin, "/users", {"name": name, "capabilities": [capability]})
    return str(admin.post("/keys", {"user": name, "capabilities": [capability]})["secret"])


def _create(admin: Client, place: str, body: dict[str, Any]) -> None:
    """Create something, unless it exists from an earlier run."""
    try:
        admin.post(place, body)
    except ApiError as error:
        if error.code != "Conflict":
            raise


def _items(dataset: Dataset, scratch: Path) -> list[UploadItem]:
    """Write the documents that are not empty to files, each tagged with its role."""
    items = []
    for page in (p for p in dataset.pages if p.content):
        file = scratch / page.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(page.content)
        items.append(UploadItem(file, COLLECTION, page.path, Tags(roles=(page.role,), label="")))
    return items


def _require_all(outcomes: Sequence[UploadOutcome]) -> None:
    failed = sorted((o for o in outcomes if o.state == "failed"), key=lambda o: o.item.path)
    if failed:
        first = failed[0]
        raise NotIngested(
            f"{len(failed)} of {len(outcomes)} documents could not be read, {first.item.path} for one: {first.reason}"
        )


def with_progress(questions: Sequence[Asked], description: str) -> Iterator[Asked]:
    """The questions, with a bar or lines that say how many were asked."""
    with progress_bar(description, len(questions)) as advance:
        for question in questions:
            yield question
            advance(1)
