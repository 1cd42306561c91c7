"""Thirty-two answers at once through a real server: no token, no record, no redaction is lost."""

import asyncio
from functools import partial

from app.llm.scripted import ScriptedChat
from tests.api.streams import ask_all, check, expected, script
from tests.support.company import Company
from tests.support.service import Serve, endpoint, parts_of

STREAMS, TOKENS = 32, 150


def test_thirty_two_streams_lose_nothing(company: Company, server: Serve) -> None:
    chat = ScriptedChat(endpoint(), partial(script, tokens=TOKENS), delay=0.005)
    with server(parts_of(company.db, chat=chat)) as url:
        streams = asyncio.run(ask_all(url, company.headers("ben"), STREAMS))
    check(streams, TOKENS)
    texts = [expected(number, TOKENS) for number in range(STREAMS)]
    assert len(set(texts)) == STREAMS
    assert all("[redacted: " in text for text in texts)
    assert len(chat.prompts) == STREAMS
    opened, closed = company.records("answer.opened"), company.records("answer.closed")
    assert len(opened) == len(closed) == STREAMS
    assert {r["trail"] for r in opened} == {r["trail"] for r in closed}
    assert {r["outcome"] for r in closed} == {"answered"}
    assert {r["tokens_out"] for r in closed} == {TOKENS}
    # They ran together: all were opened before the first was closed.
    assert max(r["at"] for r in opened) < min(r["at"] for r in closed)
