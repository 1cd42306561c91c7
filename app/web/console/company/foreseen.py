"""Changes of who may read what: foreseen as a plan, which is then looked at and applied on its own page."""

from collections.abc import Callable

from fastapi import Response

from app.admin.changes import PlanStep
from app.admin.plans import create_plan
from app.answer.components import Components
from app.db.session import WriteSession
from app.web.console.pages import go_to
from app.web.console.viewer import Viewer


def to_plan(
    viewer: Viewer, parts: Components, session: WriteSession, step: Callable[[WriteSession], PlanStep]
) -> Response:
    """Make a plan of this one step, and on to its page: who would gain and lose. Nothing is changed yet."""
    second = parts.settings.access.second_administrator
    made = create_plan(
        parts.database, session, viewer.subject, lambda trial: [step(trial)], second_administrator=second
    )
    return go_to(viewer, f"/plans/{made.id}")
