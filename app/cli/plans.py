"""Plans: what a change of access would do to whom, before it is made (`clearance grants plan`, `apply`, `plans`)."""

import datetime as dt
from typing import Annotated, Any

import typer

from app.cli.access import Deny, Everyone, Folder, Role, Target, User, grant_body, grants, is_document, principal
from app.cli.connection import connected, when
from app.cli.output import done, note, result, say, table
from app.client.api import Client, path

PlanId = Annotated[str, typer.Argument(help="id of a plan")]
# So many people are shown by name; the rest are counted.
SHOWN = 40


def add_to(app: typer.Typer) -> None:
    """Add `grants`: the commands of this file stand under it too."""
    app.add_typer(grants, name="grants")


@grants.command("plan")
@connected
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
    start: Annotated[dt.datetime | None, typer.Option("--from", parser=when, help="counts from then on")] = None,
    end: Annotated[dt.datetime | None, typer.Option("--until", parser=when, help="counts until then")] = None,
) -> None:
    """Foresee a grant: who would gain and lose how many documents. Nothing is changed until it is applied."""
    grant = grant_body(principal(role, user, everyone=everyone), deny=deny, start=start, end=end)
    place = {"document": target} if is_document(target) else {"collection": target, "folder": folder}
    keep(client, {"change": "revoke" if revoke else "grant", "grant": grant, **place})


@grants.command("plans")
@connected
def plans(client: Client, plan_id: Annotated[str | None, typer.Argument(help="show this one")] = None) -> None:
    """The open plans, your own, and for an administrator all; or one plan with its steps, in words."""
    if plan_id is not None:
        one = client.get(path("access", "plans", plan_id))
        result(one, lambda: show(one))
        return
    found = list(client.pages("/access/plans"))
    rows = (
        (
            p["id"],
            p["author"],
            p["made_at"][:16],
            p["documents"],
            len(p["people"]),
            "yes" if p["needs_second"] else "no",
        )
        for p in found
    )
    headings = ("id", "by", "made (UTC)", "documents", "people", "needs a second")
    result(found, lambda: table(headings, rows, empty="No open plan."))


@grants.command("apply")
@connected
def apply(client: Client, plan_id: PlanId) -> None:
    """Make the changes of a plan; refused if it would do anything else now than it says."""
    made = client.post(path("access", "plans", plan_id, "apply"), {})

    def shown() -> None:
        show(made)
        done("applied")

    result(made, shown)


@grants.command("withdraw")
@connected
def withdraw(client: Client, plan_id: PlanId) -> None:
    """End a plan without making its changes."""
    client.delete(path("access", "plans", plan_id))
    done("withdrawn")


def keep(client: Client, *changes: dict[str, Any]) -> None:
    """Make a plan of these changes and show it."""
    made = client.post("/access/plans", {"changes": list(changes)})
    result(made, lambda: show_kept(made))


def show_kept(made: dict[str, Any]) -> None:
    """A plan that was just made, and who applies it."""
    show(made)
    done(f"plan {made['id']}; nothing is changed yet")
    if made["needs_second"]:
        note("You would gain by it: another administrator has to apply it, 'clearance grants apply' with this id.")
    else:
        note("'clearance grants apply' with this id makes the change.")


def show(made: dict[str, Any]) -> None:
    """Who gains and loses."""
    for step in made["steps"]:
        say(step)
    people = made["people"]
    rows = ((e["user"], f"+{e['gains']}" if e["gains"] else "", f"−{e['loses']}" if e["loses"] else "") for e in people)
    table(("who", "gains", "loses"), list(rows)[:SHOWN], empty="Nobody gains or loses a document.")
    if len(people) > SHOWN:
        say(f"and {len(people) - SHOWN} more")
    note(f"{made['documents']} document(s) come under another rule")
    for later in made["later"][:SHOWN]:
        turns = (("gains", later["gains"], later["gains_from"]), ("loses", later["loses"], later["loses_from"]))
        told = " and ".join(f"{verb} {count} from {since[:19]} UTC on" for verb, count, since in turns if count)
        say(f"{later['user']} {told}")
    if len(made["later"]) > SHOWN:
        say(f"and {len(made['later']) - SHOWN} more later")
    for sentence in (*made["why"], *made["warnings"]):
        note(sentence)
