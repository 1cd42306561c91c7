"""Plans: what a change would do to whom, before it is made; made from a form, looked at, applied, withdrawn."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, ConfigDict

from app.admin import plans as admin
from app.admin.changes import PlanStep
from app.admin.ending_grants import list_timed_grants
from app.admin.rule_steps import NamedGrant, drop_step, grant_step, revoke_step, terms_step
from app.admin.rules import RuleTarget
from app.db.session import WriteSession
from app.identity.subject import Label, Subject
from app.paths import folder_path
from app.settings import LabelName
from app.web.console.fields import day_start
from app.web.console.listing import ListingOf
from app.web.console.pages import go_to, page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import Caller, ComponentsOf, Reading, Writing, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])


class PlanForm(BaseModel):
    """One change of a rule: of a collection, of a folder in it, or of a document."""

    model_config = ConfigDict(extra="forbid")

    csrf: str = ""
    collection: str = ""
    folder: str = ""
    document: str = ""
    change: Literal["grant", "revoke", "terms", "drop"]
    grant: str = ""
    effect: Literal["allow", "deny"] = "allow"
    kind: Literal["role", "user", "everyone"] = "role"
    name: str = ""
    starts: str = ""
    ends: str = ""
    label: LabelName | Literal[""] = ""
    inherits: bool = False

    @property
    def target(self) -> RuleTarget:
        """Whose rule changes."""
        if self.document:
            return RuleTarget(None, None, public_id(self.document))
        return RuleTarget(self.collection, folder_path(self.folder) if self.folder else None, None)

    def steps(self, subject: Subject) -> Callable[[WriteSession], Sequence[PlanStep]]:
        """What finds the step, in the transaction that foresees it."""
        return lambda session: [self._step(session, subject)]

    def _step(self, session: WriteSession, subject: Subject) -> PlanStep:
        match self.change:
            case "grant":
                starts, ends = day_start(self.starts, "starts"), day_start(self.ends, "ends")
                named = NamedGrant(self.effect, self.kind, self.name.strip(), starts, ends)
                return grant_step(session, subject, self.target, named)
            case "revoke":
                return revoke_step(session, subject, self.target, self.grant)
            case "terms":
                label = Label.parse(self.label) if self.label else None
                return terms_step(session, subject, self.target, label=label, inherits=self.inherits)
            case "drop":
                return drop_step(session, subject, self.target)


@router.get("/plans")
def plans(viewer: ViewerOf, session: Reading, listing: ListingOf) -> Response:
    """The open plans: one's own, and for an administrator all."""
    found = admin.list_plans(session, viewer.subject, listing.page)
    template = "plan_rows.html" if viewer.part and not listing.first else "plans.html"
    return page(viewer, f"library/{template}", {"plans": found, "listing": listing})


@router.post("/plans")
def create(
    viewer: ViewerOf, subject: Caller, session: Writing, parts: ComponentsOf, form: Annotated[PlanForm, Form()]
) -> Response:
    """Foresee a change of a rule. Nothing is changed yet."""
    second = parts.settings.access.second_administrator
    made = admin.create_plan(parts.database, session, subject, form.steps(subject), second_administrator=second)
    return go_to(viewer, f"/plans/{made.id}")


@router.get("/plans/{plan}")
def plan_page(viewer: ViewerOf, session: Reading, plan: str) -> Response:
    """A plan as a difference: who gains and loses what, now and later."""
    found = admin.get_plan(session, viewer.subject, public_id(plan))
    return page(viewer, "library/plan.html", {"plan": found, "check": None})


@router.post("/plans/{plan}/apply")
def apply(viewer: ViewerOf, subject: Caller, parts: ComponentsOf, plan: str) -> Response:
    """Make its change. Where it would do anything else than it says, nothing is changed, and the page says what."""
    check = admin.apply_or_recheck(parts.database, subject, public_id(plan))
    if check is None:
        return go_to(viewer, f"/plans/{public_id(plan)}")
    with parts.database.reading(subject.user_id) as session:
        found = admin.get_plan(session, subject, public_id(plan))
    return page(viewer, "library/plan.html", {"plan": found, "check": check}, status=409)


@router.post("/plans/{plan}/again")
def again(viewer: ViewerOf, subject: Caller, session: Writing, parts: ComponentsOf, plan: str) -> Response:
    """The same change as a new plan, as of now; this one is withdrawn."""
    second = parts.settings.access.second_administrator
    made = admin.remake_plan(parts.database, session, subject, public_id(plan), second_administrator=second)
    return go_to(viewer, f"/plans/{made.id}")


@router.post("/plans/{plan}/withdraw")
def withdraw(viewer: ViewerOf, subject: Caller, session: Writing, plan: str) -> Response:
    """End it without making its change."""
    admin.withdraw_plan(session, subject, public_id(plan))
    return go_to(viewer, "/plans")


@router.get("/grants")
def timed_grants(viewer: ViewerOf, session: Reading, listing: ListingOf) -> Response:
    """Grants that end or are yet to start, of the collections whose rules are the viewer's to change."""
    found = list_timed_grants(session, viewer.subject, listing.page)
    template = "grant_rows.html" if viewer.part and not listing.first else "grants.html"
    return page(viewer, f"library/{template}", {"grants": found, "listing": listing})
