"""What is asked: every route that reads, with names that are there, beside search and ask; and what bounds it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from benchmarks.company.company import Company
from benchmarks.company.passages import Sentences
from benchmarks.world import Db

# Milliseconds at 3,000 people, 500 roles, a million passages and a million records; BOUND for all others.
BOUND = 200
BOUNDS = {
    "/api/v1/users": 100, "/api/v1/roles": 100, "/api/v1/access/reach": 200, "/api/v1/audit/events": 100,
    "/api/v1/documents": 40,
}  # fmt: skip
# The same route otherwise asked, by its template.
ALSO = {
    "/api/v1/users": ("limit=100", "limit=100&text=son 29", "limit=100&role={role}", "limit=100&active=true"),
    "/api/v1/roles": ("limit=100", "limit=100&text=role-2"),
    "/api/v1/roles/{name}/members": ("limit=100", "limit=100&nested=true"),
    "/api/v1/documents": ("limit=100", "limit=100&order=changed", "limit=100&collection={collection}",
                          "limit=100&after={document}"),
    "/api/v1/collections/{name}/documents": ("limit=100", "limit=100&order=changed", "limit=100&contains=999"),
    "/api/v1/audit/events": ("limit=100", "limit=100&since={moment}", "limit=100&since={moment}&newest_first=true",
                             "limit=100&q=who:{user} kind:search"),
    "/api/v1/access/explain": ("document={document}", "document={document}&user={user}"),
    "/api/v1/access/decision": ("document={document}&user={user}",),
    "/api/v1/access/readers": ("document={document}",),
    "/api/v1/access/reach": ("user={user}", "user=employee-all", "role={role}"),
    "/api/v1/grants": ("collection={collection}", "document={document}"),
    "/api/v1/feedback": ("limit=100", "limit=100&collection={collection}"),
    "/api/v1/keys": ("limit=100", "limit=100&user={user}"),
    "/api/v1/sessions": ("limit=100", "limit=100&user={user}"),
    "/api/v1/delegations": ("limit=100",),
    "/api/v1/jobs": ("limit=100", "limit=100&state=failed"),
    "/search": ("q={words}",),
    "/access": ("document={document}&user={user}",),
    "/reach": ("user={user}",),
    "/documents/{document}/move": ("to=moved.md",),
    "/log": ("", "q=kind:search"),
}  # fmt: skip
# What is not asked, and why.
APART = {
    "/api/v1/audit/export": "streams the whole log",
    "/api/v1/audit/exports/{export}": "needs an export, which takes minutes",
    "/api/v1/audit/exports/{export}/file": "the same",
    "/api/v1/audit/exports/{export}/manifest": "the same",
    "/exports/{export}": "the same",
    "/exports/{export}/file": "the same",
    "/exports/{export}/manifest": "the same",
    "/api/v1/leak-tests/{run}": "needs a run, which takes minutes",
    "/leak-tests/{run}": "the same",
    "/answers/{answer}": "a page of an answer that is being made",
    "/answers/{answer}/events": "its stream",
    "/reviews/{review}/manifest": "needs a review that was closed",
    "/log/records/{record}": "leads on to a record",
    "/metrics": "needs a key of its own",
    "/sign-in/link": "needs a link that is good once",
    "/sign-in/{source}": "needs a provider",
    "/sign-in/{source}/callback": "the same",
    "/scim/v2/Users/{user}": "for services that keep a source: benchmarks.provisioning.scim",
    "/scim/v2/Groups/{group}": "the same",
    "/scim/v2/Users": "the same",
    "/scim/v2/Groups": "the same",
    "/scim/v2/ServiceProviderConfig": "the same",
    "/scim/v2/ResourceTypes": "the same",
    "/scim/v2/ResourceTypes/{name}": "the same",
    "/scim/v2/Schemas": "the same",
    "/scim/v2/Schemas/{urn}": "the same",
}
FACTS = """
select
  (select public_id from document where id = (select document_id from chunk c join scope s on s.id = c.scope_id
     join rule_grant g on g.rule_id = s.own_part_id join role r on r.id = g.principal_id
     where r.name = 'hundredth' and c.id >= %(first)s limit 1)) as document,
  (select c.name from collection c where id = (select d.collection_id from document d group by 1
     order by count(*) desc limit 1)) as collection,
  (select at from audit_entry where seq = (select max(seq) / 2 from audit_entry)) as moment,
  (select id from ingest_job order by created_at limit 1) as job,
  (select id from access_plan where author_id = (select id from app_user where name = %(who)s) limit 1) as plan,
  (select id from access_review limit 1) as review,
  (select id from conversation where title = 'Conversation 1' and user_id =
     (select id from app_user where name = %(who)s)) as conversation
"""
NAMES = {"employee, 100 %": "employee-all", "employee, 10 %": "employee-tenth", "employee, 1 %": "employee-few"}


@dataclass(frozen=True)
class Asked:
    """A request by its method, the template of its route and how it is asked; `paths` are taken in turn."""

    template: str
    query: str
    paths: Sequence[str]
    bodies: Sequence[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.template}?{self.query}" if self.query else self.template

    @property
    def bound(self) -> int:
        return BOUNDS.get(self.template, BOUND)


def facts_of(db: Db, company: Company, caller: str) -> dict[str, str]:
    """What stands for the parameters of routes where this caller asks."""
    with db.admin() as connection:
        cursor = connection.execute(FACTS, {"first": company.first, "who": NAMES.get(caller, caller)})
        columns = [column.name for column in cursor.description or ()]
        found = dict(zip(columns, cursor.fetchone() or (), strict=True))
    moment = found["moment"].isoformat()
    middle = str(company.sizes.records // 2)
    return {name: str(value) for name, value in found.items()} | {
        "moment": moment, "user": "user-7", "role": "role-300", "seq": middle, "words": "report", "name": "console.css",
    }  # fmt: skip


def reads(templates: Sequence[str], facts: Mapping[str, str]) -> Iterator[Asked]:
    """Every route that reads, once for each way in which it is asked."""
    for template in templates:
        if template in APART:
            continue
        for query in ALSO.get(template, ("",)):
            path = template.replace("{name}", _name_in(template, facts))
            for name, value in facts.items():
                path = path.replace(f"{{{name}}}", quote(value, safe=""))
            filled = query.format_map({name: quote(value, safe=":") for name, value in facts.items()})
            yield Asked(template, query, [f"{path}?{filled}".replace(" ", "%20") if query else path])


def questions(sentences: Sentences, passages: Sequence[int]) -> list[Asked]:
    """Search and ask, with questions about these passages."""
    asked = [sentences.question(number) for number in passages]
    return [
        Asked("POST /api/v1/search", "", ["/api/v1/search"], [{"query": text, "limit": 10} for text in asked]),
        Asked("POST /api/v1/ask", "", ["/api/v1/ask"], [{"question": text, "mode": "quote"} for text in asked]),
    ]


def _name_in(template: str, facts: Mapping[str, str]) -> str:
    """What stands for `{name}`: of a user, a role, a collection or a file."""
    if "/users/" in template or "/people/" in template:
        return facts["user"]
    if "/roles/" in template:
        return facts["role"]
    return facts["collection"] if "/collections/" in template else facts["name"]
