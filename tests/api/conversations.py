"""A conversation of one person over HTTP, for the tests of conversations."""

import contextlib
from collections.abc import Iterator
from typing import Any

from fastapi.testclient import TestClient

from app.llm.scripted import ScriptedChat
from app.settings import AnswerSettings
from tests.support.company import Company
from tests.support.questions import ask
from tests.support.service import client_of, parts_of, saying

SAID = "The band of level five is ninety-one thousand florins [1]."
KITCHEN = "When is the coffee machine cleaned?"
# With more, every answer here would be made from all few documents there are.
ONE = AnswerSettings(passages=1)
# Nothing of these may stand where the salaries are lost.
LOST = ("florins", "ninety-one", "salaries.md", "Salary bands", "The band of")


class Talk:
    def __init__(self, client: TestClient, company: Company, who: str) -> None:
        self.client, self.company, self.who = client, company, who
        made = client.post("/api/v1/conversations", headers=company.headers(who))
        assert made.status_code == 201
        self.id: str = made.json()["id"]

    def ask(self, question: str, **options: Any) -> Any:
        answer = ask(self.client, self.company, self.who, question, conversation=self.id, **options)
        assert answer.status_code == 200, answer.text
        return answer

    def get(self, who: str | None = None) -> Any:
        headers = self.company.headers(who or self.who)
        return self.client.get(f"/api/v1/conversations/{self.id}", headers=headers)

    def turns(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get().json()["turns"]
        return found


@contextlib.contextmanager
def talk(company: Company, who: str = "ada", *, chat: ScriptedChat | None = None, **parts: Any) -> Iterator[Talk]:
    """A conversation with a model that says what only readers of the salaries may know."""
    with client_of(parts_of(company.db, chat=chat or saying(SAID), **parts)) as client:
        yield Talk(client, company, who)


def root(conversation: Talk, method: str, path: str, body: Any = None, *, who: str = "root") -> None:
    headers = conversation.company.headers(who)
    answer = conversation.client.request(method, f"/api/v1{path}", json=body, headers=headers)
    assert answer.is_success, answer.text
