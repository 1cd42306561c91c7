"""`clearance guard`: what the guardrail would hide in a text, and what that costs. It runs here and asks no service."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from app.cli.connection import AsJson
from app.cli.guard_names import learn_words, train_names
from app.cli.guard_policy import check_cases, dry_run, show_policy
from app.cli.guard_refusals import refusals
from app.cli.guard_texts import UnreadableText, checks_of, load_policy, read_text
from app.cli.output import print_result, print_table, print_text
from app.guardrail.check import Check
from app.guardrail.checks import credential_checks, default_checks
from app.guardrail.explain import HiddenSpan, explain, line_and_column
from app.guardrail.gate import Gate, redact
from app.guardrail.policy.model import DEFAULT_POLICY
from app.guardrail.policy.rendering import PolicyRenderer
from app.guardrail.policy.values import ReadableText
from app.identity.subject import Label
from app.local.sample_people import SAMPLE_FOLDER

PIECE = 4  # characters: about a token of a model
NEVER_SHOWN = "(a credential)"
LabelText = Literal["public", "internal", "confidential", "restricted"]

guard = typer.Typer(help="What the guardrail hides in a text, and what a policy does with it.", no_args_is_help=True)
guard.command("test")(check_cases)
guard.command("policy")(show_policy)
guard.command("dry-run")(dry_run)
guard.command("train-names")(train_names)
guard.command("learn-words")(learn_words)
guard.command("refusals")(refusals)


@guard.command("check")
def check(
    text: Annotated[str, typer.Argument(metavar="TEXT|FILE|-", help="a file, - for standard input, or else the text")],
    *,
    show_values: Annotated[
        bool, typer.Option("--show", help="show what is hidden too: personal data, credentials never")
    ] = False,
    policy: Annotated[Path | None, typer.Option(help="a policy.yaml to follow", show_default=False)] = None,
    role: Annotated[list[str] | None, typer.Option(help="a role of the caller; may be given again")] = None,
    label: Annotated[LabelText, typer.Option(help="label of the document that the text stands in")] = "internal",
    _as_json: AsJson = False,
) -> None:
    """Show what the guardrail would hide in a text, where, why and by which rule, and the text without it.

    With a policy: for a caller with these roles who reads the text in a document with this label. A secret that is
    typed as an argument stays in the history of the shell: give a file, or -.
    """
    content = read_text(text)
    ruled = load_policy(policy) if policy else DEFAULT_POLICY
    renderer = PolicyRenderer(ruled, frozenset(role or ()), ReadableText(Label.parse(label))) if policy else None
    found = explain(content, checks_of(ruled), renderer)
    values = _values(content, found.spans) if show_values else None
    rows = [_row(content, span, values[n] if values else None) for n, span in enumerate(found.spans)]

    def show() -> None:
        acts = ("action",) if policy else ()
        headings = ("place", "kind", *acts, "reason", "rule", "length", *(("value",) if values else ()))
        cells = [(f"{row['line']}:{row['column']}", *(row[name] for name in headings[1:])) for row in rows]
        print_table(headings, cells, empty="Nothing would be hidden.")
        print_text("")
        print_text(found.redacted.removesuffix("\n"))

    print_result({"hidden": rows, "redacted": found.redacted}, show)


def _row(content: str, span: HiddenSpan, value: str | None) -> dict[str, Any]:
    line, column = line_and_column(content, span.start)
    row = {
        "line": line, "column": column, "start": span.start, "end": span.end, "length": span.end - span.start,
        "kind": span.kind, "action": span.action, "reason": span.reason, "rule": span.rule,
    }  # fmt: skip
    return row if value is None else {**row, "value": value}


def _values(content: str, spans: Sequence[HiddenSpan]) -> list[str]:
    """What the spans hide; of those that hold a credential, whatever they are called, only that they do."""
    secret = explain(content, credential_checks()).spans
    return [
        NEVER_SHOWN
        if span.kind == "credential" or any(s.start < span.end and span.start < s.end for s in secret)
        else content[span.start : span.end]
        for span in spans
    ]


@guard.command("bench")
def bench(
    file: Annotated[
        Path | None, typer.Argument(help="a text; unset: those of the sample company", show_default=False)
    ] = None,
    _as_json: AsJson = False,
) -> None:
    """Measure what the guardrail costs on a text: CPU time, and characters held back while it streams."""
    content = read_text(str(file)) if file else "\n\n".join(_sample())
    if not content:
        raise UnreadableText("There is no text in it, so nothing to measure.")
    cost = measure(content, default_checks())
    rows = [
        ("characters", f"{cost.characters:,}"),
        ("redactions", f"{cost.redactions:,}"),
        ("whole, CPU ms per 1,000 characters", f"{cost.whole_ms:.2f}"),
        (f"streamed in pieces of {PIECE}, the same", f"{cost.streamed_ms:.2f}"),
        ("characters held back, p50", str(cost.held_p50)),
        ("… p95", str(cost.held_p95)),
        ("… at most", str(cost.held_max)),
    ]
    data = {name: getattr(cost, name) for name in cost.__dataclass_fields__}
    print_result(data, lambda: print_table(("measure", "value"), rows, report=True))


@dataclass(frozen=True)
class GuardrailCost:
    """CPU milliseconds are per 1,000 characters; characters held back are counted after each piece."""

    characters: int
    redactions: int
    whole_ms: float
    streamed_ms: float
    held_p50: int
    held_p95: int
    held_max: int


def measure(text: str, checks: Sequence[Check]) -> GuardrailCost:
    """Redact a text whole and as a stream."""
    redact(text[:1000], checks)  # what is done once in a process is none of its cost
    begun = time.process_time()
    counts = redact(text, checks).counts
    whole = time.process_time() - begun
    gate, held = Gate(checks), []
    begun = time.process_time()
    for at in range(0, len(text), PIECE):
        gate.feed(text[at : at + PIECE])
        held.append(gate.held)
    gate.flush()
    streamed = time.process_time() - begun
    held.sort()
    per_thousand = 1_000_000 / len(text)
    return GuardrailCost(
        characters=len(text),
        redactions=sum(counts.values()),
        whole_ms=round(whole * per_thousand, 3),
        streamed_ms=round(streamed * per_thousand, 3),
        held_p50=held[len(held) // 2],
        held_p95=held[len(held) * 95 // 100],
        held_max=held[-1],
    )


def _sample() -> list[str]:
    return [path.read_text("utf-8") for path in sorted((SAMPLE_FOLDER / "company").rglob("*.md"))]
