"""`clearance guard refusals`: how well a file of refusals knows its questions, and what would become of one.

Imported with the other commands of its group, and so without what it works with: that takes half a second.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.connection import AsJson
from app.cli.output import print_note, print_result, print_table, print_text
from app.client.errors import UserError

if TYPE_CHECKING:
    from app.refusals.judge import QuestionVerdict
    from app.refusals.rules import Category, RefusalRules

HEADINGS = ("category", "action", "phrases", "patterns", "examples", "precision", "recall", "refused in vain", "models")


class UnusableRefusals(UserError):
    """The file cannot be used; the message has the line."""


def refusals(
    file: Annotated[
        Path | None, typer.Argument(help="a file of refusals; unset: the sample that comes with it", show_default=False)
    ] = None,
    *,
    question: Annotated[
        str | None, typer.Option("--ask", metavar="QUESTION", help="say what would become of this question")
    ] = None,
    models: Annotated[bool, typer.Option("--models", help="with --ask: send it to the file's models too")] = False,
    _as_json: AsJson = False,
) -> None:
    """Check a file of refusals: its categories, and what their examples find, by cross-validation.

    Without --models nothing leaves this machine. Figures are those of questions that were not trained on.
    """
    from app.refusals.load import SAMPLE, load  # noqa: PLC0415
    from app.refusals.yaml_file import RefusalsFileError  # noqa: PLC0415

    try:
        rules = load(file or SAMPLE)
    except RefusalsFileError as error:
        raise UnusableRefusals(str(error)) from None
    if question is not None:
        _print_verdict(_verdict(rules, question, with_models=models))
        return
    rows = [_row(rules, category) for category in rules.categories]

    def show() -> None:
        print_table(HEADINGS, [[_cell(row[name.replace(" ", "_")]) for name in HEADINGS] for row in rows])
        for row in rows:
            if row["used"] is False:
                print_note(f"The examples of {row['category']} find too few of each other: only its rules are used.")

    print_result({"digest": rules.digest, "categories": rows}, show)


def _row(rules: "RefusalRules", category: "Category") -> dict[str, Any]:
    classifier = rules.classifiers.get(category.name)
    figures = classifier.figures if classifier else None
    return {
        "category": category.name,
        "action": category.action,
        "phrases": len(category.phrases),
        "patterns": len(category.patterns),
        "examples": len(category.examples),
        "precision": figures and figures.precision,
        "recall": figures and figures.recall,
        "refused_in_vain": figures and figures.false_refusals,
        "used": figures and figures.worth_asking,
        "models": [use.model for use in category.models],
    }


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _verdict(rules: "RefusalRules", question: str, *, with_models: bool) -> "QuestionVerdict":
    import anyio  # noqa: PLC0415

    from app.guardrail.checks import default_checks  # noqa: PLC0415
    from app.guardrail.credentials import mask_credentials  # noqa: PLC0415
    from app.guardrail.redaction import Redaction  # noqa: PLC0415
    from app.guardrail.redactor import Redactor  # noqa: PLC0415
    from app.refusals.judge import QuestionVerdict, find, judge  # noqa: PLC0415

    asked = mask_credentials(question).text
    if with_models:
        redact = Redactor(Redaction(default_checks()))

        async def ask() -> QuestionVerdict:
            return await judge(rules, asked, frozenset(), redact=redact)

        return anyio.run(ask)
    ruled = find(rules, rules.categories, asked)
    flags = tuple(each for each in ruled if each.action == "flag")
    return QuestionVerdict(rules.digest, next((each for each in ruled if each.action != "flag"), None), flags)


def _print_verdict(verdict: "QuestionVerdict") -> None:
    ruling = verdict.ruling
    rows = [(each.category, each.action, each.rule) for each in (*([ruling] if ruling else []), *verdict.flags)]
    data = {
        "answered": ruling is None,
        "found": [dict(zip(("category", "action", "rule"), row, strict=True)) for row in rows],
        "models": [{"model": each.model, "said": each.said} for each in verdict.asked],
        "message": ruling.message("en") if ruling and not ruling.outage else None,
    }

    def show() -> None:
        print_table(("category", "action", "rule"), rows, empty="It would be answered.")
        for each in verdict.asked:
            print_note(f"{each.model} at {each.address}: {each.said}")
        if data["message"]:
            print_text(str(data["message"]))

    print_result(data, show)
