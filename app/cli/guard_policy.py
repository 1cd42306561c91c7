"""`clearance guard test` and `guard dry-run`: what a policy does with cases, and would have done with past answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.connection import AsJson, with_client
from app.cli.guard_texts import PolicyRefused, checks_of, load_policy, read_text
from app.cli.output import print_note, print_result, print_table, print_text
from app.client.api import Client
from app.client.errors import UserError
from app.guardrail.policy.cases import CaseResult, PolicyCasesError, parse_cases, run_cases

WITHHELD = "(the answer is withheld)"


class CasesFailed(UserError):
    """A policy does not do what a case expects."""


def check_cases(
    policy: Annotated[Path, typer.Argument(help="a policy.yaml")],
    cases: Annotated[Path, typer.Argument(help="a YAML file of cases: texts, and what is shown of them")],
    *,
    _as_json: AsJson = False,
) -> None:
    """Check that a policy does with texts what its cases say, by the exit status too. It asks no service."""
    ruled = load_policy(policy)
    try:
        results = run_cases(ruled, checks_of(ruled), parse_cases(read_text(str(cases)), name=cases.name))
    except PolicyCasesError as error:
        raise PolicyRefused(str(error)) from None
    failed = [each for each in results if not each.passed]
    rows = [_row(each) for each in results]

    def show() -> None:
        for each in failed:
            print_text(f"{cases.name}, line {each.case.line}")
            print_text(f"  expected  {_said(each.case.shown)}")
            print_text(f"  shown     {_said(each.shown)}")
        passed = len(results) - len(failed)
        print_text(f"{passed} of {len(results)} cases pass. Policy {ruled.version}, {ruled.digest[:12]}.")

    print_result({"version": ruled.version, "digest": ruled.digest, "cases": rows}, show)
    if failed:
        raise CasesFailed(f"{len(failed)} of {len(results)} cases fail.")


def _row(result: CaseResult) -> dict[str, Any]:
    case = result.case
    return {"line": case.line, "passed": result.passed, "expected": case.shown, "shown": result.shown}


def _said(shown: str | None) -> str:
    return WITHHELD if shown is None else shown


@with_client
def dry_run(
    client: Client,
    policy: Annotated[Path, typer.Argument(help="another policy.yaml")],
    *,
    answers: Annotated[int, typer.Option(help="how many of the last answers to look at", min=1, max=100)] = 50,
) -> None:
    """Show what another policy's rules would have done with the last answers, in numbers (audit). Nothing is changed.

    The passages of each answer are read again as its asker reads now. Terms, patterns and contacts do not count.
    """
    load_policy(policy)  # what is wrong in it is said here, before anything is sent
    found = client.post("/audit/policy-dry-run", {"policy": read_text(str(policy)), "answers": answers})
    print_result(found, lambda: _show_dry_run(found))


@with_client
def show_policy(client: Client) -> None:
    """Show the policy that a running service follows, and what is wrong with its file (administer)."""
    found = client.get("/guardrail/policy")

    def show() -> None:
        if not found["digest"]:
            print_text("No policy: every value that is found is removed.")
            return
        rows = [
            (
                each["action"],
                ", ".join(each["kinds"]),
                ", ".join(each["roles"]) or "everyone",
                each["min_label"]
                if each["min_label"] == each["max_label"]
                else f"{each['min_label']}–{each['max_label']}",
                each["origin"],
            )
            for each in found["rules"]
        ]
        print_table(("action", "kinds", "roles", "labels", "origin"), rows, empty="No rules.")
        print_text("")
        print_text(
            f"Version {found['version']}, {found['digest'][:12]}; {found['allowed']} public contacts,"
            f" {found['own_checks']} checks of its own."
        )
        for role in found["unknown_roles"]:
            print_note(f"There is no role {role}: rules for it alone are about nobody.")
        if found["error"]:
            print_note(f"Not in force: {found['error']}")

    print_result(found, show)


def _show_dry_run(found: dict[str, Any]) -> None:
    print_table(("kind", "action", "now", "then"), _counts(found["actions"]), empty="No value was found in them.")
    print_text("")
    looked_at, differing = found["looked_at"], len(found["differing"])
    print_text(f"Answers looked at: {looked_at}. The policies differ for {differing} of them.")
    if found["not_readable"]:
        print_note(f"Answers that could not be read again, for want of passages or asker: {found['not_readable']}.")
    for each in found["differing"][:10]:
        changed = [one for one in each["actions"] if one["before"] != one["after"]]
        parts = (f"{one['kind']} {one['action']} {one['before']} → {one['after']}" for one in changed)
        print_text(f"  {each['trail']}  {', '.join(parts)}")


def _counts(actions: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [(each["kind"], each["action"], str(each["before"]), str(each["after"])) for each in actions]
