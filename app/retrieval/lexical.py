"""BM25 whose statistics are counted over the visible rows alone, so that no frequency betrays a hidden document."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Float, Integer

from app.acl.visible import Visible
from app.db.session import ReadSession

# The usual constants: how fast repeated terms saturate, and how much length counts.
K1, B = 1.2, 0.75

SCOPES = bindparam("scopes", type_=ARRAY(Integer))
TERMS = bindparam("terms", type_=ARRAY(BigInteger))

# How many visible passages there are, and how long they are in all.
VOLUME = text(
    "select count(*) as passages, coalesce(sum(terms), 0) as terms from vector_row where scope_id = any (:scopes)"
).bindparams(SCOPES)

# In how many visible passages each term stands.
FREQUENCIES = text(
    "select term, count(*) as df from posting where term = any (:terms) and scope_id = any (:scopes) group by term"
).bindparams(TERMS, SCOPES)

# BM25 over visible postings. Sums run in the order of the terms, so that equal worlds give equal floats.
BEST = text(
    """
    select p.chunk_id,
           sum(w.idf * p.tf * (:k1 + 1) / (p.tf + :k1 * (1 - :b + :b * v.terms / :mean)) order by p.term) as score,
           sum(w.idf order by p.term) as matched
    from posting p
    join unnest(cast(:terms as bigint[]), cast(:idfs as float8[])) as w (term, idf) on w.term = p.term
    join vector_row v on v.chunk_id = p.chunk_id
    where p.term = any (:terms) and p.scope_id = any (:scopes) and v.scope_id = any (:scopes)
    group by p.chunk_id
    order by score desc, p.chunk_id
    limit :limit
    """
).bindparams(
    TERMS,
    SCOPES,
    bindparam("idfs", type_=ARRAY(Float)),
    *(bindparam(name, type_=Float) for name in ("k1", "b", "mean")),
)


@dataclass(frozen=True)
class Match:
    """A chunk, its BM25 score, and the share of the query's weight that stands in it, from 0 to 1."""

    chunk_id: int
    score: float
    coverage: float


def match(session: ReadSession, visible: Visible, query: Iterable[int], *, limit: int) -> list[Match]:
    """The `limit` best visible chunks for a query of term hashes, best first, ties by id."""
    terms = sorted(set(query))
    if not terms or not visible.scope_ids:
        return []
    scopes = list(visible.scope_ids)
    volume = session.execute(VOLUME, {"scopes": scopes}).one()
    if not volume.passages:
        return []
    found = {row.term: row.df for row in session.execute(FREQUENCIES, {"terms": terms, "scopes": scopes})}
    idfs = [math.log(1 + (volume.passages - df + 0.5) / (df + 0.5)) for df in (found.get(t, 0) for t in terms)]
    rows = session.execute(
        BEST,
        {
            "terms": terms,
            "idfs": idfs,
            "scopes": scopes,
            "limit": limit,
            "k1": K1,
            "b": B,
            "mean": max(volume.terms / volume.passages, 1.0),
        },
    )
    whole = math.fsum(idfs)
    return [Match(row.chunk_id, row.score, row.matched / whole) for row in rows]
