"""POST /search: filters that only leave out, marks, neighbours, explanations; and what is wrong with a search."""

import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_problem
from tests.support.company import Company

URL = "/api/v1/search"


def search(client: TestClient, company: Company, who: str, query: str, **options: Any) -> dict[str, Any]:
    answer = client.post(URL, json={"query": query, **options}, headers=company.headers(who))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def places(found: dict[str, Any]) -> list[str]:
    return [f"{hit['collection']}/{hit['path']}" for hit in found["hits"]]


def test_a_collection_leaves_out_and_lets_nothing_in(client: TestClient, company: Company) -> None:
    everything = places(search(client, company, "ada", "salary leave weeks", limit=50))
    assert {p.split("/")[0] for p in everything} == {"handbook", "hr"}
    for names in (["hr"], ["handbook"], ["hr", "handbook"]):
        found = places(search(client, company, "ada", "salary leave weeks", limit=50, collections=names))
        assert set(found) == {p for p in everything if p.split("/")[0] in names}


def test_folder_and_time_leave_out(client: TestClient, company: Company) -> None:
    everything = places(search(client, company, "ada", "leave", limit=50))
    now = dt.datetime.now(dt.UTC)
    hour = dt.timedelta(hours=1)
    assert places(search(client, company, "ada", "leave", limit=50, since=(now - hour).isoformat())) == everything
    assert places(search(client, company, "ada", "leave", limit=50, since=(now + hour).isoformat())) == []
    assert places(search(client, company, "ada", "leave", limit=50, until=(now - hour).isoformat())) == []
    company.execute("update document set path = 'rules/' || path where path = 'leave.md'")
    for folder in ("rules", "/rules/"):
        assert set(places(search(client, company, "ada", "leave", limit=50, folder=folder))) == {
            "handbook/rules/leave.md"
        }
    assert places(search(client, company, "ada", "leave", limit=50, folder="rule")) == []


def test_quotes_bind_and_minus_excludes(client: TestClient, company: Company) -> None:
    plain = search(client, company, "ben", "parental leave", limit=50)
    bound = search(client, company, "ben", '"parental leave"', limit=50)
    assert plain["unmatched"] == bound["unmatched"] == []
    assert all("parental leave" in hit["snippet"].lower() for hit in bound["hits"])
    assert set(places(bound)) <= set(places(plain))
    without = search(client, company, "ben", "travel leave -parental", limit=50)
    assert without["hits"]
    assert not any("parental" in hit["snippet"].lower() for hit in without["hits"])
    nowhere = search(client, company, "ben", '"leave parental weeks never"', limit=50)
    assert nowhere["unmatched"] == ["leave parental weeks never"]
    assert nowhere["hits"]


def test_a_phrase_of_a_hidden_document_is_unmatched(client: TestClient, company: Company) -> None:
    """Whether a phrase binds is a question about what one may read."""
    [row] = company.rows(
        "select text from chunk c join document d on d.id = c.document_id where d.path = 'salaries.md'"
    )
    words = " ".join(row["text"].split()[:3])
    assert search(client, company, "ada", f'"{words}"')["unmatched"] == []
    assert search(client, company, "ben", f'"{words}"')["unmatched"] != []


def test_highlights_mark_the_words_of_the_search_in_any_form(client: TestClient, company: Company) -> None:
    found = search(client, company, "ben", "week of parent leave")
    marked = {hit["snippet"][a:b].lower() for hit in found["hits"] for a, b in hit["highlights"]}
    assert {"weeks", "leave"} <= marked
    assert "of" not in marked


def test_explain_says_how_each_hit_was_found(client: TestClient, company: Company) -> None:
    found = search(client, company, "ben", "parental leave weeks", explain=True)
    assert all(hit["explained"] is None for hit in search(client, company, "ben", "parental leave weeks")["hits"])
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    first = found["hits"][0]["explained"]
    assert first["similarity_rank"] == 1 or first["word_rank"] == 1
    for hit in found["hits"]:
        how = hit["explained"]
        assert -1 <= how["similarity"] <= 1
        assert 0 <= how["word_share"] <= 1
        assert 0 <= how["coverage"] <= 1
        assert how["similarity_rank"] or how["word_rank"]


def test_neighbours_come_from_the_same_document_and_are_recorded(client: TestClient, company: Company) -> None:
    company.execute(
        "insert into chunk (document_id, scope_id, ordinal, heading_path, text, tokens)"
        " select document_id, scope_id, ordinal + n, '{}', 'beside it ' || n, 3 from chunk,"
        " generate_series(1, 3) n where text like '%parental leave%'"
    )
    [hit] = search(client, company, "ben", "parental leave weeks", limit=1, neighbours=2)["hits"]
    assert hit["before"] == []
    assert hit["after"] == ["beside it 1", "beside it 2"]
    assert len(company.records("search.done")[-1]["around"]) == 2
    [alone] = search(client, company, "ben", "parental leave weeks", limit=1)["hits"]
    assert (alone["before"], alone["after"]) == ([], [])


@pytest.mark.changes_nothing
@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        ({"query": ""}, 422, "InvalidInput", "query"),
        ({"query": "x" * 60_000}, 422, "InvalidInput", "query"),
        ({"query": "x" * 1_000_000}, 413, "TooLarge", "64 KB"),
        ({"query": "leave", "limit": 0}, 422, "InvalidInput", "limit"),
        ({"query": "leave", "limit": 1_000_000}, 422, "InvalidInput", "limit"),
        ({"query": "leave", "neighbours": 9}, 422, "InvalidInput", "neighbours"),
        ({"query": "leave", "collections": ["hr'; drop table chunk"]}, 422, "InvalidInput", "collections"),
        ({"query": "leave", "collections": ["handbook"] * 51}, 422, "InvalidInput", "collections"),
        ({"query": "leave", "folder": "a\x00b"}, 422, "InvalidInput", "folder"),
        ({"query": "leave", "since": "yesterday"}, 422, "InvalidInput", "since"),
        ({"query": "leave", "since": "2026-01-01T00:00:00"}, 422, "InvalidInput", "time zone"),
        (
            {"query": "leave", "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
            422,
            "InvalidInput",
            "until",
        ),
        ({"query": "-leave"}, 422, "UnreadableSearch", "excluded"),
        ({"query": '"a b" "c d" "e f" "g h" "i j"'}, 422, "UnreadableSearch", "4 quoted phrases"),
        ({"query": "leave", "where": "true"}, 422, "InvalidInput", "where"),
    ],
)
def test_what_is_wrong_with_a_search_is_said(
    client: TestClient, company: Company, body: dict[str, Any], status: int, code: str, says: str
) -> None:
    answer = client.post(URL, json=body, headers=company.headers("ben"))
    check_problem(answer, status, code)
    assert says in answer.json()["detail"]


@pytest.mark.changes_nothing
@pytest.mark.parametrize("query", ["the of and", "\x00leave", "?!", "' or 1=1 --", "%_\\", "🦊", "leave " * 600])
def test_odd_searches_are_answered(client: TestClient, company: Company, query: str) -> None:
    """Stop words alone, a NUL, no word at all, quotes of SQL, wildcards, one emoji, six hundred words."""
    search(client, company, "ben", query)
