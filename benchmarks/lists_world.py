"""A million vectors in the product's own tables, under Zipf-sized scopes, and callers who see a share of them."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import make_url

from app.db.bootstrap import libpq
from app.indexing.quantizer import Codebook

SHARES = (1.0, 0.3, 0.1, 0.01, 0.001, 0.0001)
# Rows of vector_row as PostgreSQL's binary COPY has them, `width` bytes of code and `dimensions` half floats.
COLUMNS = "chunk_id, scope_id, terms, embedding, code"
BATCH = 20_000


@dataclass(frozen=True)
class Caller:
    """Who asks, and the share of all passages that they may read."""

    user: uuid.UUID
    share: float
    scopes: int
    passages: int


def blended(texts: NDArray[np.float32], n: int, *, seed: int) -> Iterator[NDArray[np.float32]]:
    """`n` unit vectors as real texts have them, in batches: each between two near neighbours, with noise."""
    rng = np.random.default_rng(seed)
    near = np.empty((len(texts), 8), np.int64)
    for start in range(0, len(texts), 1_000):
        near[start : start + 1_000] = np.argsort(-(texts[start : start + 1_000] @ texts.T), 1)[:, 1:9]
    dimensions = texts.shape[1]
    for start in range(0, n, BATCH):
        count = min(BATCH, n - start)
        one = rng.integers(0, len(texts), count)
        other = near[one, rng.integers(0, 8, count)]
        weight = rng.uniform(0, 0.5, (count, 1)).astype(np.float32)
        noise = rng.standard_normal((count, dimensions)).astype(np.float32) * np.float32(0.35 / dimensions**0.5)
        made = texts[one] * (1 - weight) + texts[other] * weight + noise
        yield made / np.linalg.norm(made, axis=1, keepdims=True)


def zipf_scopes(n: int, scopes: int, *, seed: int) -> NDArray[np.int64]:
    """The scope (0, 1, …) of each passage: sizes fall as 1 / rank, places are random."""
    weights = 1 / np.arange(1, scopes + 1)
    rng = np.random.default_rng(seed)
    return rng.permutation(
        np.concatenate([np.arange(scopes), rng.choice(scopes, n - scopes, p=weights / weights.sum())])
    )


def write(admin_url: str, texts: NDArray[np.float32], *, n: int, scopes: int, seed: int = 1) -> list[Caller]:
    """Fill a migrated database; gives a caller for each of SHARES."""
    rng = np.random.default_rng(seed)
    book = Codebook(texts.shape[1])
    of = zipf_scopes(n, scopes, seed=seed)
    sizes = np.bincount(of, minlength=scopes)
    with psycopg.connect(libpq(make_url(admin_url))) as connection:
        connection.execute("set session_replication_role = replica")
        ids = put_policy(connection, rng, sizes)
        copied = 0.0
        done = 0
        for vectors in blended(texts, n, seed=seed):
            part = np.asarray(ids)[of[done : done + len(vectors)]]
            rows = copied_rows(book, vectors, part, first=done + 10)
            started = time.perf_counter()
            with connection.cursor().copy(f"copy vector_row ({COLUMNS}) from stdin (format binary)".encode()) as copy:
                copy.write(rows)
            copied += time.perf_counter() - started
            done += len(vectors)
        print(f"COPY: {n / copied:,.0f} vectors/s")
        callers = callers_of(connection)
    with psycopg.connect(libpq(make_url(admin_url)), autocommit=True) as connection:
        connection.execute("select clearance.fold_volumes()")
        connection.execute("create extension if not exists pg_prewarm")
        for relation in ("vector_row", "vector_row_pkey", "vector_row_scope_id_idx", "scope_volume_scope_id_idx"):
            connection.execute("select pg_prewarm(%s)", [relation])
        connection.execute("vacuum analyze vector_row, scope_volume, scope, rule, rule_grant")
    return callers


def copied_rows(book: Codebook, vectors: NDArray[np.float32], scopes: NDArray[np.int64], *, first: int) -> bytes:
    dimensions = vectors.shape[1]
    halves = vectors.astype(np.float16)
    fields = {"fields": ">i2", "a": ">i4", "chunk": ">i8", "b": ">i4", "scope": ">i4", "c": ">i4", "terms": ">i4"}
    fields |= {"d": ">i4", "dimensions": ">i2", "unused": ">i2", "vector": f"({dimensions},)>f2"}
    fields |= {"e": ">i4", "code": f"({book.width},)u1"}
    row = np.dtype(list(fields.items()))
    rows = np.zeros(len(vectors), row)
    for name, value in {"fields": 5, "a": 8, "b": 4, "c": 4, "d": 4 + 2 * dimensions, "e": book.width}.items():
        rows[name] = value
    rows["chunk"] = np.arange(first, first + len(vectors))
    rows["scope"], rows["terms"], rows["dimensions"], rows["vector"] = scopes, 100, dimensions, halves
    rows["code"] = book.encode(halves.astype(np.float32))
    return b"PGCOPY\n\xff\r\n\x00" + bytes(8) + rows.tobytes() + b"\xff\xff"


def put_policy(connection: psycopg.Connection, rng: np.random.Generator, sizes: NDArray[np.int64]) -> list[int]:
    """A role for each share, and a rule for each set of roles; gives the scopes' numbers."""
    seen = _seen(rng, sizes)
    roles = [uuid.UUID(bytes=rng.bytes(16)) for _ in SHARES]
    shelf = uuid.UUID(bytes=rng.bytes(16))
    run = connection.execute
    for number, role in enumerate(roles):
        run("insert into role (id, name) values (%s, %s)", [role, f"share-{number}"])
        person = "insert into app_user (id, name, display_name, capabilities) values (%s, %s, '', '{ask}')"
        run(person, [role, f"caller-{number}"])
        run("insert into membership values (%s, %s)", [role, role])
    run("insert into collection (id, name, own_rule) values (%s, 'shelf', '{}')", [shelf])
    rules = {pattern: _rule(connection, pattern, roles) for pattern in {tuple(column) for column in seen.T.tolist()}}
    adding = (
        "insert into scope (collection_id, own_digest, own_rule, rule_id)"
        " values (%s, sha256(%s), '{}', %s) returning id"
    )
    ids = []
    for scope, column in enumerate(seen.T.tolist()):
        made = run(adding, [shelf, str(scope).encode(), rules[tuple(column)]]).fetchone()
        assert made is not None
        ids.append(int(made[0]))
    return ids


def _seen(rng: np.random.Generator, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which scopes are seen at each of SHARES: random ones, as many as their passages allow."""
    seen = np.zeros((len(SHARES), len(sizes)), bool)
    seen[0] = True
    for number, share in enumerate(SHARES[1:], start=1):
        left = share * int(sizes.sum())
        for scope in rng.permutation(len(sizes)):
            if sizes[scope] <= left:
                seen[number, scope] = True
                left -= sizes[scope]
    return seen


def _rule(connection: psycopg.Connection, pattern: tuple[bool, ...], roles: list[uuid.UUID]) -> int:
    digest = bytes(pattern)
    found = connection.execute(
        "insert into rule (digest, label) values (sha256(%s), 0) returning id", [digest]
    ).fetchone()
    assert found is not None
    for ordinal, role in enumerate(r for r, seen in zip(roles, pattern, strict=True) if seen):
        granting = "insert into rule_grant values (%s, %s, 'allow', 'role', %s, null, null)"
        connection.execute(granting, [found[0], ordinal, role])
    return int(found[0])


def callers_of(connection: psycopg.Connection) -> list[Caller]:
    rows = connection.execute(
        "select u.id, u.name, count(distinct s.id), sum(v.chunks) from app_user u"
        " join rule_grant g on g.principal_id = u.id join scope s on s.rule_id = g.rule_id"
        " join (select scope_id, sum(chunks) as chunks from scope_volume group by scope_id) v on v.scope_id = s.id"
        " where u.name like 'caller-%' group by u.id, u.name order by u.name"
    ).fetchall()
    return [Caller(user, SHARES[int(name[-1])], int(scopes), int(n)) for user, name, scopes, n in rows]
