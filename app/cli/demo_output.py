"""Prints the demo's answers, streams and reports, and collects the text of an answer to search it for secrets."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group
from rich.rule import Rule
from rich.text import Text

from app.cli.console import out
from app.cli.output import safe_text
from app.evidence.report import VerifyReport


def all_text(answer: dict[str, Any]) -> str:
    """All strings in an answer and its sources, with the sources' paths."""
    return "\n".join(_texts(answer))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
            if "collection" in value and "path" in value:
                yield f"{value['collection']}/{value['path']}"
        case list():
            for item in value:
                yield from _texts(item)


def alphanumeric(text: str) -> str:
    """The text without punctuation and white space, by which a secret may be broken up."""
    return "".join(c for c in text if c.isalnum())


def render_answer(answer: dict[str, Any]) -> Group:
    """The answer, its cited sources, and how much of what was redacted."""
    cited = [source for source in answer["sources"] if source["cited"]]
    lines = [Text(f"[{s['number']}] {s['collection']}/{s['path']}  {s['label']}", "dim") for s in cited]
    if answer["redactions"]:
        lines.append(Text(f"redacted: {format_redactions(answer)}", "yellow"))
    return Group(Text(answer["answer"]), Text(""), *lines)


def format_redactions(answer: dict[str, Any]) -> str:
    """`card 1×, key 2×`."""
    return ", ".join(f"{kind} {n}×" for kind, n in answer["redactions"].items())


class StreamWindow:
    """Prints the first lines of a streamed text as they arrive, without empty lines; keeps all of the text."""

    MAX_LINES = 8

    def __init__(self) -> None:
        self.text = ""
        self._lines = 1
        self._printed = 0
        self._at_line_start = True

    def feed(self, piece: str) -> None:
        self.text += piece
        for character in piece:
            if self._lines > self.MAX_LINES or (character == "\n" and self._at_line_start):
                continue
            out.file.write("  " + safe_text(character) if self._at_line_start else safe_text(character))
            self._printed += 1
            self._at_line_start = character == "\n"
            self._lines += self._at_line_start
        out.file.flush()

    def close(self) -> None:
        """End the text, and print how many characters were left out."""
        out.file.write("" if self._at_line_start else "\n")
        if self._lines > self.MAX_LINES:
            print_aside(f"  … and {len(self.text) - self._printed} characters more, which were looked through as well")


def stream_summary(quoted: dict[str, Any], written: dict[str, Any]) -> str:
    """How long the service's two streams were, and what the small model is good for."""
    summary = f"The service streamed its quotes, {len(quoted['answer']):,} characters: no secret in them."
    if written["fallback"]:
        return f"{summary}\nThe model did not answer ({written['fallback']}); these were quotes."
    length = f"{len(written['answer']):,}"
    return (
        f"{summary}\nIts language model was asked as well and streamed {length}: no secret either. The\n"
        "model that comes along is tiny (135 million parameters): it shows that answers\n"
        "stream and are guarded, and writes badly. CLEARANCE_MODEL__BASE_URL connects yours;\n"
        "'clearance ask --mode quote' needs none."
    )


def print_aside(text: str) -> None:
    out.print(Text(text, "dim"))


def print_title(text: str) -> None:
    out.print()
    out.print(Rule(Text(text, "bold"), align="left", style="dim"))


def print_report(what: str, report: VerifyReport) -> None:
    verdict = ("verified", "bold green") if report.ok else ("altered", "bold yellow")
    out.print(Text.assemble(f"{what}: ", verdict, f", {report.entries} entries"))
    for finding in report.findings[:3]:
        out.print(Text(f"  {finding.kind}: {finding.message}", "dim"))
