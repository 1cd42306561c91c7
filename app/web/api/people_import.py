"""Many people from a list (administer): looked at first, then applied as it was seen."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, UploadFile
from pydantic import Field

from app.admin.people_import import ImportedPerson, ImportPlan, apply_list, look_at_list
from app.web.api.schemas import ApiModel, Name
from app.web.http.dependencies import Administrator, Changing, ComponentsOf

router = APIRouter(prefix="/users", tags=["people"])


class ImportForm(ApiModel):
    """A list of people, and with a fingerprint the order to make people like it."""

    file: UploadFile = Field(
        description="CSV in UTF-8; columns: name, display_name, source, external_id, clearance, capabilities, roles "
        "(semicolons between), active; an empty cell leaves what is, '-' says none"
    )
    fingerprint: str | None = Field(None, description="of the answer that was looked at; unset: nothing is changed")
    complete: Name | None = Field(
        None, description="a source whose people are all in the list: others of it are switched off", examples=["local"]
    )
    allow_large_removal: bool = Field(False, description="also where more than a fifth of the source would be off")


class ImportedPersonOut(ApiModel):
    """What the list does to one person, and how many documents they would read more and fewer."""

    user: str
    line: int | None = Field(description="where they stand in the list; null: they are missing from it")
    what: Literal["made", "changed", "off", "on"]
    changes: dict[str, tuple[Any, Any]] = Field(
        description="each field before and after", examples=[{"clearance": ["internal", "confidential"]}]
    )
    joins: list[str]
    leaves: list[str]
    gains: int
    loses: int
    gains_later: int
    loses_later: int


class ImportOut(ApiModel):
    """What the list does. `applied`: all of it was made."""

    fingerprint: str
    applied: bool
    listed: int = Field(description="people in the list")
    unchanged: int = Field(description="people in the list to whom nothing happens")
    missing: int = Field(description="people of the complete source who are not in it")
    large: bool = Field(description="more than a fifth of the complete source would be switched off")
    people: list[ImportedPersonOut]


@router.post("/import")
def import_people(
    form: Annotated[ImportForm, Form(media_type="multipart/form-data")],
    subject: Administrator,
    session: Changing,
    parts: ComponentsOf,
) -> ImportOut:
    """Hold a list of people against those who are here (administer); with the answer's fingerprint, make them like it.

    All mistakes of a list are named at once, by line and column, and nothing of such a list is applied.
    """
    content = form.file.file.read()
    if form.fingerprint is None:
        return _wire(look_at_list(session, subject, content, complete=form.complete), applied=False)
    plan = apply_list(
        session,
        subject,
        parts.sealer,
        content,
        complete=form.complete,
        fingerprint=form.fingerprint,
        allow_large_removal=form.allow_large_removal,
    )
    return _wire(plan, applied=True)


def _wire(plan: ImportPlan, *, applied: bool) -> ImportOut:
    return ImportOut(
        fingerprint=plan.fingerprint,
        applied=applied,
        listed=plan.listed,
        unchanged=plan.listed - sum(person.line is not None for person in plan.people),
        missing=plan.missing,
        large=plan.large,
        people=[_person(person) for person in plan.people],
    )


def _person(person: ImportedPerson) -> ImportedPersonOut:
    gains, loses = person.effect.gains, person.effect.loses
    return ImportedPersonOut.model_validate(
        {
            **{name: getattr(person, name) for name in ("user", "line", "what", "changes", "joins", "leaves")},
            "gains": gains.now,
            "loses": loses.now,
            "gains_later": gains.later,
            "loses_later": loses.later,
        }
    )
