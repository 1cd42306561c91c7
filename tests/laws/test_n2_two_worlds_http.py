"""Two worlds over HTTP: every answer a reader can get and every prompt a model gets, but for trail ids and times.

A feedback token names the trail.
"""

import re
from collections import Counter

import pytest
from sqlalchemy import true

from app.embedding.hashed import HashedEmbedder
from app.retrieval import browse
from tests.laws.worlds.http_worlds import Answer, compare, site_of
from tests.laws.worlds.search_mutants import count_all_rows
from tests.laws.worlds.strategies import draw
from tests.support.cluster import Db
from tests.support.environment import Report

WORLDS = 3


def test_http_says_the_same_in_both_worlds(db: Db, report: Report) -> None:
    """Search, quotes, generated and streamed answers, each route that is read, refusals, prompts: the same bytes."""
    heard: list[Answer] = []
    with site_of(db, HashedEmbedder()) as site:
        for number, spec in enumerate(draw(4, WORLDS)):
            said = compare(site, spec)
            assert not said.differing, f"world 4:{number}: {said.bare[said.differing[0]]}"
            heard += said.bare
    status = Counter(answer.status for answer in heard)
    report(f"two worlds over HTTP: {WORLDS} worlds, {len(heard)} answers and prompts, {dict(status)}")
    assert status[0] >= WORLDS, "prompts"
    assert status[200] > 75
    assert status[404] > 45
    assert not [answer for answer in heard if answer.status >= 500 or answer.status == 429]
    assert any('"quoted"' in answer.told for answer in heard)
    assert any('"answered"' in answer.told for answer in heard)


@pytest.mark.parametrize("table", ["scope_volume", "document"])
def test_what_leaks_over_http_is_heard(db: Db, monkeypatch: pytest.MonkeyPatch, report: Report, table: str) -> None:
    """Test of the test: statistics over all rows, or documents listed for everyone, without row-level security."""
    with site_of(db, HashedEmbedder()) as site:
        site.library.run("owner", f"alter table {table} no force row level security, disable row level security")
        if table == "scope_volume":
            count_all_rows(monkeypatch, "volume")
        else:
            monkeypatch.setattr(browse, "_listed", lambda _subject, _visible: true())
        said = compare(site, draw(4, 1)[0])
    where = Counter(re.split(r"[?{]|/[0-9a-f]{8}-", said.bare[n].request)[0] for n in said.differing)
    report(
        f"mutation over HTTP, {table}: {len(said.differing)} of {len(said.bare)} differ: {dict(where.most_common())}"
    )
    assert said.differing
