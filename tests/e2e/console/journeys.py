"""The pages of the console by who uses them, and a site that has something on each of them."""

import datetime as dt
import json
from collections.abc import Mapping

from app.client.api import Client
from tests.e2e.browser_site import Site
from tests.support.audit_order import sequence

# A leak test that found something.
REPORT = {
    "failures": [
        {"surface": "GET /documents", "person": "in B", "wrong": "leak", "canary": "title of for A", "where": "$[0]"}
    ],
    "matrix": [{"surface": "GET /documents", "verdicts": {"in A": "holds", "in B": "fails"}}],
    "people": {"in A": "in role A", "in B": "in role B"},
    "requests": 7,
    "seconds": 1.5,
    "stays": "The service keeps the users, switched off.",
}
QUESTION = "How many weeks of parental leave does an employee get?"
PAGES: Mapping[str, tuple[str, ...]] = {
    "ada": (
        "first",
        "search",
        "nothing found",
        "documents",
        "document",
        "conversations",
        "conversation",
        "me",
        "absent",
    ),
    "nora": ("first", "me"),
    "admin": (
        "people",
        "nobody like that",
        "person",
        "what they read",
        "roles",
        "role",
        "sources",
        "groups",
        "keys",
        "sessions",
        "health",
        "leak tests",
        "leak test",
    ),
    "cleo": (
        "collections",
        "collection",
        "document",
        "upload",
        "what askers say",
        "access of a collection",
        "access of a document",
        "moving",
        "deleting",
        "plans",
        "plan",
        "grants",
        "jobs",
        "reach",
        "who may read",
        "decision",
        "reviews",
        "review",
        "closing",
    ),
    "audrey": (
        "log",
        "wrong query",
        "record",
        "replay",
        "shown",
        "shown to nobody",
        "exposure",
        "unusual",
        "heads",
        "openings",
        "words",
        "exports",
        "export",
        "erasures",
        "retention",
        "holds",
    ),
}


def prepare(site: Site) -> dict[str, str]:
    """Addresses by name: a conversation with an answer, a document, and so on."""
    with Client(site.url, site.company.keys["ada"]) as ada:
        conversation = ada.post("/conversations", {})["id"]
        for mode in ("quote", "generate"):
            answer = ada.post("/ask", {"question": QUESTION, "mode": mode, "conversation": conversation})
        ada.post(
            "/feedback", {"token": answer["feedback"], "helpful": False, "reason": "outdated", "question": QUESTION}
        )
    with site.administrator as root:
        root.post("/roles", {"name": "seniors", "inside": ["engineering"]})
        root.put("/roles/seniors/members/mia")
    with Client(site.url, site.company.keys["cleo"]) as cleo:
        review = cleo.post("/access/reviews", {"collection": "hr", "title": "Autumn"})["id"]
        [first, *_] = cleo.get(f"/access/reviews/{review}/items")
        cleo.put(f"/access/reviews/{review}/items/{first['id']}", {"decision": "withdraw"})
        soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).isoformat()
        timed, plan = (
            cleo.post("/access/plans", {"changes": [{"change": "grant", "collection": "hr", "grant": grant}]})["id"]
            for grant in ({"user": "ben", "ends_at": soon}, {"role": "managers"})
        )
        cleo.post(f"/access/plans/{timed}/apply", {})
    site.company.execute(
        "insert into leak_test_run (started_by, state, ended_at, failures, report)"
        f" select id, 'ended', now(), 1, '{json.dumps(REPORT)}' from app_user where name = 'admin'"
    )
    [run] = site.company.rows("select id from leak_test_run")
    # Ada was shown far more today than on her days before.
    for back, number in enumerate((70, 8, 9, 10, 9, 8)):
        site.company.execute(
            "insert into audit_day (day, actor, way, documents) select (now() at time zone 'UTC')::date"
            f" - {back}, id, 'shown', array(select gen_random_uuid() from generate_series(1, {number})) from app_user"
            " where name = 'ada' on conflict do nothing"
        )
    sequence(site.company.db)
    _forget(site)
    with Client(site.url, site.company.keys["audrey"]) as audrey:
        audrey.post("/audit/queries", {"name": "Ada’s answers", "q": "who:ada kind:answer"})
        export = audrey.post("/audit/exports", {"q": "who:ada", "format": "csv"})["id"]
        record = site.company.records("answer.opened")[-1]["id"]
        opening = audrey.post("/audit/openings", {"reason": "Complaint 17: what was she told?", "record": record})
    [asked] = site.company.rows("select max(seq) as seq from audit_entry where kind = 'answer.opened'")
    salaries = site.company.documents["hr", "salaries.md"]
    return {
        "first": "/",
        "people": "/people",
        "nobody like that": "/people?text=zzz",
        "person": "/people/ada",
        "what they read": "/people/ada/reading",
        "roles": "/roles",
        "role": "/roles/engineering",
        "sources": "/sources",
        "groups": "/sources/groups",
        "keys": "/keys",
        "sessions": "/sessions",
        "health": "/health?look=now",
        "leak tests": "/leak-tests",
        "leak test": f"/leak-tests/{run['id']}",
        "collections": "/collections",
        "collection": "/collections/hr",
        "upload": "/collections/hr/upload",
        "what askers say": "/collections/handbook/feedback",
        "access of a collection": "/collections/hr/access",
        "access of a document": f"/documents/{salaries}/access",
        "moving": f"/documents/{salaries}/move?to=pay%2Fsalaries.md",
        "deleting": f"/documents/{salaries}/delete",
        "plans": "/plans",
        "plan": f"/plans/{plan}",
        "grants": "/grants",
        "jobs": "/jobs",
        "reach": "/reach?user=ada",
        "who may read": "/access",
        "decision": f"/access?user=ada&document={salaries}",
        "reviews": "/reviews",
        "review": f"/reviews/{review}",
        "closing": f"/reviews/{review}/close",
        "log": "/log",
        "wrong query": "/log?q=kind:answers",
        "record": f"/log/{asked['seq']}",
        "replay": f"/replays/{answer['trail']}",
        "shown": "/shown?user=ada",
        "shown to nobody": f"/shown?document={salaries}&until=2026-01-01",
        "exposure": f"/exposure?document={salaries}&since=2026-01-01",
        "unusual": "/unusual",
        "heads": "/heads",
        "openings": "/openings",
        "words": f"/log/{opening['seq']}?opening={opening['id']}",
        "exports": "/exports",
        "export": f"/exports/{export}",
        "erasures": "/erasures",
        "retention": "/retention",
        "holds": "/holds",
        "search": "/search?q=parental+leave",
        "nothing found": '/search?q="no+such+words"',
        "documents": "/documents",
        "document": f"/documents/{site.company.documents['handbook', 'leave.md']}",
        "conversations": "/conversations",
        "conversation": f"/conversations/{conversation}",
        "me": "/me",
        "absent": "/documents/11111111-2222-4333-8444-555555555555",
    }


def _forget(site: Site) -> None:
    """A leaver is to be erased, another was, and there are holds; the auditor may decide on the one and lift these."""
    with site.administrator as root:
        for name in ("lea", "leo"):
            root.post("/users", {"name": name, "capabilities": [], "clearance": "internal"})
            root.patch(f"/users/{name}", {"active": False})
    site.company.execute("update app_user set capabilities = '{audit,open,export,erase,hold}' where name = 'audrey'")
    with Client(site.url, site.company.keys["max"]) as desk:
        asked = [
            desk.post("/erasures", {"user": name, "reason": "Request 2026-31 under article 17."})["id"]
            for name in ("leo", "lea")
        ]
        site.company.execute(
            "insert into erasure (person, requested_by, decided_by, decided_at, approved, counts)"
            ' select gen_random_uuid(), requested_by, person, now(), true, \'{"key": 1, "conversations": 3}\''
            f" from erasure where id = '{asked[0]}'"
        )
        for kind, label, days in (("answer", "public", 365), ("answer", None, 730), ("session", None, 90)):
            desk.post("/retention", {"kind": kind, "label": label, "days": days, "reason": "Agreed with the council."})
        site.company.execute(
            "update retention_rule set decided_by = gen_random_uuid(), decided_at = now(), approved = kind <> 'session'"
            " where days <> 365; update retention_rule set pruned = 1204, pruned_before = now() - interval '730 days'"
            " where days = 730"
        )
        for of in ({"user": "mia"}, {"document": str(site.company.documents["hr", "salaries.md"])}):
            desk.post("/holds", {**of, "reason": "Case 12 of the court."})
