"""A document opens at the place of a source."""

from fastapi.testclient import TestClient

from tests.support.company import LEAVE, Company
from tests.support.questions import ON_LEAVE, ask


def test_a_source_stands_among_the_passages_of_its_document(client: TestClient, company: Company) -> None:
    """By its id, once; the passages come in their order, and each is another one."""
    answer = ask(client, company, "ben", ON_LEAVE, mode="quote").json()
    source = next(source for source in answer["sources"] if source["path"] == "leave.md")
    opened = client.get(f"/api/v1/documents/{source['document']}", headers=company.headers("ben")).json()
    chunks = [passage["chunk"] for passage in opened["passages"]]
    assert len(set(chunks)) == len(chunks)
    [passage] = [passage for passage in opened["passages"] if passage["chunk"] == source["chunk"]]
    assert LEAVE in passage["text"]
    stored = company.rows(
        "select c.public_id from chunk c join document d on d.id = c.document_id where d.public_id = %s"
        " order by c.ordinal",
        [source["document"]],
    )
    assert chunks == [str(row["public_id"]) for row in stored]
