"""Nobody changes access to their own profit: every kind of gain, on every kind of place, by every way of making it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from app.acl import change_guard
from tests.api.access_plans import API, act, everything, plan, policy_of
from tests.api.folders import put
from tests.api.problems import check_problem
from tests.support.company import Company, copied_company
from tests.support.service import client_of, parts_of
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
def prepared(company_template: Company) -> Iterator[Company]:
    with copied_company(company_template) as company:
        with client_of(parts_of(company.db)) as client:
            prepare(World(client, company))
        yield company


@pytest.fixture
def company(prepared: Company) -> Iterator[Company]:
    with copied_company(prepared) as made:
        yield made


@pytest.fixture(scope="module")
def refusing(prepared: Company) -> Iterator[World]:
    """One world for all attacks, of which none changes anything."""
    with copied_company(prepared) as company, client_of(parts_of(company.db)) as client:
        yield World(client, company)


@pytest.fixture
def world(client: TestClient, company: Company) -> World:
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
        put(client, company, path)
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
# Where a rule may stand, as grants and plans name it; the document's id is the world's.
PLACES: dict[str, dict[str, str]] = {
    "collection": {"collection": "hr"},
    "empty folder": {"collection": "hr", "folder": "empty"},
    "full folder": {"collection": "hr", "folder": "full"},
    "inner folder": {"collection": "hr", "folder": "full/inner"},
    "document": {},
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
    grants = [g for n, g in enumerate(DENIED) if n != gain.get("end")] + ([gain["add"]] if "add" in gain else [])
    return {"grants": grants, "label": gain.get("label", "confidential"), "inherits": "inherits" in gain}


@pytest.mark.parametrize("place", PLACES)
def test_no_rule_is_to_ones_own_profit(refusing: World, place: str) -> None:
    """Replaced as a whole, grant by grant, and as a plan, which then needs another; nothing of it is made."""
    world, document = refusing, str(refusing.company.documents["hr", "top.md"])
    where = PLACES[place] or {"document": document}
    grants, folder = urlencode(where), where.get("folder")
    access = "/collections/hr/access" + (f"?folder={folder}" if folder else "")
    access = f"/documents/{document}/access" if place == "document" else access
    present = world.must("GET", f"/grants?{grants}", who="boss")
    before = policy_of(world.company)
    for what, gain in GAINS.items():
        if place == "collection" and "inherits" in gain:
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
def test_nobody_rises(refusing: World, what: str) -> None:
    method, path, body = STANDING[what]
    before = everything(refusing.company)
    check_problem(refusing.send(method, path, body), 403, "SelfGrant")
    assert everything(refusing.company) == before


def test_roles_make_no_circle(refusing: World) -> None:
    check_problem(refusing.send("PUT", "/roles/outer/inside/mine", who="root"), 422, "InvalidInput")


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


def test_what_is_not_to_ones_profit_goes_through(world: World) -> None:
    """The guard lets an administrator work: on others, and away from oneself."""
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


def test_an_upload_that_waits_is_no_way_around(world: World) -> None:
    """Its tags would not be hers to read: a rule given anew to the document must not replace them."""
    place = f"/documents/{world.company.documents['hr', 'full/a.md']}/access"
    own = {"grants": [{"role": "mine"}], "label": "internal", "inherits": False}
    world.must("PUT", place, own, "hank")
    put(world.client, world.company, "full/a.md", text="anew", roles=["secret"])
    check_problem(world.send("PUT", place, own), 403, "SelfGrant")


def test_nor_is_a_deletion_while_an_upload_waits(world: World) -> None:
    document = f"/documents/{world.company.documents['hr', 'full/a.md']}"
    put(world.client, world.company, "full/a.md", text="anew", roles=["mine"], label="internal")
    world.must("PUT", f"{document}/access", {"grants": [{"effect": "deny", "user": "boss"}]}, "cleo")
    check_problem(world.send("DELETE", document), 403, "SelfGrant")


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
