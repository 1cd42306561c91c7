"""`clearance grants plan`, `plans`, `apply` and `withdraw`: what a change of access would do, before it is made."""

from typing import Annotated, Any

import typer

from app.cli.connection import with_client
from app.cli.document_id import is_id
from app.cli.grant_options import Deny, Everyone, Folder, From, Role, Target, Until, User, grant_body
from app.cli.output import print_note, print_result, print_success, print_table, print_text
from app.client.api import Client, path

PlanId = Annotated[str, typer.Argument(help="id of a plan")]
MAX_PEOPLE = 40  # shown by name; the rest are counted

commands = typer.Typer()


@commands.command("plan")
@with_client
def plan(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    target: Target,
    *,
    role: Role = None,
    user: User = None,
    everyone: Everyone = False,
    folder: Folder = None,
    deny: Deny = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="take the grant away instead of adding it")] = False,
    start: From = None,
    end: Until = None,
) -> None:
    """Foresee a grant: who would gain and lose how many documents. Nothing is changed until it is applied."""
    grant = grant_body(role, user, everyone=everyone, deny=deny, start=start, end=end)
    place = {"document": target} if is_id(target) else {"collection": target, "folder": folder}
    create_plan(client, {"change": "revoke" if revoke else "grant", "grant": grant, **place})


@commands.command("plans")
@with_client
def list_plans(client: Client, plan_id: Annotated[str | None, typer.Argument(help="show this one")] = None) -> None:
    """The open plans, your own, and for an administrator all; or one plan with its steps, in words."""
    if plan_id is not None:
        one = client.get(path("access", "plans", plan_id))
        print_result(one, lambda: print_plan(one))
        return
    open_plans = list(client.pages("/access/plans"))
    rows = (
        (p["id"], p["author"], p["made_at"][:16], p["documents"], len(p["people"]), bool(p["needs_second"]))
        for p in open_plans
    )
    headings = ("id", "by", "made (UTC)", "documents", "people", "needs a second")
    print_result(open_plans, lambda: print_table(headings, rows, empty="No open plan."))


@commands.command("apply")
@with_client
def apply(client: Client, plan_id: PlanId) -> None:
    """Make the changes of a plan; refused if it would do anything else now than it says."""
    applied = client.post(path("access", "plans", plan_id, "apply"), {})

    def show() -> None:
        print_plan(applied)
        print_success("applied")

    print_result(applied, show)


@commands.command("withdraw")
@with_client
def withdraw(client: Client, plan_id: PlanId) -> None:
    """End a plan without making its changes."""
    client.delete(path("access", "plans", plan_id))
    print_success("withdrawn")


def create_plan(client: Client, change: dict[str, Any]) -> None:
    """Save a plan of one change, show it, and say who applies it."""
    created = client.post("/access/plans", {"changes": [change]})

    def show() -> None:
        print_plan(created)
        print_success(f"plan {created['id']}; nothing is changed yet")
        if created["needs_second"]:
            print_note(
                "You would gain by it: another administrator has to apply it, 'clearance grants apply' with this id."
            )
        else:
            print_note("'clearance grants apply' with this id makes the change.")

    print_result(created, show)


def print_plan(plan: dict[str, Any]) -> None:
    """Print the steps of a plan, and who gains and loses how many documents, now and later."""
    for step in plan["steps"]:
        print_text(step)
    people = plan["people"]
    rows = ((e["user"], f"+{e['gains']}" if e["gains"] else "", f"−{e['loses']}" if e["loses"] else "") for e in people)
    print_table(("who", "gains", "loses"), list(rows)[:MAX_PEOPLE], empty="Nobody gains or loses a document.")
    if len(people) > MAX_PEOPLE:
        print_text(f"and {len(people) - MAX_PEOPLE} more")
    count = plan["documents"]
    print_note(f"{count} {'document comes' if count == 1 else 'documents come'} under another rule")
    for later in plan["later"][:MAX_PEOPLE]:
        turns = (("gains", later["gains"], later["gains_from"]), ("loses", later["loses"], later["loses_from"]))
        text = " and ".join(f"{verb} {count} from {since[:19]} UTC on" for verb, count, since in turns if count)
        print_text(f"{later['user']} {text}")
    if len(plan["later"]) > MAX_PEOPLE:
        print_text(f"and {len(plan['later']) - MAX_PEOPLE} more later")
    for sentence in (*plan["why"], *plan["warnings"]):
        print_note(sentence)
