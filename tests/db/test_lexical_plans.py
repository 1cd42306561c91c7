"""Plans of the lexical leg: every statement reads tables with text by index alone, with filters that cannot leak.

At a size where a plan by the whole table would be taken if it could, as the API's role and inside its transaction.
"""

import json
import re
import uuid

import pytest

from app.acl.visible import visible_scopes
from app.indexing.terms import query_terms
from app.retrieval.lexical import match
from app.retrieval.phrases import find
from app.retrieval.query_syntax import parse
from tests.db.bulk_rows import Stock
from tests.db.query_plans import FUNCTIONS, Sent, explained


def plans(stock: Stock, user: uuid.UUID) -> dict[str, Sent]:
    """Each statement that the lexical leg sends for this reader, with its plan."""
    with stock.database.reading(user) as session, explained(stock.database) as sent:
        visible = visible_scopes(session, stock.library.subject(user))
        match(session, visible, query_terms("dry dock crane"), limit=60)
        found = find(session, visible, parse('"dry dock" crane -pilot -"no such words"'), limit=60)
        assert found.matches, "its texts were read"
    return {one.statement: one for one in sent}


@pytest.mark.parametrize("who", ["wide", "narrow"])
def test_every_statement_reads_by_index(stock: Stock, who: str) -> None:
    found = plans(stock, getattr(stock, who))
    assert len(found) == 3, "the scopes with their volume, the lists and the texts"
    assert {statement: one.leaks for statement, one in found.items()} == {key: [] for key in found}
    lists = json.dumps(next(one.plan for statement, one in found.items() if "posting" in statement))
    assert '"Index Only Scan"' in lists
    assert re.search(r"Index Cond.{,2000}term = ANY.*scope_id = ANY", lists)


def test_the_filters_let_through_are_leakproof(stock: Stock) -> None:
    known = stock.library.text(
        "select coalesce(string_agg(proname, ' ' order by proname), '') from pg_proc"
        " where proname = any (:names) and proleakproof",
        names=FUNCTIONS,
    )
    assert known.split() == sorted(FUNCTIONS)


@pytest.mark.parametrize(
    ("change", "leak"),
    [
        ("drop index posting_term_scope_id_idx", "Seq Scan over posting"),
        ("alter table chunk drop constraint chunk_pkey cascade; drop index if exists chunk_scope_id_idx;"
         " alter table chunk drop constraint if exists chunk_id_scope_id_key cascade;"
         " alter table chunk drop constraint if exists chunk_document_id_ordinal_key", "Seq Scan over chunk"),
        ("drop policy readers on posting; create policy readers on posting for select to clearance_app"
         " using (clearance.visible_scopes() @> array[scope_id])", "Filter over posting"),
        ("create policy also on chunk as restrictive for select to clearance_app using (length(text) > 0)",
         "Filter over chunk"),
    ],
)  # fmt: skip
def test_what_would_leak_is_found(stock: Stock, change: str, leak: str) -> None:
    """Test of the test: in a copy, without the index or under a policy that is asked row by row."""
    with stock.copy(change) as changed:
        found = plans(changed, stock.wide)
    assert any(leak in one for sent in found.values() for one in sent.leaks), found
