"""The facts as a running company: founded over HTTP."""

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.audit.encryption import seal
from app.audit.events.base import SealedText
from app.db.engine import connect
from app.guardrail.policy.pseudonyms import place_of
from app.identity.feedback_tokens import FeedbackTokens
from app.local.administrator import create_first_administrator
from tests.api.matrix.facts import (
    CALLING,
    COLLECTIONS,
    EVERY,
    FOLDERS,
    LENDABLE,
    PEOPLE,
    ROLES,
    UPLOADERS,
    CollectionFacts,
    collection_name,
    content_of,
    folder_on,
    path_on,
)
from tests.api.matrix.route_access import (
    CREW_DOCUMENT,
    CREW_REVIEW,
    LOG_SIZE,
    MOMENT,
    OPEN_DOCUMENT,
    QUESTION,
    REVIEW_ITEM,
)
from tests.api.matrix.sign_in import REGISTRATION
from tests.support.audit_order import sequence
from tests.support.authenticator import Authenticator
from tests.support.browsers import SESSION, Browser, follow
from tests.support.cluster import IDENTITY_KEY, Db
from tests.support.provisioning import ScimClient, add_provisioner
from tests.support.sealing import SEALER
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

NO_GRANT = "0" * 32
# Who calls in a browser's session too.
SIGNED_IN = "administrator"
# Each upload once more, as one that failed.
FAILED = """
with failed as (
  insert into ingest_job
    (collection_id, scope_id, path, uploaded_by, content, size, sha256, state, reason, created_at, finished_at)
  select collection_id, scope_id, path, uploaded_by, 'x', size, sha256, 'failed', 'The file is damaged.', created_at,
    finished_at
  from ingest_job where path <> 'canary' returning id, collection_id
)
select c.name, f.id::text from failed f join collection c on c.id = f.collection_id
"""

PSEUDONYM = """
with made as (
  insert into pseudonym (trail, kind, number, user_id, sealed, expires_at)
  values (%s, 'phone', 1, %s, %s, now() + interval '9 hours') returning id, user_id
)
insert into pseudonym_passage (pseudonym_id, chunk_id, scope_id, user_id)
select m.id, c.id, c.scope_id, m.user_id from made m, chunk c join document d on d.id = c.document_id
where d.public_id = %s
"""


@dataclass
class World:
    """The founded company: keys by name, public ids by collection, and the values that stand for places in a case."""

    db: Db
    keys: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    failed_jobs: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    # By kind and collection: the id of one grant of what stands there.
    grants: dict[str, dict[str, str]] = field(
        default_factory=lambda: {kind: {} for kind in ("collection", "document", "folder")}
    )
    # By kind and owner: the id of one thing of theirs.
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    # By collection: the review of those in FOLDERS, and its first grant.
    reviews: dict[str, str] = field(default_factory=dict)
    review_items: dict[str, str] = field(default_factory=dict)
    # By collection: the trail of an answer with a pseudonym, whose value stands in its document alone.
    pseudonyms: dict[str, str] = field(default_factory=dict)
    moment: str = ""
    log_size: int = 0
    # What the browser of SIGNED_IN sends along, and a passkey that it was asked to make.
    session: tuple[tuple[str, str], ...] = ()
    registration: dict[str, Any] = field(default_factory=dict)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.db.libpq("admin"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def places(self) -> dict[str, Any]:
        return {
            CREW_DOCUMENT: self.documents["crew"],
            OPEN_DOCUMENT: self.documents["open"],
            MOMENT: self.moment,
            LOG_SIZE: str(self.log_size),
            CREW_REVIEW: self.reviews["crew"],
            REVIEW_ITEM: self.review_items["crew"],
            REGISTRATION: self.registration,
        }


def build_world(db: Db) -> World:
    """Found the company of the facts in an empty database."""
    world = World(db)
    world.keys["root"] = create_first_administrator(db.url("owner")).secret
    with client_of(parts_of(db)) as client:
        founder = Founder(world, client)
        founder.people()
        founder.collections()
        founder.documents()
        founder.pseudonyms()
        founder.tokens()
        founder.own_things()
        founder.source(client)
        founder.leak_test()
        founder.evidence()
        founder.open_reviews()
        sign_people_in(founder)
    world.log_size = sequence(db)
    world.things["trail"] = {"root": next(iter(world.things["turn"].values()))}
    world.things["record"] = {"root": "0"}
    with psycopg.connect(db.libpq("admin")) as connection:
        [first] = connection.execute("select leaf_id::text from audit_entry where seq = 0").fetchall()
        [sealed] = connection.execute(
            "select id::text from audit_leaf where kind = 'answer.opened' order by at limit 1"
        ).fetchall()
        connection.execute("insert into audit_delivery (target, kind, form) values ('siem', 'http', 'ocsf')")
        connection.execute("insert into audit_dead_letter (target, seq, reason) values ('siem', 0, 'HTTP 400')")
    world.things["delivery"] = {"root": "siem"}
    world.things["recorded id"], world.things["sealed record"] = {"root": first[0]}, {"root": sealed[0]}
    return world


class Founder:
    def __init__(self, world: World, client: TestClient) -> None:
        self.world, self.client = world, client

    def send(self, method: str, path: str, body: Any = None, *, by: str = "root", **more: Any) -> Any:
        """What an answer of success holds; as the administrator, or by another key."""
        headers = {"Authorization": f"Bearer {self.world.keys[by]}"}
        answer = self.client.request(method, f"/api/v1{path}", json=body, headers=headers, **more)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def people(self) -> None:
        """Roles, people, services and their keys, also some that no longer count."""
        keys = self.world.things["key"] = {}
        for role, inside in ROLES.items():
            self.send("POST", "/roles", {"name": role, "inside": inside})
        for name, person in PEOPLE.items():
            rights = {"capabilities": person.capabilities, "clearance": person.clearance}
            self.send("POST", "/users", {"name": name, **rights})
            for role in person.roles:
                self.send("PUT", f"/roles/{role}/members/{name}")
            for role in person.looks_after:
                self.send("PUT", f"/roles/{role}/stewards/{name}")
            key = self._key(name, name, EVERY if name == "bare" else person.capabilities)
            if name in {"reader", "outsider", "keeper", "administrator"}:
                keys[name] = key
        past = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)).isoformat()
        self._key("expired key", "strong", EVERY, expires_at=past)
        self._key("weak key", "strong", ())
        self._key("deactivated person", "gone", EVERY)
        self._revoked_key = self._key("revoked key", "strong", EVERY)
        for bot in ("bot", "other bot"):
            name = bot.replace(" ", "-")
            self.send("POST", "/users", {"name": name, "kind": "service", "capabilities": ["ask", "download"]})
            self._key(bot, name, EVERY)

    def _key(self, name: str, user: str, allowed: tuple[str, ...], **more: str) -> str:
        made = self.send("POST", "/keys", {"user": user, "capabilities": allowed, **more})
        self.world.keys[name] = made["secret"]
        return str(made["id"])

    def collections(self) -> None:
        for name, rule in COLLECTIONS.items():
            fields = {"name": collection_name(name), "label": rule.label, "grants": _grants(rule)}
            self.send("POST", "/collections", fields)
        for person, facts in PEOPLE.items():
            for name in facts.curates:
                self.send("PUT", f"/collections/{collection_name(name)}/curators/{person}")

    def documents(self) -> None:
        """A document in each collection, uploaded under a tag of the founders; its rule comes after. And folders."""
        world = self.world
        for name in COLLECTIONS:
            place = f"/collections/{collection_name(name)}/documents"
            file, tags = {"file": ("file.md", content_of(name).encode())}, {"path": path_on(name), "roles": ["tags"]}
            world.jobs[name] = self.send("POST", place, by=UPLOADERS[name], files=file, data=tags)["id"]
        work_queued(world.db)
        with psycopg.connect(world.db.libpq("admin")) as connection:
            rows = connection.execute(
                "select c.name, d.public_id::text from document d join collection c on c.id = d.collection_id"
            ).fetchall()
            failed = connection.execute(FAILED).fetchall()
        names = {collection_name(name): name for name in COLLECTIONS} | {"_canary": "_canary"}
        world.documents = {names[name]: public_id for name, public_id in rows}
        world.failed_jobs = {names[name]: job for name, job in failed}
        for name, rule in COLLECTIONS.items():
            self._rule(name, _grants(rule))
        for name in FOLDERS:
            where = {"collection": collection_name(name), "folder": folder_on(name)}
            body = {"grants": [{"role": "tags"}], "inherits": True}
            place = f"/collections/{collection_name(name)}/access"
            self.send("PUT", place, body, by="keeper", params={"folder": folder_on(name)})
            world.grants["folder"][name] = self.send("GET", "/grants", by="keeper", params=where)[0]["id"]

    def pseudonyms(self) -> None:
        """An answer of the reader's for each collection."""
        engine = connect(self.world.db.url("app"), pool_size=1)
        reader = uuid.UUID(self.send("GET", "/users/me", by="reader")["id"])
        with Session(engine) as session, session.begin():
            key = SEALER.ensure_key(session, reader)
        engine.dispose()
        with psycopg.connect(self.world.db.libpq("admin")) as connection:
            for name in COLLECTIONS:
                trail = uuid.uuid4()
                sealed = seal(key, SealedText("a value"), record=trail, field=place_of("phone", 1))
                values = (trail, reader, json.dumps(sealed), self.world.documents[name])
                connection.execute(PSEUDONYM, values)
                self.world.pseudonyms[name] = str(trail)

    def _rule(self, name: str, own: list[dict[str, Any]]) -> None:
        """Give a document its rule: its collection's grants as its own, or inherited, or both; note the grants' ids."""
        document = self.world.documents[name]
        body = {"grants": own, "inherits": not own or name == "vault"}
        self.send("PUT", f"/documents/{document}/access", body, by="keeper")
        for kind, value in (("collection", collection_name(name)), ("document", document)):
            if listed := self.send("GET", "/grants", by="keeper", params={kind: value}):
                self.world.grants[kind][name] = next(g for g in listed if g["effect"] == "allow")["id"]

    def tokens(self) -> None:
        """A token of everybody who may lend, and those that no longer count."""
        kept = self.world.things["delegation"] = {}
        for name in CALLING:
            if lent := LENDABLE & set(PEOPLE[name].capabilities):
                made = self._token(name, name, lent)
                if name in {"reader", "outsider", "keeper"}:
                    kept[name] = made
        expired = self._token("expired", "strong", LENDABLE)
        self.world.execute(f"update delegation set expires_at = now() where id = '{expired}'")
        self.send("DELETE", f"/delegations/{self._token('revoked', 'strong', LENDABLE)}")
        self._token("of a revoked key", "revoked key", LENDABLE)
        self.send("DELETE", f"/keys/{self._revoked_key}")
        self._token("of a deactivated person", "gone", LENDABLE)
        self.send("PATCH", "/users/gone", {"active": False})

    def _token(self, name: str, by: str, capabilities: Iterable[str]) -> str:
        body = {"service": "bot", "expires_in": 3600, "capabilities": sorted(capabilities)}
        made = self.send("POST", "/delegations", body, by=by)
        self.world.tokens[name] = made["secret"]
        return str(made["id"])

    def own_things(self) -> None:
        """A conversation with a turn of everybody who may ask, and plans of three."""
        world = self.world
        conversations, turns, plans, answers = {}, {}, {}, {}
        tokens = FeedbackTokens(bytes.fromhex(IDENTITY_KEY))
        for name in CALLING:
            if "ask" in PEOPLE[name].capabilities:
                conversations[name] = self.send("POST", "/conversations", by=name)["id"]
                body = {"question": QUESTION, "conversation": conversations[name], "mode": "quote"}
                turns[name] = self.send("POST", "/ask", body, by=name)["trail"]
                person = uuid.UUID(self.send("GET", "/users/me", by=name)["id"])
                answers[name] = tokens.issue(person, uuid.UUID(turns[name]), 1)
        change = {"change": "grant", "collection": collection_name("crew"), "grant": {"user": "bystander"}}
        for name in ("keeper", "administrator", "curator"):
            plans[name] = self.send("POST", "/access/plans", {"changes": [change]}, by=name)["id"]
        world.things |= {"conversation": conversations, "turn": turns, "plan": plans, "answer": answers}
        world.moment = dt.datetime.now(dt.UTC).isoformat()

    def source(self, client: TestClient) -> None:
        """A source with a service that keeps it, a person and a group of it; beside them a local person and role."""
        kept = add_provisioner(self.world.db, "okta")
        self.world.keys["okta"] = kept.secret
        scim = ScimClient(client, kept)
        users, groups = {"okta": scim.user("kim")["id"]}, {"okta": scim.group("Red")["id"]}
        with psycopg.connect(self.world.db.libpq("admin")) as connection:
            for things, query in (
                (users, "select id::text from app_user where name = 'bystander'"),
                (groups, "select id::text from role where name = 'tags'"),
            ):
                row = connection.execute(query.encode()).fetchone()
                assert row is not None
                things["local"] = row[0]
        self.world.things |= {"scim user": users, "scim group": groups}

    def open_reviews(self) -> None:
        """A review of two collections, in which all was decided."""
        for name in FOLDERS:
            body = {"collection": collection_name(name), "title": "Of this year"}
            review = self.world.reviews[name] = self.send("POST", "/access/reviews", body, by="keeper")["id"]
            items = self.send("GET", f"/access/reviews/{review}/items")
            self.world.review_items[name] = items[0]["id"]
            for item in items:
                self.send("PUT", f"/access/reviews/{review}/items/{item['id']}", {"decision": "keep"})

    def leak_test(self) -> None:
        """One that has ended."""
        with psycopg.connect(self.world.db.libpq("admin")) as connection:
            row = connection.execute(
                "insert into leak_test_run (started_by, state, ended_at) select id, 'ended', now() from app_user"
                " where name = 'administrator' returning id::text"
            ).fetchone()
        assert row is not None
        self.world.things["leak test"] = {"administrator": row[0]}

    def evidence(self) -> None:
        """What an auditor keeps: an export that is ready, one whose process is gone, and a query. And openings that
        somebody asked for who may decide on none: of an export, at once, and with a second person. And erasures
        and a legal hold, and a rule of retention.
        """
        export = "insert into log_export (requested_by, format, q, resolved, size, state, sha256) select id,"
        opening = "insert into opening (requested_by, reason, resolved, needs_second) select id, 'A complaint.', '',"
        erasure = "insert into erasure (requested_by, reason, document) select id, 'A request.',"
        query = "insert into saved_query (user_id, name, q) select id, 'mine', 'kind:answer'"
        made = {
            "log export": f"{export} 'csv', '', '', 0, 'ready', encode(sha256(''), 'hex')",
            "interrupted export": f"{export} 'csv', '', '', 0, 'interrupted', null",
            "saved query": query,
            "opening": f"{opening} false",
            "waiting opening": f"{opening} true",
            "erasure": f"{erasure} gen_random_uuid()",
            "waiting erasure": f"{erasure} gen_random_uuid()",
            "waiting rule": "insert into retention_rule (requested_by, kind, days, reason)"
            " select id, 'key', 90, 'A policy of ours.'",
            "legal hold": "insert into legal_hold (placed_by, reason, document) select id, 'A case.....',"
            " gen_random_uuid()",
        }
        with psycopg.connect(self.world.db.libpq("admin")) as connection:
            for kind, statement in made.items():
                returning = f"{statement} from app_user where name = 'auditor' returning id::text"
                row = connection.execute(returning.encode()).fetchone()
                assert row is not None
                self.world.things[kind] = {"auditor": row[0]}


def _grants(rule: CollectionFacts) -> list[dict[str, Any]]:
    """The facts' principals as the API takes them."""

    def one(effect: str, principal: str, **times: str) -> dict[str, Any]:
        kind, _, name = principal.partition(" ")
        return {"effect": effect, **({kind: name} if name else {"everyone": True}), **times}

    past = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"}
    return [
        *(one("allow", p) for p in rule.allow),
        *(one("deny", p) for p in rule.deny),
        *(one("allow", p, **past) for p in rule.ended),
    ]


def sign_people_in(founder: Founder) -> None:
    """Browsers of three with a passkey each, a link that nobody used, and the session that calls, which stays fresh."""
    world = founder.world
    passkeys, sessions = world.things["passkey"], world.things["session"] = {}, {}
    browsers = {}
    for name in ("reader", "outsider", SIGNED_IN):
        link = founder.send("POST", f"/users/{name}/links", {})["url"]
        browsers[name] = browser = Browser(founder.client)
        assert follow(browser, link.partition("token=")[2]).status_code == 303
        sessions[name] = browser.send("GET", "/api/v1/sessions").json()[0]["id"]
        options = browser.send("POST", "/api/v1/passkeys/options").json()["options"]
        credential = Authenticator().create(options)
        passkeys[name] = browser.send("POST", "/api/v1/passkeys", json={"credential": credential}).json()["id"]
    world.things["link"] = {"bystander": founder.send("POST", "/users/bystander/links", {})["id"]}
    own = browsers[SIGNED_IN]
    world.registration = Authenticator().create(own.send("POST", "/api/v1/passkeys/options").json()["options"])
    world.session = (("Cookie", f"{SESSION}={own.secret}"), *own.csrf.items())
    # Nothing of it is over, or written, in the time that the matrix takes.
    world.execute("update sign_in_attempt set expires_at = now() + interval '9 hours'")
    world.execute("update sign_in_session set idle_seconds = 60, idle_until = expires_at")
