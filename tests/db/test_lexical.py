"""The lexical leg: BM25 over the visible rows, to the last bit, and what phrases and exclusions make of it."""

import contextlib
import math
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import pytest
from sqlalchemy import text

from app.acl.visible import Visible, visible_scopes
from app.db.session import Database, ReadSession
from app.indexing.terms import PassageTerms, query_terms
from app.retrieval import phrases
from app.retrieval.bm25 import FIELD_WEIGHTS, K1, B
from app.retrieval.lexical import Match, match
from app.retrieval.phrases import MAX_READ, Conditions, LexicalResult, chunks_meeting, find
from app.retrieval.query_syntax import parse
from ingest.document import DocumentPassage
from ingest.embed import index_passages, terms_of
from ingest.write import NewVersion, write_version
from tests.support.library_db import EMBEDDER, LibraryDb, allow
from tests.support.service import database_at

T = TypeVar("T")


def put(library: LibraryDb, collection: uuid.UUID, documents: Mapping[str, Sequence[DocumentPassage]]) -> None:
    scope = library.scope(collection)
    with library.uploading(collection, {path: (scope, path.encode()) for path in documents}) as (session, jobs):
        for job, (path, passages) in zip(jobs, documents.items(), strict=True):
            write_version(session, job, NewVersion(path, "text/plain", b""), index_passages(passages, EMBEDDER))


class Reader:
    """A person, and a search as the API makes it: in a read-only snapshot, under row-level security."""

    def __init__(self, library: LibraryDb, database: Database) -> None:
        self.id = library.person("ada")
        self._library, self._database = library, database

    def sees(self, do: Callable[[ReadSession, Visible], T]) -> T:
        with self._database.reading(self.id) as session:
            return do(session, visible_scopes(session, self._library.subject(self.id)))

    def matches(self, question: str, limit: int = 20) -> list[Match]:
        return self.sees(lambda session, visible: match(session, visible, query_terms(question), limit=limit))

    def found(self, question: str) -> LexicalResult:
        return self.sees(lambda session, visible: find(session, visible, parse(question), limit=20))


WORDS = ["crane", "gannet", "keel", "rope", "dock", "harbour", "pilot", "tide", "buoy", "anchor", "mast", "sail", "oar"]
WORDS += ["hull", "quay"]
ENTRIES = (
    "select p.document_id, substr(p.entries, 8 * n + 1, 8)::bigint >> 25 as chunk_id, p.term"
    " from posting p, generate_series(0, length(p.entries) / 8 - 1) as n"
)


def passages(rng: random.Random) -> list[DocumentPassage]:
    """Random ones: a few words, each weighed differently, and many equal ones."""
    made, title = [], rng.choice(WORDS)
    for ordinal in range(rng.randint(1, 6)):
        words = " ".join(rng.choices(WORDS, range(1, len(WORDS) + 1), k=rng.choice([3, 3, 8, 30])))
        made.append(DocumentPassage(words, (rng.choice(WORDS),), None, ordinal, 1, title, title))
    return made


def reference(placed: Sequence[tuple[int, PassageTerms]], question: str, limit: int) -> list[Match]:
    """BM25 in plain Python over these passages and nothing else."""
    words = query_terms(question)
    counts = Counter(term for _, found in placed for term in found.counts)
    mean = max(sum(found.length for _, found in placed) / max(len(placed), 1), 1.0)
    weights, shares = [], []
    for word in words:
        df = sum(counts[form] for form in word.forms)
        weights.append(math.log(1 + (len(placed) - df + 0.5) / (df + 0.5)))
        shares.append(weights[-1] if not word.extra and (word.sure or df) else 0.0)
    matches = []
    for chunk, found in placed:
        score, stands = 0.0, 0.0
        for word, weight, share in zip(words, weights, shares, strict=True):
            for form in set(word.forms) & set(found.counts):
                c = found.counts[form]
                tf = sum(w * n for w, n in zip(FIELD_WEIGHTS, (c.title, c.headings, c.body), strict=True))
                score += weight * tf * (K1 + 1) / (tf + K1 * (1 - B + B * found.length / mean))
                stands += share
        if score:
            matches.append(Match(chunk, score, stands / sum(shares)))
    return sorted(matches, key=lambda m: (-m.score, m.chunk_id))[:limit]


@pytest.fixture
def ada(library: LibraryDb, database: Database) -> Reader:
    return Reader(library, database)


QUESTIONS = ["crane", "crane gannet keel", "quay hull", "oar sail mast anchor crane rope", "harbours", "nothing here"]
# The whole word weighs nothing in coverage beside its parts, nor does what may be a stop word and stands nowhere.
QUESTIONS += ["crane-gannet keel", "die crane"]
SYNTAX = ['"quay quay"', '"sail oar hull" crane', '"crane gannet keel" quay', "quay -crane", 'hull -"quay hull"']


def shown(found: LexicalResult) -> tuple[object, ...]:
    """What a search with operators shows, and what it makes of them for other legs."""
    return found.matches, found.conditions, found.unmatched


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_the_visible_passages_alone(library: LibraryDb, ada: Reader, seed: int) -> None:
    """Random worlds: equal to plain Python over what the reader sees; the bits stay when hidden documents come."""
    rng = random.Random(seed)
    mine = [library.collection(f"mine-{n}", allow("user", ada.id)) for n in range(3)]
    other = library.collection("other")
    documents: dict[uuid.UUID, dict[str, list[DocumentPassage]]] = {c: {} for c in (*mine, other)}
    for n in range(30):
        documents[rng.choice([*mine, other])][f"{n}.md"] = passages(rng)
    for collection, made in documents.items():
        put(library, collection, made)
    by_path = {path: made for collection in mine for path, made in documents[collection].items()}
    placing = text("select c.id, d.path, c.ordinal from chunk c join document d on d.id = c.document_id")
    with library.session("owner") as session:
        rows = session.execute(placing).all()
    placed = [(r.id, terms_of(by_path[r.path][r.ordinal])) for r in rows if r.path in by_path]
    before = {question: ada.matches(question) for question in QUESTIONS}
    for question, found in before.items():
        expected = reference(placed, question, 20)
        assert [m.chunk_id for m in found] == [m.chunk_id for m in expected], question
        for ours, theirs in zip(found, expected, strict=True):
            assert (ours.score, ours.coverage) == pytest.approx((theirs.score, theirs.coverage), rel=1e-12, abs=0)
    assert sum(map(len, before.values())) > 40
    bound = [shown(ada.found(question)) for question in SYNTAX]
    flood = [DocumentPassage(" ".join(WORDS * 9), (), None, 0, 1, "crane", "crane")]
    put(library, other, {f"flood-{n}.md": flood for n in range(15)})
    assert {question: ada.matches(question) for question in QUESTIONS} == before
    assert [shown(ada.found(question)) for question in SYNTAX] == bound
    library.run("owner", "delete from document where path = any (:paths)", paths=list(documents[other]))
    assert {question: ada.matches(question) for question in QUESTIONS} == before


def test_what_is_deleted_moved_or_uploaded_again_is_seen_by_the_next_statement(library: LibraryDb, ada: Reader) -> None:
    collection, other = library.collection("mine", allow("user", ada.id)), library.collection("other")
    library.document(collection, "a.md", "the crane", "the crane and the crane")
    library.document(collection, "b.md", "a gannet")
    assert [len(ada.matches(word)) for word in ("crane", "gannet")] == [2, 1]
    library.document(collection, "a.md", "the keel")
    assert [len(ada.matches(word)) for word in ("crane", "keel")] == [0, 1]
    alone = ada.matches("gannet")
    move = "update document set collection_id = :c, scope_id = :s where path = 'a.md'"
    library.run("owner", move, c=other, s=library.scope(other))
    assert ada.matches("keel") == []
    assert ada.matches("gannet") != alone, "fewer passages are visible: another idf"
    library.run("owner", "delete from document where path = 'b.md'")
    assert ada.matches("gannet") == []
    left = f"select string_agg(distinct path, ' ') from ({ENTRIES}) e left join document d on d.id = e.document_id"
    assert library.text(left.replace("path", "coalesce(path, 'gone')")) == "a.md canary"


def test_a_passage_takes_its_own_entries_along(library: LibraryDb, ada: Reader) -> None:
    """Whatever deletes it: those of its neighbours stay, and no row is left without an entry."""
    collection = library.collection("mine", allow("user", ada.id))
    number = library.document(collection, "a.md", "crane gannet", "crane keel", "crane rope")
    library.document(collection, "b.md", "crane sail")
    assert library.run("owner", "delete from chunk where document_id = :d and ordinal = 1", d=number) == 1
    with library.session("owner") as session:
        rows = session.execute(text(f"{ENTRIES} where p.document_id = :d"), {"d": number}).all()
        chunks = set(session.scalars(text("select id from chunk where document_id = :d"), {"d": number}))
    assert {row.chunk_id for row in rows} == chunks
    assert len(rows) == 4
    assert [len(ada.matches(word)) for word in ("keel", "crane")] == [0, 3]


def test_a_document_of_many_passages(library: LibraryDb, ada: Reader) -> None:
    """Its lists have several rows; equal passages come in their order."""
    collection = library.collection("mine", allow("user", ada.id))
    library.document(collection, "a.md", *["the crane"] * 600)
    assert library.value("owner", "select count(*) from posting where document_id > 1") == 3
    found = [m.chunk_id for m in ada.matches("crane", limit=600)]
    assert (found, len(found)) == (sorted(found), 600)
    assert [m.chunk_id for m in ada.matches("crane", limit=10)] == found[:10]


ALL = (
    "Who is on call calls the pilot.",
    "Call on the harbour when the dry dock is full.",
    "The dock is dry, and dry docks are rare.",
    "The policies of the harbour.",
    "The harbour itself.",
)


@pytest.fixture(scope="module")
def reader(shared: LibraryDb) -> Iterator[Reader]:
    """Somebody with passages for phrases, beside one that she does not see."""
    with contextlib.closing(database_at(shared.db.url("app"), pool_size=1)) as database:
        made = Reader(shared, database)
        heads = (("Rota",), ("On call",), ("Max_retry_count",), (), ())
        duty = [
            DocumentPassage(w, h, None, n, 1, "Duty", "Duty") for n, (w, h) in enumerate(zip(ALL, heads, strict=True))
        ]
        put(shared, shared.collection("mine", allow("user", made.id)), {"a.md": duty})
        hidden = [DocumentPassage("A secret handshake on the quay.", (), None, 0, 1)]
        put(shared, shared.collection("other"), {"b.md": hidden})
        yield made


@pytest.mark.parametrize(
    ("question", "texts", "unmatched"),
    [
        ('"on call"', ["Call on", "Who is"], ()),
        ("who is “On-Call” now", ["Who is", "Call on"], ()),
        ('"dry dock"', ["Call on"], ()),
        ('"dry dock" harbour', ["Call on"], ()),
        ('harbour "retry count"', ["The dock"], ()),
        ("harbour -policy", ["The harbour", "Call on"], ()),
        ('harbour -"dry dock"', ["The harbour", "The polic"], ()),
        ('harbour -"the policies"', ["The harbour", "Call on"], ()),
        # Nothing visible has the phrase, or nothing has both: its words count as plain ones.
        ('"harbour dry"', ["The dock", "Call on", "The harbour", "The polic"], (("harbour", "dry"),)),
        ('"secret handshake" harbour', ["The harbour", "The polic", "Call on"], (("secret", "handshake"),)),
        ('"dry dock" "secret handshake"', ["Call on"], (("secret", "handshake"),)),
        ('"the policies" "dry dock"', ["The polic", "The dock", "Call on"], (("the", "policies"), ("dry", "dock"))),
        ('what does "of the" mean for a harbour', ["The harbour", "The polic", "Call on"], (("of", "the"),)),
        ("what is this", [], ()),
    ],
)
def test_phrases_and_exclusions(
    shared: LibraryDb, reader: Reader, question: str, texts: list[str], unmatched: tuple[tuple[str, ...], ...]
) -> None:
    found = reader.found(question)
    of = "select text from chunk where id = :id"
    assert sorted(shared.text(of, id=m.chunk_id) for m in found.matches) == sorted(
        t for t in ALL if t.startswith(tuple(texts) or "?")
    )
    assert found.unmatched == unmatched


@pytest.mark.parametrize(
    ("question", "satisfied"),
    [
        ("harbour", (0, 1, 2, 3, 4)),
        ("harbour -policy", (0, 1, 2, 4)),
        ('harbour -"on call"', (2, 3, 4)),
        ('"dry dock" harbour', (1,)),
        ('"dry dock" harbour -pilot', (1,)),
        ('"secret handshake" harbour', (0, 1, 2, 3, 4)),
    ],
)
def test_what_binds_binds_other_legs_too(
    shared: LibraryDb, reader: Reader, question: str, satisfied: tuple[int, ...]
) -> None:
    """Candidates of another kind, hidden ones and unknown ones among them."""
    with shared.session("owner") as session:
        every = list(session.scalars(text("select id from chunk where id > 1 order by id")))

    def both(session: ReadSession, visible: Visible) -> frozenset[int]:
        found = find(session, visible, parse(question), limit=20)
        kept = chunks_meeting(session, visible, found.conditions, [*every[:5], 10**9])
        assert {m.chunk_id for m in found.matches} <= kept
        if found.conditions.phrases or found.conditions.excluded_phrases:
            assert chunks_meeting(session, visible, found.conditions, every[5:]) == frozenset()
            return kept
        return kept - {10**9}

    assert reader.sees(both) == {every[n] for n in satisfied}


def test_a_phrase_is_found_where_one_of_its_words_is_a_stop_word(library: LibraryDb, ada: Reader) -> None:
    """An English one in a German passage, whose lists lack "die"."""
    mine = library.collection("mine", allow("user", ada.id))
    library.document(mine, "a.md", "Das Teil wird aus die cast zinc, und das ist gut.")
    found = ada.found('what is "die cast"')
    assert found.unmatched == ()
    assert len(found.matches) == 1


def test_work_is_bounded(library: LibraryDb, ada: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phrase whose words stand in very many passages: the best by their words are read, and no more."""
    collection = library.collection("mine", allow("user", ada.id))
    for n in range(3):
        library.document(collection, f"{n}.md", *["a crane and a dock"] * (MAX_READ // 2))
    read: list[int] = []

    def counted(session: ReadSession, visible: Visible, asked: Conditions, chunk_ids: Sequence[int]) -> frozenset[int]:
        read.append(len(chunk_ids))
        return chunks_meeting(session, visible, asked, chunk_ids)

    monkeypatch.setattr(phrases, "chunks_meeting", counted)
    found = ada.found('"dock crane"')
    assert found.unmatched == (("dock", "crane"),)
    assert sum(read) == MAX_READ
    with pytest.raises(ValueError, match="at most 1000"):
        ada.sees(lambda session, visible: chunks_meeting(session, visible, Conditions(), range(MAX_READ + 1)))
    with pytest.raises(ValueError, match="at least one"):
        ada.matches("crane", limit=0)
