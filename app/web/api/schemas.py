"""What goes over the wire, for people's eyes: names follow the field's conventions."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.settings import LabelName

# Lower case, so that two names never differ by case alone; an underscore in front is kept for ourselves.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", examples=["engineering"])]
# As `Name`, but that an underscore in front is not found instead of refused.
CollectionName = Annotated[str, Field(pattern=r"^[a-z0-9_][a-z0-9._-]{0,62}$")]
# A name with its source in front, but for our own: okta:engineering.
FullName = Annotated[
    str, Field(pattern=r"^([a-z0-9][a-z0-9._-]{0,62}:)?[a-z0-9][a-z0-9._@-]{0,62}$", examples=["engineering"])
]
Question = Annotated[str, Field(min_length=1, max_length=4000, examples=["How many days of parental leave do we get?"])]


class ApiModel(BaseModel):
    """A body; an unknown field is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Problem(ApiModel):
    """An error, as application/problem+json (RFC 9457). `code` is stable; `detail` says what to do."""

    type: str = Field(examples=["urn:clearance:error:NotFound"])
    title: str
    status: int
    code: str
    detail: str


class GrantBody(ApiModel):
    """Allow or deny one principal: a role, a user, or everyone who is signed in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"effect": "allow", "role": "engineering"}]})

    effect: Literal["allow", "deny"] = "allow"
    role: str | None = None
    user: str | None = None
    everyone: bool = False
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum((self.role is not None, self.user is not None, self.everyone)) != 1:
            raise ValueError("name exactly one of role, user and everyone")
        for moment in (self.starts_at, self.ends_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("give times with their zone, as in 2027-01-01T00:00:00Z")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("starts_at must lie before ends_at")
        return self


class GrantOut(GrantBody):
    """A grant as it stands; the id is a digest of what it says."""

    id: str


class AccessBody(ApiModel):
    """A rule: the grants, the label, and whether a document also takes its collection's grants."""

    grants: list[GrantBody]
    label: LabelName | None = None
    inherits: bool = True


class AccessOut(AccessBody):
    """The rule as it stands."""


class AccessChanged(AccessOut):
    """The rule as it stands now, and what it is about."""

    documents: int | None = Field(None, description="documents below the folder; null for a collection's or document's")
    warnings: list[str] = Field(default_factory=list, description="what may have been meant otherwise, in words")


class CollectionBody(ApiModel):
    """A new collection. Without grants nobody reads what lies in it, until a document brings its own."""

    name: Name
    description: str = Field("", max_length=500)
    label: LabelName = "internal"
    grants: list[GrantBody] = Field(default_factory=list)


class CollectionOut(ApiModel):
    """A collection that you may read from or curate."""

    name: str
    description: str


class DocumentOut(ApiModel):
    """A document. `title` is empty for who may curate it and not read it."""

    id: uuid.UUID
    collection: str
    path: str
    title: str
    media_type: str
    size: int
    version: int
    updated_at: dt.datetime
    label: LabelName | None = None


class CuratedDocumentOut(ApiModel):
    """A document of a collection that you curate. `title` is empty where you may not read it."""

    id: uuid.UUID
    path: str
    title: str
    media_type: str
    size: int
    version: int
    updated_at: dt.datetime
    label: LabelName
    readers: int = Field(description="people who may read it")
    tagged: bool = Field(description="whether it has tags of its own")
    upload: "JobOut | None" = Field(description="your last upload to its path, while it waits or if it failed")


class PassageOut(ApiModel):
    """A passage of an opened document, redacted. `chunk` is its id, as sources name it."""

    chunk: uuid.UUID
    heading: tuple[str, ...]
    page: int | None
    text: str


class OpenedOut(DocumentOut):
    """A document and its text, redacted. The original file is at /original and needs the capability download."""

    passages: list[PassageOut]


class JobOut(ApiModel):
    """How an upload fares: queued, running, then indexed, unchanged, or failed with a reason."""

    id: uuid.UUID
    collection: str
    path: str
    state: Literal["queued", "running", "indexed", "unchanged", "failed"]
    reason: str | None
    document: uuid.UUID | None
    created_at: dt.datetime
    finished_at: dt.datetime | None
    stages_us: dict[str, int] | None = Field(None, description="microseconds by stage")
    hidden: dict[str, int] | None = Field(
        None, description="what the file hides and is not indexed, by kind, as in {'sheets': 1, 'rows': 3}"
    )
    findings: dict[str, int] | None = Field(
        None,
        description="how many of its passages speak to the model that answers (`instruction`), or have characters that"
        " hide a text (`control characters`): they are indexed, and that is kept from the model",
    )
    retried_by: uuid.UUID | None = Field(None, description="the upload that brought its bytes once more")
    warnings: list[str] = Field(default_factory=list, description="when sent: that nobody will be able to read it")


class RoleBody(ApiModel):
    """A new role; `inside` names the roles whose members its members become too."""

    name: Name
    source: Name = Field("local", description="where it comes from; names of two sources never merge")
    external_id: str | None = Field(
        None, min_length=1, max_length=255, description="the group of its source that it stands for, as claims name it"
    )
    inside: list[FullName] = Field(default_factory=list)


class GroupBody(ApiModel):
    """The group of its source that a role stands for, as claims name it; null: none."""

    group: str | None = Field(min_length=1, max_length=255, examples=["00gab12cdEFG34hij5d7"])


class ClaimedGroupOut(ApiModel):
    """A group that people's last claims name. `role`: what stands for it; without one it gives nothing."""

    source: str
    group: str
    role: str | None
    people: int


class RoleOut(ApiModel):
    """A role. `name` has its source in front, unless it is `local`."""

    id: uuid.UUID
    name: str
    source: str
    external_id: str | None = Field(description="the group of its source that it stands for")
    inside: list[str]
    members: list[str]


class ExplainOut(ApiModel):
    """Why a person may or may not read a document."""

    allowed: bool
    reason: str
    explanation: str
    at: dt.datetime


class EventOut(ApiModel):
    """A record of the log: verbatim, and beside it the personal words that an auditor may open.

    `raw` is the beginning of a text that is no record of ours, whose `record` is null; else it is null. `name` and
    `address`: who acted, as they were called then, and from where; `names`: what people, services and roles in the
    record were called, by id, and documents and collections where the caller may read these now. The record has none of
    it, and of whom was erased it is not known.
    """

    seq: int
    at: dt.datetime
    record: dict[str, Any] | None
    raw: str | None
    opened: dict[str, dict[str, Any]]
    name: str | None
    address: str | None
    names: dict[str, str]


class EventsOut(ApiModel):
    """Records in the order asked for, and the id of the record of this reading."""

    events: list[EventOut]
    recorded: uuid.UUID


class CheckOut(ApiModel):
    """One thing that was checked of a record, whether it holds, and what was found."""

    name: Literal["form", "leaf", "inclusion", "head"]
    holds: bool
    said: str


class ProofOut(ApiModel):
    """That record `seq` stands under a head (RFC 6962, section 2.1.1): the hashes from its leaf up, in base64."""

    seq: int
    size: int
    root: str
    path: list[str]


class EventPageOut(ApiModel):
    """A record, whether it is what the log's head says, and what stands around it; by an opening with its words and
    those of its trail.

    `recorded` is the id of the record of this reading.
    """

    event: EventOut
    holds: bool
    checks: list[CheckOut]
    proof: ProofOut | None
    trail: list[EventOut] = Field(description="the first 100 records of the same trail, in order")
    before: list[EventOut]
    behind: list[EventOut]
    recorded: uuid.UUID


class HeadOut(ApiModel):
    """The log's size and Merkle root (RFC 6962), in base64."""

    size: int
    root: str
    at: dt.datetime | None


class CheckpointOut(ApiModel):
    """A head that the log signed (c2sp.org/tlog-checkpoint), with the signatures of the witnesses that saw it, and the
    time stamps (RFC 3161) that authorities put on what the log signed.
    """

    size: int
    at: dt.datetime
    note: str
    timestamps: dict[str, str] = Field(description="the token of each authority, by its URL: DER in base64")


class ConsistencyOut(ApiModel):
    """The hashes that lead from an earlier head to a later one (RFC 6962 section 2.1.2), in base64."""

    earlier: int
    later: int
    path: list[str]
