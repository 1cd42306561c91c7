"""Collections: who reads from them, and who curates them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.admin import collections as admin
from app.admin import rules
from app.admin.collection_tree import collection_tree
from app.identity.names import find_person
from app.paths import folder_path
from app.settings import LabelName
from app.web.api.rule_schemas import to_rule, to_wire, to_wires
from app.web.api.schemas import AccessBody, AccessChanged, AccessOut, ApiModel, CollectionBody, CollectionOut
from app.web.http.dependencies import Administrator, Caller, CallerOrDelegate, Changing, ComponentsOf, Reading
from app.web.http.paging import PageOf

router = APIRouter(prefix="/collections", tags=["collections"])

FOLDER = Query(description="path of a folder in the collection, like payroll/2026")
FolderQuery = Annotated[str | None, FOLDER]
WithinQuery = Annotated[str | None, Query(description="of this folder and those directly in it; empty: at the top")]


class FolderOut(AccessOut):
    """A folder and what it says for itself."""

    path: str


class TreeFolderOut(ApiModel):
    """A folder of a collection, or with an empty path the collection itself, and who reads what comes there."""

    path: str
    rule: AccessOut | None = Field(description="what it says for itself; null for a folder without a rule")
    sentence: str = Field(examples=["finance and legal, not contractors; confidential; inherits"])
    label: LabelName = Field(description="the label of what comes there without one of its own")
    readers: int = Field(description="people who may read what comes there without tags of its own")
    documents: int = Field(description="documents in it and below")
    tagged: int = Field(description="of these, with tags of their own: their readers are others")


@router.get("")
def collections(subject: CallerOrDelegate, session: Reading, page: PageOf) -> list[CollectionOut]:
    """The collections you may read from or curate; all of them for an administrator."""
    return [CollectionOut.model_validate(c) for c in admin.list_collections(session, subject, page)]


@router.post("", status_code=201)
def make(body: CollectionBody, subject: Administrator, session: Changing) -> CollectionOut:
    """Make a collection (administer)."""
    own = to_rule(session, AccessBody(grants=body.grants, label=body.label, inherits=False))
    made = admin.create_collection(session, subject, name=body.name, description=body.description, own=own)
    return CollectionOut.model_validate(made)


@router.get("/{name}")
def collection(name: str, subject: CallerOrDelegate, session: Reading) -> CollectionOut:
    """One collection."""
    return CollectionOut.model_validate(admin.get_collection(session, subject, name))


@router.delete("/{name}", status_code=204)
def drop(name: str, subject: Administrator, session: Changing) -> None:
    """Delete a collection and all documents in it (administer)."""
    admin.delete_collection(session, subject, name)


@router.get("/{name}/folders")
def folders(name: str, subject: Caller, session: Reading, page: PageOf) -> list[FolderOut]:
    """The folders with a rule of their own: for administrators and its curators."""
    found = rules.list_folder_rules(session, subject, name, page)
    bodies = to_wires(session, [own for _, own in found])
    return [FolderOut(path=path, **body.model_dump()) for (path, _), body in zip(found, bodies, strict=True)]


@router.get("/{name}/tree")
def tree(
    name: str, subject: Caller, session: Reading, parts: ComponentsOf, page: PageOf, folder: WithinQuery = None
) -> list[TreeFolderOut]:
    """The folders with the rule at each level, and how many people read there: for administrators and its curators.

    Curators also see the folders without a rule that documents lie in.
    """
    found = page.items(collection_tree(session, subject, parts.checks, name, within=folder), lambda one: one.path)
    wires = iter(to_wires(session, [one.own for one in found if one.own is not None]))
    return [
        TreeFolderOut(
            path=one.path,
            rule=None if one.own is None else next(wires),
            sentence=one.sentence,
            label=one.label.text,
            readers=one.readers,
            documents=one.documents,
            tagged=one.tagged,
        )
        for one in found
    ]


@router.get("/{name}/access")
def rule(name: str, subject: Caller, session: Reading, folder: FolderQuery = None) -> AccessOut:
    """Who may read from the collection, or what its folder says for itself: for administrators and its curators."""
    return to_wire(session, rules.read_rule(session, subject, name, folder))


@router.put("/{name}/access")
def change_rule(
    name: str, body: AccessBody, subject: Caller, session: Changing, folder: FolderQuery = None
) -> AccessChanged:
    """Replace the rule of the collection, or of a folder. It holds when this returns, for all that inherits it."""
    found = rules.editable_collection(session, subject, name)
    change = rules.set_rule(session, subject, found, to_rule(session, body), folder=folder)
    documents, warnings = (
        (None, rules.collection_warnings(session, found))
        if folder is None
        else rules.folder_effect(session, subject, found, folder)
    )
    return AccessChanged(**to_wire(session, change.after).model_dump(), documents=documents, warnings=warnings)


@router.delete("/{name}/access", status_code=204)
def drop_rule(name: str, folder: Annotated[str, FOLDER], subject: Caller, session: Changing) -> None:
    """Take a folder's rule away: what lies below comes under what lies above. A collection always has a rule."""
    found = rules.editable_collection(session, subject, name)
    rules.drop_folder_rule(session, subject, found, folder_path(folder))


@router.put("/{name}/curators/{user}", status_code=204)
def add_curator(name: str, user: str, subject: Administrator, session: Changing) -> None:
    """Let a person curate the collection (administer). Curating is not reading."""
    found = admin.get_collection(session, subject, name)
    admin.add_curator(session, subject, found, find_person(session, user))


@router.delete("/{name}/curators/{user}", status_code=204)
def remove_curator(name: str, user: str, subject: Administrator, session: Changing) -> None:
    """Take a person's curating away (administer)."""
    found = admin.get_collection(session, subject, name)
    admin.remove_curator(session, subject, found, find_person(session, user))
