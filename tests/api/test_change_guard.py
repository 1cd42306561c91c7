"""Nobody changes access to their own profit: every kind of gain, on every kind of place, by every way of making it."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy import CursorResult, text

from app.acl import change_guard
from app.admin import changes
from app.web.api import plans
from app.web.http.dependencies import Caller, Changing, Writing
from tests.api.access_plans import API, act, everything, plan, policy_of
from tests.api.problems import check_problem
from tests.support.cluster import Cluster, copied
from tests.support.company import Company
from tests.support.service import app_of, client_of, parts_of
from tests.support.worker import work_queued


@dataclass(frozen=True)
class World:
    """boss, an administrator: in `mine` inside `outer`, looks after `looked`, in `suspects` inside `banned`."""

    client: TestClient
    company: Company

    def send(self, method: str, path: str, body: Any = None, who: str = "boss") -> Any:
        return self.client.request(method, f"{API}{path}", json=body, headers=self.company.headers(who))

    def must(self, method: str, path: str, body: Any = None, who: str = "root") -> Any:
        answer = self.send(method, path, body, who)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def prepared(cluster: Cluster, company_template: Company) -> Iterator[Company]:
    """The company with boss in it, once for the module."""
    keys, documents = dict(company_template.keys), dict(company_template.documents)
    with copied(cluster, company_template.db.name) as db:
        company = replace(company_template, db=db, keys=keys, documents=documents)
        with client_of(parts_of(db)) as client:
            prepare(World(client, company))
        yield company


@pytest.fixture
def company(cluster: Cluster, prepared: Company) -> Iterator[Company]:
    """That company in a database of the test's own."""
    with copied(cluster, prepared.db.name) as db:
        yield replace(prepared, db=db, keys=dict(prepared.keys))


@pytest.fixture
def world(client: TestClient, company: Company) -> World:
    """The company and the service over it."""
    return World(client, company)


def prepare(w: World) -> None:
    """Make boss, the roles around them, the rules that deny them, and what stands under those."""
    client, company = w.client, w.company
    every = ["ask", "download", "curate", "administer"]
    w.must("POST", "/users", {"name": "boss", "capabilities": every, "clearance": "internal"})
    company.keys["boss"] = w.must("POST", "/keys", {"user": "boss", "capabilities": every})["secret"]
    for role in ("outer", "banned", "secret", "top"):
        w.must("POST", "/roles", {"name": role})
    w.must("POST", "/roles", {"name": "mine", "inside": ["outer"]})
    w.must("POST", "/roles", {"name": "suspects", "inside": ["banned"]})
    w.must("POST", "/roles", {"name": "looked", "inside": ["top"]})
    for role in ("mine", "suspects"):
        w.must("PUT", f"/roles/{role}/members/boss")
    w.must("PUT", "/roles/looked/stewards/boss")
    w.must("PUT", "/collections/hr/curators/boss")
    rule = {"grants": DENIED, "label": "confidential", "inherits": False}
    w.must("PUT", "/collections/hr/access", rule)
    for folder in ("empty", "full", "full/inner"):
        w.must("PUT", f"/collections/hr/access?folder={folder}", rule)
    for path in ("top.md", "full/a.md", "full/inner/b.md"):
        answer = client.post(
            f"{API}/collections/hr/documents",
            headers=company.headers("cleo"),
            files={"file": ("file.md", b"# Salaries\n\nText.")},
            data={"path": path, "inherits": "true"},
        )
        assert answer.status_code == 202, answer.text
    work_queued(company.db)
    placed = company.rows("select path, public_id from document where path in ('top.md', 'full/a.md')")
    company.documents |= {("hr", row["path"]): row["public_id"] for row in placed}
    w.must("PUT", f"/documents/{company.documents['hr', 'top.md']}/access", rule, "cleo")


DENIED: list[dict[str, Any]] = [
    {"everyone": True},
    {"effect": "deny", "user": "boss"},
    {"effect": "deny", "role": "outer"},
    {"effect": "deny", "role": "top"},
]
PLACES = {
    "collection": "",
    "empty folder": "empty",
    "full folder": "full",
    "inner folder": "full/inner",
    "document": None,
}
LATER = "2090-01-01T00:00:00Z"
GAINS: dict[str, dict[str, Any]] = {
    "by name": {"add": {"user": "boss"}},
    "by a role": {"add": {"role": "mine"}},
    "by the role around it": {"add": {"role": "outer"}},
    "by a role looked after": {"add": {"role": "looked"}},
    "by the role around that": {"add": {"role": "top"}},
    "from later on": {"add": {"user": "boss", "starts_at": LATER}},
    "a deny by name ends": {"end": 1},
    "a deny to a role ends": {"end": 2},
    "a deny to a role around one looked after ends": {"end": 3},
    "a deny will end": {"end": 1, "add": {"effect": "deny", "user": "boss", "ends_at": LATER}},
    "a label within reach": {"label": "internal"},
    "a label below it": {"label": "public"},
    "by a role, with what lies above": {"add": {"role": "outer"}, "inherits": True},
}


def ruled(gain: dict[str, Any]) -> dict[str, Any]:
    """The rule with this gain in it."""
    grants = [g for n, g in enumerate(DENIED) if n != gain.get("end")] + ([gain["add"]] if "add" in gain else [])
    return {"grants": grants, "label": gain.get("label", "confidential"), "inherits": "inherits" in gain}


@pytest.mark.parametrize("place", PLACES)
def test_no_rule_is_to_ones_own_profit(world: World, place: str) -> None:
    """Replaced as a whole, grant by grant, and as a plan, which then needs another; nothing of it is made."""
    folder, document = PLACES[place], world.company.documents["hr", "top.md"]
    access = f"/documents/{document}/access" if folder is None else f"/collections/hr/access?folder={folder}"
    grants = f"document={document}" if folder is None else f"collection=hr&folder={folder}"
    if folder == "":
        access, grants = "/collections/hr/access", "collection=hr"
    where = {"document": str(document)} if folder is None else {"collection": "hr", "folder": folder or None}
    present = world.must("GET", f"/grants?{grants}", who="boss")
    before = policy_of(world.company)
    for what, gain in GAINS.items():
        if folder == "" and "inherits" in gain:
            continue  # a collection has nothing above it
        check_problem(world.send("PUT", access, ruled(gain)), 403, "SelfGrant")
        if "add" in gain and "end" not in gain:
            check_problem(world.send("POST", f"/grants?{grants}", gain["add"]), 403, "SelfGrant")
        if "end" in gain and "add" not in gain:
            whom = DENIED[gain["end"]]
            [found] = [g for g in present if all(g[k] == v for k, v in whom.items())]
            check_problem(world.send("DELETE", f"/grants/{found['id']}?{grants}"), 403, "SelfGrant")
        made = plan(world.client, world.company, {"change": "rule", "rule": ruled(gain), **where}, who="boss")
        assert made["needs_second"], what
        check_problem(act(world.client, world.company, made, "boss"), 403, "SelfGrant")
    assert policy_of(world.company) == before


def test_a_folder_that_goes_opens_nothing(world: World) -> None:
    """An empty one that denies, under a collection that allows: what comes later would be open."""
    world.must("POST", "/collections", {"name": "open", "grants": [{"role": "mine"}], "label": "internal"})
    deny = {"grants": [{"effect": "deny", "user": "boss"}]}
    world.must("PUT", "/collections/open/access?folder=shut", deny)
    check_problem(world.send("DELETE", "/collections/open/access?folder=shut"), 403, "SelfGrant")
    made = plan(world.client, world.company, {"change": "rule", "collection": "open", "folder": "shut", "rule": None},
                who="boss")  # fmt: skip
    assert made["needs_second"]
    lowered = {"grants": [], "label": "restricted"}
    world.must("PUT", "/collections/open/access?folder=high", lowered)
    check_problem(world.send("DELETE", "/collections/open/access?folder=high"), 403, "SelfGrant")
    check_problem(
        world.send("PUT", "/collections/open/access?folder=high/below", {"grants": [], "label": "internal"}),
        403,
        "SelfGrant",
    )


def test_a_new_collection_is_not_for_oneself(world: World) -> None:
    for grant in ({"user": "boss"}, {"role": "outer"}, {"role": "top"}):
        check_problem(world.send("POST", "/collections", {"name": "new", "grants": [grant]}), 403, "SelfGrant")
    world.must("POST", "/collections", {"name": "new", "grants": [{"everyone": True}]}, "boss")


STANDING: dict[str, tuple[str, str, Any]] = {
    "join": ("PUT", "/roles/secret/members/boss", None),
    "leave": ("DELETE", "/roles/suspects/members/boss", None),
    "nest one's own role": ("PUT", "/roles/mine/inside/secret", None),
    "nest the role around it": ("PUT", "/roles/outer/inside/secret", None),
    "unnest a denied role": ("DELETE", "/roles/suspects/inside/banned", None),
    "delete a role that one is in": ("DELETE", "/roles/suspects", None),
    "delete the role around it": ("DELETE", "/roles/banned", None),
    "nest a role looked after": ("PUT", "/roles/looked/inside/secret", None),
    "nest the role around that": ("PUT", "/roles/top/inside/secret", None),
    "unnest a role looked after": ("DELETE", "/roles/looked/inside/top", None),
    "delete the role around that one": ("DELETE", "/roles/looked", None),
    "look after a role": ("PUT", "/roles/secret/stewards/boss", None),
    "curate": ("PUT", "/collections/board/curators/boss", None),
    "clearance": ("PATCH", "/users/boss", {"clearance": "restricted"}),
    "capabilities": ("PATCH", "/users/boss", {"capabilities": ["ask", "download", "curate", "administer", "audit"]}),
    "switch oneself off": ("PATCH", "/users/boss", {"active": False}),
    "a key that may more": ("POST", "/keys", {"user": "boss", "capabilities": ["audit"]}),
    "a new role in one's own": ("POST", "/collections", {"name": "x", "grants": [{"user": "boss"}]}),
}


@pytest.mark.parametrize("what", STANDING)
def test_nobody_rises(world: World, what: str) -> None:
    method, path, body = STANDING[what]
    before = everything(world.company)
    check_problem(world.send(method, path, body), 403, "SelfGrant")
    assert everything(world.company) == before


PLANNED: dict[str, dict[str, Any]] = {
    "join": {"change": "join", "user": "boss", "role": "secret"},
    "leave": {"change": "leave", "user": "boss", "role": "suspects"},
    "nest one's own role": {"change": "nest", "role": "outer", "inside": "secret"},
    "unnest a denied role": {"change": "unnest", "role": "suspects", "inside": "banned"},
    "nest a role looked after": {"change": "nest", "role": "looked", "inside": "secret"},
    "clearance": {"change": "clearance", "user": "boss", "clearance": "restricted"},
}


@pytest.mark.parametrize("what", PLANNED)
def test_as_a_plan_it_takes_another(world: World, second: str, what: str) -> None:
    """Every kind of step that changes who somebody is; what the author may not do alone, another one may."""
    made = plan(world.client, world.company, PLANNED[what], who="boss")
    assert made["needs_second"]
    check_problem(act(world.client, world.company, made, "boss"), 403, "SelfGrant")
    assert act(world.client, world.company, made, second).status_code == 200


def test_every_kind_of_step_is_tried() -> None:
    """A new kind of change in a plan has to be added to the attacks above."""
    kinds = {
        value
        for change in get_args(get_args(plans.AnyChange)[0])
        for value in get_args(change.model_fields["change"].annotation)
    }
    assert kinds == {"rule", "grant", "revoke", "join", "leave", "nest", "unnest", "clearance"}
    assert {c.__name__ for c in vars(changes).values() if isinstance(c, type) and c.__name__.endswith("Step")} == {
        "PlanStep", "RuleStep", "GrantStep", "MemberStep", "NestingStep", "ClearanceStep",
    }  # fmt: skip


def test_what_is_not_to_ones_profit_goes_through(world: World) -> None:
    """The judge is no wall for an administrator's work: on others, and away from oneself."""
    for method, path, body in (
        ("PUT", "/roles/secret/members/ben", None),
        ("DELETE", "/roles/secret/members/ben", None),
        ("PUT", "/roles/hr/inside/secret", None),
        ("DELETE", "/roles/hr/inside/secret", None),
        ("DELETE", "/roles/secret", None),
        ("DELETE", "/roles/looked/stewards/boss", None),
        ("DELETE", "/collections/hr/curators/boss", None),
        ("PATCH", "/users/boss", {"clearance": "public", "display_name": "Boss"}),
        ("PATCH", "/users/ben", {"clearance": "restricted", "capabilities": ["ask", "audit"]}),
        ("POST", "/keys", {"user": "boss", "capabilities": ["ask"]}),
        ("POST", "/keys", {"user": "audrey", "capabilities": ["audit"]}),
        ("PUT", "/collections/hr/access", {"grants": [*DENIED, {"role": "managers"}], "label": "restricted"}),
        ("POST", "/roles", {"name": "fresh", "inside": ["mine"]}),
        ("PATCH", "/users/boss", {"capabilities": ["ask", "administer"]}),
    ):
        assert world.send(method, path, body).is_success, path


@pytest.mark.parametrize("order", ["rule anew", "delete"])
def test_an_upload_that_waits_is_no_way_around(world: World, order: str) -> None:
    """Its tags would not be hers to read: a rule given anew to the document, or its deletion, must not replace them."""
    w, document = world, world.company.documents["hr", "full/a.md"]
    anew = order == "rule anew"
    tags: dict[str, Any] = {"roles": ["secret"]} if anew else {"roles": ["mine"], "label": "internal"}
    own: dict[str, Any] = {"grants": [{"role": "mine"}], "label": "internal", "inherits": False}
    if not anew:
        own = {"grants": [{"effect": "deny", "user": "boss"}], "inherits": True}
    else:
        w.must("PUT", f"/documents/{document}/access", own, "hank")
    sent = w.client.post(
        f"{API}/collections/hr/documents",
        headers=w.company.headers("cleo"),
        files={"file": ("file.md", b"# Anew\n\nWhat boss may not read.")},
        data={"path": "full/a.md", **tags},
    )
    assert sent.status_code == 202
    if order == "delete":
        w.must("PUT", f"/documents/{document}/access", own, "cleo")
        check_problem(w.send("DELETE", f"/documents/{document}"), 403, "SelfGrant")
        return
    check_problem(w.send("PUT", f"/documents/{document}/access", own), 403, "SelfGrant")


# --- Without one of its parts, the attacks go through: the tests above are what holds it.


@pytest.mark.parametrize(
    ("part", "attack"),
    [
        ("gains", ("POST", "/grants?collection=hr&folder=empty", {"user": "boss"})),
        ("_risen", STANDING["delete a role that one is in"]),
        ("_risen", STANDING["a key that may more"]),
        ("_otherwise", STANDING["nest a role looked after"]),
        ("_otherwise", STANDING["delete the role around that one"]),
        ("changed_rules", ("PUT", "/collections/hr/access?folder=empty", ruled(GAINS["a label within reach"]))),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1],
)
def test_without_a_part_of_the_judge(
    world: World, monkeypatch: pytest.MonkeyPatch, part: str, attack: tuple[str, str, Any]
) -> None:
    nothing: Callable[..., Any] = {"gains": lambda *_: False, "_otherwise": lambda *_: False}.get(part, lambda *_: [])
    monkeypatch.setattr(change_guard, part, nothing)
    assert world.send(*attack).is_success


def test_a_scope_that_is_pointed_to_another_rule_is_judged(world: World) -> None:
    """By whatever statement: no rule of a collection or folder changes, and no document moves."""
    w = world
    w.must("POST", "/collections", {"name": "mine", "grants": [{"role": "mine"}], "label": "internal"})
    router = APIRouter()
    pointed = text(
        "update scope set rule_id = (select s.rule_id from scope s join collection c on c.id = s.collection_id"
        " where c.name = 'mine') where collection_id = (select id from collection where name = 'hr')"
    )

    def write(session: Changing) -> None:
        assert cast(CursorResult[Any], session.execute(pointed)).rowcount > 0

    router.add_api_route("/pointed", write, methods=["POST"], status_code=204)
    app_of(w.client).include_router(router)
    check_problem(w.client.post("/pointed", headers=w.company.headers("boss")), 403, "SelfGrant")


def test_a_judge_for_somebody_else_is_refused(client: TestClient, company: Company) -> None:
    """A transaction is judged by what its own user gains."""
    router = APIRouter()

    def write(subject: Caller, session: Writing) -> None:
        change_guard.guard_change(session, type(subject)(**{**vars(subject), "user_id": uuid.uuid4()}))

    router.add_api_route("/mutated", write, methods=["POST"], status_code=204)
    app_of(client).include_router(router)
    check_problem(client.post("/mutated", headers=company.headers("root")), 500, "InternalError")
