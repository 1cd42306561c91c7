"""How the demo shows answers, streams and reports, and how it looks for a secret in what an answer shows."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group
from rich.rule import Rule
from rich.text import Text

from app.cli.console import out
from app.cli.output import safe_text
from app.evidence.report import Report


def everything(answer: dict[str, Any]) -> str:
    """All text that an answer shows: itself and its sources."""
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


def bare(text: str) -> str:
    """Without what a secret may be broken up by."""
    return "".join(c for c in text if c.isalnum())


def answered(answer: dict[str, Any]) -> Group:
    cited = [s for s in answer["sources"] if s["cited"]]
    lines = [Text(f"[{s['number']}] {s['collection']}/{s['path']}  {s['label']}", "dim") for s in cited]
    redacted = ", ".join(f"{kind} {n}×" for kind, n in answer["redactions"].items())
    return Group(
        Text(answer["answer"]), Text(""), *lines, *([Text(f"redacted: {redacted}", "yellow")] if redacted else [])
    )


class StreamWindow:
    """Shows streamed text as it comes: its first lines, but for empty ones."""

    MAX_LINES = 8

    def __init__(self) -> None:
        self.text = ""
        self._lines = 1
        self._shown = 0
        self._fresh = True  # at the start of a line

    def show(self, piece: str) -> None:
        """The next piece."""
        self.text += piece
        for character in piece:
            if self._lines > self.MAX_LINES or (character == "\n" and self._fresh):
                continue
            out.file.write("  " + safe_text(character) if self._fresh else safe_text(character))
            self._shown += 1
            self._fresh = character == "\n"
            self._lines += self._fresh
        out.file.flush()

    def close(self) -> None:
        """The end of the text, and how much of it was not shown."""
        out.file.write("" if self._fresh else "\n")
        if self._lines > self.MAX_LINES:
            aside(f"  … and {len(self.text) - self._shown} characters more, which were looked through as well")


def model_said(quoted: dict[str, Any], written: dict[str, Any]) -> str:
    """What can honestly be said of the service's own streams."""
    said = f"The service streamed its quotes, {len(quoted['answer']):,} characters: no secret in them."
    if written["fallback"]:
        return f"{said}\nThe model did not answer ({written['fallback']}); these were quotes."
    return (
        f"{said}\nIts language model was asked as well and streamed {len(written['answer']):,}: no secret either. The\n"
        "model that comes along is tiny (135 million parameters): it shows that answers\n"
        "stream and are guarded, and writes badly. CLEARANCE_MODEL__BASE_URL connects yours;\n"
        "'clearance ask --mode quote' needs none."
    )


def aside(text: str) -> None:
    out.print(Text(text, "dim"))


def title(text: str) -> None:
    out.print()
    out.print(Rule(Text(text, "bold"), align="left", style="dim"))


def show_report(what: str, report: Report) -> None:
    verdict = ("verified", "bold green") if report.ok else ("altered", "bold yellow")
    out.print(Text.assemble(f"{what}: ", verdict, f", {report.entries} entries"))
    for finding in report.findings[:3]:
        out.print(Text(f"  {finding.kind}: {finding.message}", "dim"))
