"""The product's own searches one by one, to be compared with their fusion: each as the subject, in one snapshot."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.acl.visible import Visible, visible_scopes
from app.db.session import Database, ReadSession
from app.identity.subject import Subject
from app.indexing.terms import query_terms
from app.retrieval.corpus_size import volume
from app.retrieval.dense import nearest
from app.retrieval.lexical import match
from app.retrieval.reader import Seen
from app.scope_index.protocol import Lists, NoLists


@dataclass(frozen=True)
class Asked:
    """A question as the searches take it: its text and its unit vector of shape (dimensions,)."""

    text: str
    vector: NDArray[np.float32]


Leg = Callable[[ReadSession, Visible, Asked, int], list[int]]


def legs(lists: Lists) -> dict[str, Leg]:
    """The searches by name; each gives chunk ids, best first."""
    return {"dense": _dense(lists), "exact": _dense(NoLists()), "lexical": _lexical}


def run(database: Database, subject: Subject, leg: Leg, asked: Asked, *, limit: int) -> list[int]:
    """The chunk ids of the `limit` best passages for a subject, best first, as found: nothing is taken out after."""
    with database.reading(subject.user_id) as session:
        return leg(session, visible_scopes(session, subject), asked, limit)


def _dense(lists: Lists) -> Leg:
    def search(session: ReadSession, visible: Visible, asked: Asked, limit: int) -> list[int]:
        seen = Seen(session, visible, volume(session, visible))
        return [n.chunk_id for n in nearest(seen, lists, asked.vector, limit=limit).near]

    return search


def _lexical(session: ReadSession, visible: Visible, asked: Asked, limit: int) -> list[int]:
    return [m.chunk_id for m in match(session, visible, query_terms(asked.text), limit=limit)]
