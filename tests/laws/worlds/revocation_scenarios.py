"""What is raced for: one document on a collection of the company, all ways to see it, and all ways to lose it."""

import contextlib
import datetime as dt
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient

from app.acl.placement import lock_document, rule_document
from app.acl.rule_changes import rule_collection, rule_folder
from app.acl.rules import Grant, OwnRule
from app.db.session import Database, WriteSession
from app.db.tables.access import Collection
from app.identity.subject import Label, Principal, Subject
from app.llm.protocol import Message
from app.llm.scripted import ScriptedChat
from tests.laws.worlds.revocation_race import Act, Revocation, Surface
from tests.support.company import Company
from tests.support.library_db import LibraryDb, allow, deny
from tests.support.service import database_at, endpoint
from tests.support.worker import work_queued

QUESTION = "What does the quillon ledger say about the salary band of level five?"
TEXT = b"# Quillon ledger\n\nThe quillon ledger says: the salary band of level five is eighty-eight thousand ducats."
PATH = "payroll/quillon.md"
# The words of the question may come back in an answer; these may not.
MARKS = ("Quillon ledger", PATH, "eighty-eight thousand ducats")
# Clock changes are written this long before they come true.
AHEAD = dt.timedelta(milliseconds=80)


def echo(messages: Sequence[Message]) -> list[str]:
    """A model that gives away all it was shown but the fence, which the gate would withhold. Each line once: an answer
    that repeats the last one twice outgrows the history, and the next turn is shown nothing.
    """
    lines = re.sub(r"</?(passage|turn)[^>]*>", " ", messages[-1].content).splitlines()
    shown = "\n".join(dict.fromkeys(line.strip() for line in lines))
    return [shown[at : at + 200] for at in range(0, len(shown), 200)]


# What is revoked stays revoked: the way back is a row in its place, of the same secret.
AGAIN = """with gone as (delete from api_key where id = '{key}' returning *)
    insert into api_key select (jsonb_populate_record(null::api_key,
        to_jsonb(gone) || jsonb_build_object('revoked_at', null))).* from gone"""


def session_again(prefix: str) -> str:
    """As AGAIN, of a session."""
    return f"""with gone as (delete from sign_in_session where prefix = '{prefix}' returning *)
        insert into sign_in_session select (jsonb_populate_record(null::sign_in_session,
            to_jsonb(gone) || jsonb_build_object('ended_at', null, 'ended_by', null))).* from gone"""


def echoing(delay: float = 0.0) -> ScriptedChat:
    return ScriptedChat(endpoint(), echo, delay=delay)


@dataclass
class Track:
    """Ada reads a document as a member of `payroll`, which lies inside `hr`; it inherits from folder and collection.

    `reader` is a second key of hers, so that to revoke it leaves the first alone.
    """

    company: Company
    library: LibraryDb
    database: Database
    document: uuid.UUID
    reader: str
    conversation: str
    talk: str
    ids: dict[str, uuid.UUID] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.reader}"}

    def surfaces(self) -> list[Surface]:
        """Every way to see the document, its text, or that it is there."""
        marks = tuple(mark.encode() for mark in (str(self.document), *MARKS))

        def shows(_status: int, content: bytes) -> bool:
            return any(mark in content for mark in marks)

        def found(status: int, _content: bytes) -> bool:
            return status == 200

        ask = {"question": QUESTION}
        here = f"/api/v1/documents/{self.document}"
        return [
            Surface("search", "POST", "/api/v1/search", {"query": QUESTION, "limit": 5}, shows),
            Surface("quote", "POST", "/api/v1/ask", {**ask, "mode": "quote"}, shows),
            Surface("answer", "POST", "/api/v1/ask", {**ask, "mode": "generate"}, shows),
            Surface("stream", "POST", "/api/v1/ask", {**ask, "mode": "generate", "stream": True}, shows),
            Surface("next turn", "POST", "/api/v1/ask", {**ask, "mode": "generate", "conversation": self.talk}, shows),
            Surface("history", "GET", f"/api/v1/conversations/{self.conversation}", None, shows),
            Surface("open", "GET", here, None, shows),
            Surface("original", "GET", f"{here}/original", None, shows),
            Surface("documents", "GET", "/api/v1/documents?collection=hr", None, shows),
            Surface("explain", "GET", f"/api/v1/access/explain?document={self.document}", None, found),
        ]

    def revocations(self) -> list[Revocation]:
        """Every way to lose it, each with the way back."""
        ids = {"ada": self.ids["ada"], "payroll": self.ids["payroll"], "hr": self.ids["hr"], "key": self.ids["key"]}

        def sql(name: str, revoke: str, grant: str) -> Revocation:
            return Revocation(name, self._sql(revoke.format(**ids)), self._sql(grant.format(**ids)))

        def rule(name: str, revoke: Callable[[], OwnRule]) -> Revocation:
            return Revocation(name, self._document(revoke), self._document(OwnRule))

        def clock(name: str, grants: Callable[[dt.datetime], list[Grant]]) -> Revocation:
            return Revocation(name, self._by_the_clock(grants), self._document(OwnRule))

        payroll, ada = Principal("role", ids["payroll"]), ids["ada"]
        denied = OwnRule(frozenset({deny("role", ids["payroll"])}))
        managers = OwnRule(frozenset({allow("role", self.ids["managers"])}), inherits=False, label=Label.CONFIDENTIAL)
        hr = OwnRule(frozenset({allow("role", ids["hr"])}), inherits=False, label=Label.CONFIDENTIAL)
        return [
            sql(
                "the role is left",
                "delete from membership where user_id = '{ada}' and role_id = '{payroll}'",
                "insert into membership (user_id, role_id) values ('{ada}', '{payroll}')",
            ),
            rule("a deny on the document", lambda: OwnRule(frozenset({deny("user", ada)}))),
            rule("the document moves to another scope", lambda: managers),
            Revocation("the folder denies", self._folder(denied), self._folder(OwnRule())),
            sql(
                "the nesting ends",
                "delete from role_inside where role_id = '{payroll}'",
                "insert into role_inside (role_id, inside_id) values ('{payroll}', '{hr}')",
            ),
            rule("the label rises", lambda: OwnRule(label=Label.RESTRICTED)),
            Revocation("the collection is re-granted", self._collection(managers), self._collection(hr)),
            sql(
                "the clearance falls",
                "update app_user set clearance = 1 where id = '{ada}'",
                "update app_user set clearance = 2 where id = '{ada}'",
            ),
            clock("a grant ends by the clock", lambda at: [Grant("allow", payroll, None, at)]),
            self.deactivated("the person is deactivated", ada, AGAIN.format(key=ids["key"])),
            clock(
                "a deny begins by the clock",
                lambda at: [Grant("allow", payroll), Grant("deny", Principal("user", ada), at, None)],
            ),
            self.key_revoked("the key is revoked", ids["key"]),
            self.role_ends("the role ends by itself"),
        ]

    def update(self, name: str, revoke: str, grant: str) -> Revocation:
        """A revocation by two UPDATEs, of one row each."""
        return Revocation(name, self._sql(f"update {revoke}"), self._sql(f"update {grant}"))

    def key_revoked(self, name: str, key: uuid.UUID) -> Revocation:
        """A key is revoked, and another one of the same secret takes its place."""
        revoke = f"update api_key set revoked_at = now() where id = '{key}'"
        return Revocation(name, self._sql(revoke), self._sql(AGAIN.format(key=key)))

    def deactivated(self, name: str, person: uuid.UUID, *again: str) -> Revocation:
        """A person is switched off; switched on, they have nothing to come in with but what `again` gives them."""
        revoke = f"update app_user set active = false where id = '{person}'"
        back = [f"update app_user set active = true, tokens_after = null where id = '{person}'", *again]

        def grant() -> tuple[float, float]:
            times = [self._sql(statement)() for statement in back]
            return times[0][0], times[-1][1]

        return Revocation(name, self._sql(revoke), grant)

    def role_ends(self, name: str) -> Revocation:
        """A role that was confirmed until now has ended by itself; nobody takes it away."""
        here = f"user_id = '{self.ids['ada']}' and role_id = '{self.ids['payroll']}'"
        moment = [dt.datetime.now(dt.UTC)]

        def revoke() -> tuple[float, float]:
            moment[0] = dt.datetime.now(dt.UTC) + AHEAD
            began, committed = self._sql(f"update membership set ends_at = '{moment[0].isoformat()}' where {here}")()
            time.sleep(max(0.0, moment[0].timestamp() - time.time()))
            return began, max(moment[0].timestamp(), committed)

        return Revocation(name, revoke, self._sql(f"update membership set ends_at = null where {here}"))

    def session_ended(self, name: str, prefix: str) -> Revocation:
        """A session is ended by somebody, and another one of the same secret takes its place."""
        revoke = f"update sign_in_session set ended_at = now(), ended_by = 'test' where prefix = '{prefix}'"
        return Revocation(name, self._sql(revoke), self._sql(session_again(prefix)))

    def chunks(self) -> set[str]:
        query = "select c.public_id from chunk c join document d on d.id = c.document_id where d.public_id = %s"
        return {str(row["public_id"]) for row in self.company.rows(query, [self.document])}

    def subject(self, name: str) -> Subject:
        return self.library.subject(self.ids[name])

    def _sql(self, statement: str) -> Act:
        def act() -> tuple[float, float]:
            began = time.time()
            assert self.library.run("owner", statement) == 1, statement
            return began, time.time()

        return act

    def _writing(self, change: Callable[[WriteSession, Subject], Any]) -> Act:
        """A change by the product's own code, as the collection's curator."""
        curator = self.subject("cleo")

        def act() -> tuple[float, float]:
            began = time.time()
            with self.library.changing(self.database, curator.user_id) as session:
                change(session, curator)
            return began, time.time()

        return act

    def _document(self, own: Callable[[], OwnRule]) -> Act:
        def change(session: WriteSession, curator: Subject) -> None:
            rule_document(session, curator, lock_document(session, curator, self.document), own())

        return self._writing(change)

    def _folder(self, own: OwnRule) -> Act:
        return self._writing(
            lambda s, c: rule_folder(s, c, s.get_one(Collection, self.ids["collection"]), "payroll", own)
        )

    def _collection(self, own: OwnRule) -> Act:
        return self._writing(lambda s, c: rule_collection(s, c, s.get_one(Collection, self.ids["collection"]), own))

    def _by_the_clock(self, grants: Callable[[dt.datetime], list[Grant]]) -> Act:
        """Written ahead; it counts from the moment that the rule names."""
        moment = [dt.datetime.now(dt.UTC)]
        written = self._document(lambda: OwnRule(frozenset(grants(moment[0])), inherits=False))

        def act() -> tuple[float, float]:
            moment[0] = dt.datetime.now(dt.UTC) + AHEAD
            began, committed = written()
            at = moment[0].timestamp()
            time.sleep(max(0.0, at - time.time()))
            return began, max(at, committed)

        return act


@contextlib.contextmanager
def laid_out(company: Company, client: TestClient) -> Iterator[Track]:
    """The document in its folder, its reader, and a conversation of two answers made from it."""
    root, cleo = company.headers("root"), company.headers("cleo")

    def send(method: str, path: str, headers: dict[str, str], **body: Any) -> Any:
        answer = client.request(method, f"/api/v1{path}", headers=headers, **body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else {}

    send("POST", "/roles", root, json={"name": "payroll"})
    send("DELETE", "/roles/hr/members/ada", root)
    send("PUT", "/roles/payroll/members/ada", root)
    send("PUT", "/collections/hr/access?folder=payroll", cleo, json={"grants": [], "inherits": True})
    given = {"file": ("quillon.md", TEXT)}
    send("POST", "/collections/hr/documents", cleo, files=given, data={"path": PATH, "inherits": "true"})
    work_queued(company.db)
    library, database = LibraryDb(company.db), database_at(company.db.url("app"), pool_size=1)
    try:
        library.run("owner", "insert into role_inside select a.id, b.id from role a, role b"
                           " where a.name = 'payroll' and b.name = 'hr'")  # fmt: skip
        key = send("POST", "/keys", root, json={"user": "ada", "capabilities": ["ask", "download"]})
        names = company.rows("select name, id from app_user union all select name, id from role")
        [placed] = company.rows("select public_id, collection_id from document where path = %s", [PATH])
        track = Track(company, library, database, placed["public_id"], key["secret"], "", "")
        track.ids = {row["name"]: row["id"] for row in names}
        track.ids |= {"collection": placed["collection_id"], "key": uuid.UUID(key["id"])}
        for name in ("conversation", "talk"):
            setattr(track, name, send("POST", "/conversations", track.headers)["id"])
            ask = {"question": QUESTION, "mode": "generate", "conversation": getattr(track, name)}
            assert MARKS[2] in send("POST", "/ask", track.headers, json=ask)["answer"]
        yield track
    finally:
        library.close()
        database.engine.dispose()
