"""The facts as a running company: founded over HTTP."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from fastapi.testclient import TestClient

from app.local.administrator import create_first_administrator
from tests.api.declaring import CREW_DOCUMENT, MOMENT, OPEN_DOCUMENT, QUESTION
from tests.api.matrix_facts import (
    CALLING,
    EVERY,
    FOLDERS,
    LENDABLE,
    PEOPLE,
    ROLES,
    SHELVES,
    UPLOADERS,
    Shelf,
    content_of,
    folder_on,
    path_on,
    shelf_name,
)
from tests.support.cluster import Db
from tests.support.service import client_of, parts_of
from tests.support.worker import work_queued

Send = Callable[[str, str, Any], Any]
NO_GRANT = "0" * 32


@dataclass
class World:
    """The founded company: keys by name, public ids by shelf, and the values that stand for places in a case."""

    db: Db
    keys: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    # By kind and shelf: the id of one grant of what stands there.
    grants: dict[str, dict[str, str]] = field(default_factory=lambda: {k: {} for k in ("shelf", "document", "folder")})
    # By kind and owner: the id of one thing of theirs.
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    moment: str = ""

    def headers(self, name: str) -> dict[str, str]:
        """The header that makes a request one of this key's."""
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def execute(self, statement: str) -> None:
        """Run a statement as the superuser."""
        with psycopg.connect(self.db.libpq("admin"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def places(self, person: str | None) -> dict[str, str]:
        """What stands in cases for ids that only a founded world has, some of them the caller's own."""
        return {
            CREW_DOCUMENT: self.documents["crew"],
            OPEN_DOCUMENT: self.documents["open"],
            MOMENT: self.moment,
        }


def found(db: Db) -> World:
    """Found the company of the facts in an empty database."""
    world = World(db)
    world.keys["root"] = create_first_administrator(db.url("owner")).secret
    with client_of(parts_of(db)) as client:
        send = _administering(world, client)
        _people(world, send)
        for shelf, rule in SHELVES.items():
            body = {"name": shelf_name(shelf), "label": rule.label, "grants": _grants(rule)}
            send("POST", "/collections", body)
        for person, facts in PEOPLE.items():
            for shelf in facts.curates:
                send("PUT", f"/collections/{shelf_name(shelf)}/curators/{person}", None)
        for shelf in SHELVES:
            world.jobs[shelf] = _upload(world, client, shelf)
        work_queued(db)
        _places(world)
        for shelf in SHELVES:
            _rule(world, client, shelf)
        for shelf in FOLDERS:
            _folder(world, client, shelf)
        _tokens(world, client, send)
        _own_things(world, client)
    return world


def _administering(world: World, client: TestClient) -> Send:
    def send(method: str, path: str, body: Any) -> Any:
        answer = client.request(method, f"/api/v1{path}", json=body, headers=world.headers("root"))
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    return send


def _people(world: World, send: Send) -> None:
    world.things["key"] = {}

    def key(name: str, user: str, allowed: tuple[str, ...], **more: str) -> str:
        made = send("POST", "/keys", {"user": user, "capabilities": allowed, **more})
        world.keys[name] = made["secret"]
        return str(made["id"])

    for role, inside in ROLES.items():
        send("POST", "/roles", {"name": role, "inside": inside})
    for name, person in PEOPLE.items():
        fields = {"name": name, "capabilities": person.capabilities, "clearance": person.clearance}
        send("POST", "/users", fields)
        for role in person.roles:
            send("PUT", f"/roles/{role}/members/{name}", None)
        for role in person.looks_after:
            send("PUT", f"/roles/{role}/stewards/{name}", None)
        made = key(name, name, EVERY if name == "bare" else person.capabilities)
        if name in {"reader", "outsider", "keeper", "administrator"}:
            world.things["key"][name] = made
    past = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)).isoformat()
    key("expired key", "strong", EVERY, expires_at=past)
    key("weak key", "strong", ())
    key("deactivated person", "gone", EVERY)
    world.things["dead key"] = {"strong": key("revoked key", "strong", EVERY)}
    for bot in ("bot", "other bot"):
        name = bot.replace(" ", "-")
        send("POST", "/users", {"name": name, "kind": "service", "capabilities": ["ask", "download"]})
        key(bot, name, EVERY)


def _tokens(world: World, client: TestClient, send: Send) -> None:
    """A token of everybody who may lend, and those that no longer count."""
    kept = world.things["delegation"] = {}

    def token(name: str, by: str, capabilities: Iterable[str]) -> str:
        body = {"service": "bot", "expires_in": 3600, "capabilities": sorted(capabilities)}
        answer = client.post("/api/v1/delegations", headers=world.headers(by), json=body)
        assert answer.status_code == 201, answer.text
        world.tokens[name] = answer.json()["secret"]
        return str(answer.json()["id"])

    for name in CALLING:
        if lent := LENDABLE & set(PEOPLE[name].capabilities):
            made = token(name, name, lent)
            if name in {"reader", "outsider", "keeper"}:
                kept[name] = made
    expired = token("expired", "strong", LENDABLE)
    world.execute(f"update delegation set expires_at = now() where id = '{expired}'")
    send("DELETE", f"/delegations/{token('revoked', 'strong', LENDABLE)}", None)
    token("of a revoked key", "revoked key", LENDABLE)
    send("DELETE", f"/keys/{world.things.pop('dead key')['strong']}", None)
    token("of a deactivated person", "gone", LENDABLE)
    send("PATCH", "/users/gone", {"active": False})


def _own_things(world: World, client: TestClient) -> None:
    """A conversation with a turn of everybody who may ask, and plans of three."""
    talks, turns, plans = {}, {}, {}
    for name in CALLING:
        if "ask" in PEOPLE[name].capabilities:
            headers = world.headers(name)
            talks[name] = client.post("/api/v1/conversations", headers=headers).json()["id"]
            body = {"question": QUESTION, "conversation": talks[name]}
            answer = client.post("/api/v1/ask", headers=headers, json=body)
            assert answer.status_code == 200, answer.text
            turns[name] = answer.json()["trail"]
    for name in ("keeper", "administrator", "curator"):
        body = {"changes": [{"change": "grant", "collection": shelf_name("crew"), "grant": {"user": "bystander"}}]}
        answer = client.post("/api/v1/access/plans", headers=world.headers(name), json=body)
        assert answer.status_code == 201, answer.text
        plans[name] = answer.json()["id"]
    world.things |= {"conversation": talks, "turn": turns, "plan": plans}
    world.moment = dt.datetime.now(dt.UTC).isoformat()


def _folder(world: World, client: TestClient, shelf: str) -> None:
    """A folder's rule, under which no document lies."""
    place = f"/api/v1/collections/{shelf_name(shelf)}/access"
    params, rule = {"folder": folder_on(shelf)}, {"grants": [{"role": "tags"}], "inherits": True}
    answer = client.put(place, params=params, headers=world.headers("keeper"), json=rule)
    assert answer.status_code == 200, answer.text
    listed = client.get(
        "/api/v1/grants", params={"collection": shelf_name(shelf), **params}, headers=world.headers("keeper")
    )
    world.grants["folder"][shelf] = listed.json()[0]["id"]


def _grants(rule: Shelf) -> list[dict[str, Any]]:
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


def _upload(world: World, client: TestClient, shelf: str) -> str:
    """Upload a shelf's document under a tag of the founders; its rule comes after."""
    answer = client.post(
        f"/api/v1/collections/{shelf_name(shelf)}/documents",
        headers=world.headers(UPLOADERS[shelf]),
        files={"file": ("file.md", content_of(shelf).encode())},
        data={"path": path_on(shelf), "roles": ["tags"]},
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _places(world: World) -> None:
    with psycopg.connect(world.db.libpq("admin")) as connection:
        rows = connection.execute(
            "select d.public_id, c.name from document d join collection c on c.id = d.collection_id"
        ).fetchall()
    names = {shelf_name(s): s for s in SHELVES} | {"_canary": "_canary"}
    world.documents = {names[name]: str(public_id) for public_id, name in rows}


def _rule(world: World, client: TestClient, shelf: str) -> None:
    """Give a document its rule: its shelf's grants as its own, or inherited, or both. Keeps the grants' ids."""
    own = _grants(SHELVES[shelf])
    answer = client.put(
        f"/api/v1/documents/{world.documents[shelf]}/access",
        headers=world.headers("keeper"),
        json={"grants": own, "inherits": not own or shelf == "vault"},
    )
    assert answer.status_code == 200, answer.text
    for kept, query in (
        (world.grants["shelf"], {"collection": shelf_name(shelf)}),
        (world.grants["document"], {"document": world.documents[shelf]}),
    ):
        listed = client.get("/api/v1/grants", params=query, headers=world.headers("keeper")).json()
        if listed:
            kept[shelf] = next(g for g in listed if g["effect"] == "allow")["id"]
