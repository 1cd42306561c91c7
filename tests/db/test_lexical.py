"""The lexical leg: BM25 over the visible rows, to the last bit, and what phrases and exclusions make of it."""

import math
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import text

from app.acl.visible import Visible
from app.db.session import Database, ReadSession
from app.indexing.terms import PassageTerms, query_terms
from app.retrieval import phrases
from app.retrieval.bm25 import FIELD_WEIGHTS, K1, B
from app.retrieval.lexical import Match, match
from app.retrieval.phrases import MAX_READ, Conditions, chunks_meeting, find
from app.retrieval.query_syntax import parse
from ingest.document import DocumentPassage
from ingest.embed import terms_of
from tests.db.lexical_reader import Reader, put
from tests.support.library_db import LibraryDb, allow

WORDS = ["crane", "gannet", "keel", "rope", "dock", "harbour", "pilot", "tide", "buoy", "anchor", "mast", "sail", "oar"]
WORDS += ["hull", "quay"]
T = TypeVar("T")
ENTRIES = (
    "select p.document_id, substr(p.entries, 8 * n + 1, 8)::bigint >> 25 as chunk_id, p.term"
    " from posting p, generate_series(0, length(p.entries) / 8 - 1) as n"
)


def passages(rng: random.Random, *, title: str, most: int = 6) -> list[DocumentPassage]:
    """Random ones: a few words, each weighed differently, and many equal ones."""
    made = []
    for ordinal in range(rng.randint(1, most)):
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


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_the_visible_passages_alone(library: LibraryDb, ada: Reader, seed: int) -> None:
    """Random worlds: equal to plain Python over what the reader sees; the bits stay when hidden documents come."""
    rng = random.Random(seed)
    mine = [library.collection(f"mine-{n}", allow("user", ada.id)) for n in range(3)]
    other = library.collection("other")
    documents = [(f"{n}.md", passages(rng, title=rng.choice(WORDS)), rng.choice([*mine, other])) for n in range(30)]
    for path, made, collection in documents:
        put(library, collection, path, made)
    with library.session("owner") as session:
        rows = session.execute(text(
            "select c.id, d.path, c.ordinal from chunk c join document d on d.id = c.document_id"
        )).all()  # fmt: skip
    by_path = {path: (made, collection) for path, made, collection in documents}
    mine_alone = [r for r in rows if r.path in by_path and by_path[r.path][1] != other]
    placed = [(r.id, terms_of(by_path[r.path][0][r.ordinal])) for r in mine_alone]
    before = {question: ada.matches(question) for question in QUESTIONS}
    for question, found in before.items():
        expected = reference(placed, question, 20)
        assert [m.chunk_id for m in found] == [m.chunk_id for m in expected], question
        assert [m.score for m in found] == pytest.approx([m.score for m in expected], rel=1e-12, abs=0)
        assert [m.coverage for m in found] == pytest.approx([m.coverage for m in expected], rel=1e-12, abs=0)
    assert sum(map(len, before.values())) > 40
    bound = {question: ada.bound(question) for question in SYNTAX}
    for n in range(15):
        put(library, other, f"flood-{n}.md", [DocumentPassage(" ".join(WORDS * 9), (), None, 0, 1, "crane", "crane")])
    assert {question: ada.matches(question) for question in QUESTIONS} == before
    assert {question: ada.bound(question) for question in SYNTAX} == bound
    for path, _, collection in documents:
        if collection == other:
            library.run("owner", "delete from document where path = :path", path=path)
    assert {question: ada.matches(question) for question in QUESTIONS} == before


def test_what_is_deleted_moved_or_uploaded_again_is_seen_by_the_next_statement(library: LibraryDb, ada: Reader) -> None:
    collection, other = library.collection("mine", allow("user", ada.id)), library.collection("other")
    library.document(collection, "a.md", "the crane", "the crane and the crane")
    library.document(collection, "b.md", "a gannet")
    assert len(ada.matches("crane")) == 2
    assert len(ada.matches("gannet")) == 1
    library.document(collection, "a.md", "the keel")
    assert ada.matches("crane") == []
    assert len(ada.matches("keel")) == 1
    alone = ada.matches("gannet")
    library.run("owner", "update document set collection_id = :c, scope_id = :s where path = 'a.md'",
              c=other, s=library.scope(other))  # fmt: skip
    assert ada.matches("keel") == []
    assert ada.matches("gannet") != alone, "fewer passages are visible: another idf"
    library.run("owner", "delete from document where path = 'b.md'")
    assert ada.matches("gannet") == []
    with library.session("owner") as session:
        left = session.execute(
            text(f"{ENTRIES} where p.document_id <> (select id from document where path = 'canary')")
        )
        assert {row.document_id for row in left} == {
            library.value("owner", "select id from document where path = 'a.md'")
        }


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
    assert ada.matches("keel") == []
    assert len(ada.matches("crane")) == 3


def test_a_document_of_many_passages(library: LibraryDb, ada: Reader) -> None:
    """Its lists have several rows; equal passages come in their order."""
    collection = library.collection("mine", allow("user", ada.id))
    library.document(collection, "a.md", *["the crane"] * 600)
    assert library.value("owner", "select count(*) from posting where document_id > 1") == 3
    found = [m.chunk_id for m in ada.matches("crane", limit=600)]
    assert found == sorted(found)
    assert len(found) == 600
    assert [m.chunk_id for m in ada.matches("crane", limit=10)] == found[:10]


def test_row_level_security_holds_alone(library: LibraryDb, ada: Reader) -> None:
    """A filter that lets every scope through shows no more."""
    library.document(library.collection("other"), "a.md", "the crane stands")
    library.document(library.collection("mine", allow("user", ada.id)), "b.md", "the crane")
    with library.session("owner") as session:
        every = tuple(session.scalars(text("select id from scope order by id")))

    def widened(session: ReadSession, visible: Visible) -> tuple[int, int, frozenset[int]]:
        wide = replace(visible, scope_ids=every)
        chunks = list(session.scalars(text("select generate_series(1, 50)")))
        conditions = Conditions(phrases=(("crane",),))
        return (
            len(match(session, wide, query_terms("crane"), limit=9)),
            len(find(session, wide, parse('"the crane"'), limit=9).matches),
            chunks_meeting(session, wide, conditions, chunks),
        )

    matched, found, satisfied = ada.sees(widened)
    assert (matched, found, len(satisfied)) == (1, 1, 1)


ALL = (
    "Who is on call calls the pilot.",
    "Call on the harbour when the dry dock is full.",
    "The dock is dry, and dry docks are rare.",
    "The policies of the harbour.",
    "The harbour itself.",
)


@pytest.fixture
def collection(library: LibraryDb, ada: Reader) -> uuid.UUID:
    """A collection with passages for phrases, and one that the reader does not see."""
    collection = library.collection("mine", allow("user", ada.id))
    heads = [("Duty", ("Rota",)), ("Duty", ("On call",)), ("Duty", ("Max_retry_count",)), ("Duty", ()), ("Duty", ())]
    made = [
        DocumentPassage(words, headings, None, n, 1, title, title)
        for n, (words, (title, headings)) in enumerate(zip(ALL, heads, strict=True))
    ]
    put(library, collection, "a.md", made)
    put(
        library,
        library.collection("other"),
        "b.md",
        [DocumentPassage("A secret handshake on the quay.", (), None, 0, 1)],
    )
    return collection


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
    ada: Reader, collection: uuid.UUID, question: str, texts: list[str], unmatched: tuple[tuple[str, ...], ...]
) -> None:
    found = ada.found(question)
    assert sorted(t for t in ada.texts(found)) == sorted(t for t in ALL if t.startswith(tuple(texts) or "?"))
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
    library: LibraryDb, ada: Reader, collection: uuid.UUID, question: str, satisfied: tuple[int, ...]
) -> None:
    """Candidates of another kind, hidden ones and unknown ones among them."""
    with library.session("owner") as session:
        every = list(session.scalars(text("select id from chunk where id > 1 order by id")))

    def both(session: ReadSession, visible: Visible) -> frozenset[int]:
        found = find(session, visible, parse(question), limit=20)
        kept = chunks_meeting(session, visible, found.conditions, [*every[:5], 10**9])
        assert {m.chunk_id for m in found.matches} <= kept
        if found.conditions.phrases or found.conditions.excluded_phrases:
            assert chunks_meeting(session, visible, found.conditions, every[5:]) == frozenset()
            return kept
        return kept - {10**9}

    assert ada.sees(both) == {every[n] for n in satisfied}


def test_a_phrase_is_found_where_one_of_its_words_is_a_stop_word(library: LibraryDb, ada: Reader) -> None:
    """An English one in a German passage, whose lists lack "die"."""
    library.document(
        library.collection("mine", allow("user", ada.id)), "a.md", "Das Teil wird aus die cast zinc, und das ist gut."
    )
    found = ada.found('what is "die cast"')
    assert found.unmatched == ()
    assert len(found.matches) == 1


def test_work_is_bounded(library: LibraryDb, ada: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phrase whose words stand in very many passages: the best by their words are read, and no more."""
    collection = library.collection("mine", allow("user", ada.id))
    for n in range(3):
        library.document(collection, f"{n}.md", *["a crane and a dock"] * (MAX_READ // 2))
    read: list[int] = []

    def counted(
        session: ReadSession, visible: Visible, conditions: Conditions, chunk_ids: Sequence[int]
    ) -> frozenset[int]:
        read.append(len(chunk_ids))
        return chunks_meeting(session, visible, conditions, chunk_ids)

    monkeypatch.setattr(phrases, "chunks_meeting", counted)
    found = ada.found('"dock crane"')
    assert found.unmatched == (("dock", "crane"),)
    assert sum(read) == MAX_READ
    with pytest.raises(ValueError, match="at most 1000"):
        ada.sees(lambda session, visible: chunks_meeting(session, visible, Conditions(), range(MAX_READ + 1)))
    with pytest.raises(ValueError, match="at least one"):
        ada.matches("crane", limit=0)
