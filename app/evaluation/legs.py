"""Each leg of the product's search on its own, to compare with their fusion: as the subject, in one snapshot."""

from collections.abc import Callable

from app.acl.visible import Visible, visible_scopes
from app.db.session import Database, ReadSession
from app.identity.subject import Subject
from app.indexing.terms import query_terms
from app.retrieval.corpus_size import visible_corpus
from app.retrieval.dense import nearest
from app.retrieval.lexical import match
from app.retrieval.reader import ReaderSnapshot
from app.retrieval.search import Query
from app.scope_index.protocol import NoIndex, VectorIndex

LEGS = ("dense", "exact", "lexical")
Leg = Callable[[ReadSession, Visible, Query], list[int]]


def legs(index: VectorIndex) -> dict[str, Leg]:
    """The legs by name; each gives chunk ids, best first."""
    return dict(zip(LEGS, (_dense(index), _dense(NoIndex()), _lexical), strict=True))


def run(database: Database, subject: Subject, leg: Leg, query: Query) -> list[int]:
    """The chunk ids that a leg finds for a subject, best first, unfiltered, up to the query's limit."""
    with database.reading(subject.user_id) as session:
        return leg(session, visible_scopes(session, subject), query)


def _dense(index: VectorIndex) -> Leg:
    def search(session: ReadSession, visible: Visible, query: Query) -> list[int]:
        reader = ReaderSnapshot(session, visible, visible_corpus(session, visible))
        return [n.chunk_id for n in nearest(reader, index, query.vector, limit=query.limit).near]

    return search


def _lexical(session: ReadSession, visible: Visible, query: Query) -> list[int]:
    return [m.chunk_id for m in match(session, visible, query_terms(query.text), limit=query.limit)]
