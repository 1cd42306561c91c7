"""Records of the log in plain words: what somebody did, and what stands in a record beside that."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.admin.event_views import EventView
from app.audit.query import Choice, LogQuery
from app.evidence.records import is_sealed, part


def _(message: str) -> str:
    """Marks a message for the catalogues; it is translated where it is shown."""
    return message


# What the actor did, behind their name.
KIND_WORDS: Mapping[str, str] = {
    "answer.opened": _("asked"),
    "answer.closed": _("ended an answer"),
    "answer.feedback": _("said how an answer helped"),
    "search.done": _("searched"),
    "conversation.read": _("read a conversation back"),
    "conversation.deleted": _("deleted a conversation"),
    "document.opened": _("read a document"),
    "document.downloaded": _("downloaded a document"),
    "document.uploaded": _("uploaded a file"),
    "document.indexed": _("made a version of a document searchable"),
    "document.failed": _("could not index a file"),
    "document.deleted": _("deleted a document"),
    "upload.removed": _("removed an upload"),
    "policy.changed": _("changed who may read something"),
    "change.refused": _("was refused a change"),
    "signin.refused": _("was refused at the sign-in"),
    "session.started": _("signed in"),
    "session.ended": _("ended a session"),
    "link.made": _("created a sign-in link"),
    "link.revoked": _("took a sign-in link back"),
    "passkey.made": _("registered a passkey"),
    "passkey.revoked": _("removed a passkey"),
    "plan.made": _("planned a change"),
    "plan.applied": _("made a planned change"),
    "plan.withdrawn": _("withdrew a planned change"),
    "review.opened": _("opened an access review"),
    "review.decided": _("decided on a grant in a review"),
    "review.closed": _("closed an access review"),
    "key.made": _("created an API key"),
    "key.changed": _("changed an API key"),
    "key.revoked": _("revoked an API key"),
    "delegation.made": _("let a service act for them"),
    "delegation.revoked": _("ended a delegation"),
    "user.made": _("created a user"),
    "user.changed": _("changed a user"),
    "user.removed": _("deleted a user"),
    "role.made": _("created a role"),
    "role.changed": _("changed a role"),
    "role.removed": _("deleted a role"),
    "role.joined": _("put somebody into a role"),
    "role.left": _("took somebody out of a role"),
    "audit.read": _("read the log"),
    "audit.exported": _("exported the log"),
    "audit.downloaded": _("downloaded an export of the log"),
    "opening.requested": _("asked to open sealed words"),
    "opening.decided": _("decided whether words are opened"),
    "erasure.requested": _("asked to erase a person"),
    "erasure.decided": _("decided whether a person is erased"),
    "hold.placed": _("placed a legal hold"),
    "hold.lifted": _("lifted a legal hold"),
    "retention.requested": _("asked for a rule of how long records are kept"),
    "retention.decided": _("decided on a rule of how long records are kept"),
    "log.pruned": _("removed records by the rules of how long they are kept"),
    "signingkey.changed": _("began to sign the log's heads with another key"),
    "delivery.configured": _("changed where the log is delivered to"),
    "delivery.retried": _("had refused records of the log delivered again"),
    "leaktest.started": _("started a leak test"),
    "leaktest.ended": _("ended a leak test"),
    "guardrail.checked": _("tried the guardrail on a text"),
    "pseudonym.revealed": _("revealed what a pseudonym stands for"),
    "pseudonym.refused": _("was refused what a pseudonym stands for"),
}
OUTCOME_WORDS: Mapping[str, str] = {
    "answered": _("answered"), "quoted": _("quoted"), "may_help": _("passages that may help"),
    "nothing": _("nothing found"), "asked_back": _("asked back"), "refused": _("refused"), "failed": _("failed"),
    "abandoned": _("abandoned"), "hung_up": _("hung up"),
}  # fmt: skip
# How somebody was shown a document.
WAY_WORDS: Mapping[str, str] = {
    "answers": _("Answers"), "searches": _("Searches"), "opened": _("Opened"), "downloaded": _("Downloaded"),
    "read_back": _("Read back"),
}  # fmt: skip
# What lists offer beside the auditor's own queries.
OFFERED: Mapping[str, str] = {
    "kind:answer": _("Answers"),
    "kind:search": _("Searches"),
    "kind:document": _("Documents"),
    "kind:change,plan,policy,review,role": _("Changes of access"),
    "kind:link,passkey,session,signin": _("Sign-ins"),
    "kind:audit": _("Looks at the log"),
    "kind:opening": _("Openings of words"),
    "-kind:audit.read": _("All but looks"),
}
# What a line of a list shows of a record.
SUMMED_UP = ("action", "target", "name", "reason", "cause", "means", "document", "format", "decision", "prefix")
# In every record, and shown apart from its own fields.
COMMON = frozenset({"actor", "at", "id", "kind", "trail", "v", "writer"})
# Fields in whose id a query finds what else was recorded of it.
_DOCUMENTS, _COLLECTIONS = frozenset({"document"}), frozenset({"collection"})
# Values of one field that are shown without being asked for.
MAX_SHOWN = 6
_PEOPLE = frozenset({"user", "person", "service"})
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


@dataclass(frozen=True)
class EventActor:
    """Who did it, as they were called then; `q` finds all that is recorded of them. Without a name: nobody known."""

    name: str
    q: str
    via: str


@dataclass(frozen=True)
class ExcerptView:
    """What was shown of a source of an answer: its number there, its document's id, and the quote."""

    number: str
    document: str
    quote: str


@dataclass(frozen=True)
class FieldView:
    """A field of a record: a text, or what it is made of as JSON, `many` values of it; `q` finds what else was recorded
    of its value.

    `sealed`: it holds personal words. `words` are these in the clear, where they were opened; `lack` says why there are
    none: erased, unreadable, or commitment, where only that was kept. `excerpts`: the words, where they are these.
    """

    name: str
    text: str = ""
    json: str = ""
    many: bool = False
    q: str = ""
    sealed: bool = False
    words: str = ""
    lack: str = ""
    excerpts: tuple[ExcerptView, ...] = ()


def actor_of(event: EventView) -> EventActor:
    """Who did what this record says."""
    actor = part(event.record, "actor")
    name, user = event.name or "", part(actor, "user") or ""
    found = LogQuery(who=Choice(frozenset({user or name}))).text if user or name else ""
    return EventActor(str(name or user), found, str(part(part(actor, "via"), "name") or ""))


def summary_of(event: EventView) -> str:
    """A few of a record's own values, for a line of a list: never personal words."""
    record: Mapping[str, Any] = event.record or {}
    found = [
        part(part(record, "filters"), "q"),
        *(_named(record.get(name), event.names) for name in SUMMED_UP),
    ]
    return " · ".join(str(value) for value in found if isinstance(value, str | int) and value != "")


def fields_of(event: EventView) -> Iterator[FieldView]:
    """What a record has beside what every record has, without its passages, which are a table."""
    for name, value in (event.record or {}).items():
        if name not in COMMON and not (name == "passages" and passages_of(event)):
            yield _field(name, value, event.opened.get(name), event.names)


def _field(name: str, value: object, opened: Mapping[str, Any] | None, called: Mapping[str, str]) -> FieldView:
    if is_sealed(value):
        given: Mapping[str, Any] = opened or {}
        lacks = ("erased", "unreadable") if opened is not None else ()
        lack = next((each for each in lacks if given.get(each)), "commitment" if opened and "text" not in given else "")
        words = str(given.get("text", ""))
        return FieldView(name, sealed=True, words=words, lack=lack, excerpts=_excerpts(name, words))
    if isinstance(value, Mapping | list):
        listed = [_named(each, called) for each in value] if isinstance(value, list) else value
        shown = json.dumps(listed, indent=1, ensure_ascii=False) if value else ""
        return FieldView(name, json=shown, many=len(value) > MAX_SHOWN)
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    qualifiers = (("document", _DOCUMENTS), ("collection", _COLLECTIONS), ("who", _PEOPLE))
    q = next((f"{qualifier}:{text}" for qualifier, names in qualifiers if name in names and text), "")
    return FieldView(name, text=_named(text, called), q=q)


def _named(value: Any, called: Mapping[str, str]) -> Any:
    """A value with what the ids in it stood for then, where that is known."""
    return _ID.sub(lambda found: called.get(found[0], found[0]), value) if isinstance(value, str) else value


def _excerpts(name: str, words: str) -> tuple[ExcerptView, ...]:
    """The excerpts of an answer that the log kept; none in words of another form."""
    try:
        found = json.loads(words)["excerpts"] if name == "excerpts" else ()
        return tuple(ExcerptView(str(e["number"]), str(e["document"]), str(e["quote"])) for e in found)
    except (ValueError, KeyError, TypeError):
        return ()


def hits_of(event: EventView) -> int:
    """How many passages a search gave, or an answer was made from."""
    found = (event.record or {}).get("hits")
    return len(found) if isinstance(found, list) else len(passages_of(event))


def passages_of(event: EventView) -> list[Mapping[str, Any]]:
    """The passages that were shown, in their order; none where the record has no such list."""
    found = (event.record or {}).get("passages")
    if isinstance(found, list) and all(isinstance(each, Mapping) and "document" in each for each in found):
        return found
    return []
