"""`clearance audit`: reads, exports and verifies the log."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli import openings
from app.cli.audit_files import export_with_manifest, query_text, verify_manifest
from app.cli.audit_questions import access, exposure, replay, shown, stale_answers, unusual
from app.cli.connection import AsJson, parse_time, with_client
from app.cli.deliveries import deliveries
from app.cli.download import download
from app.cli.output import format_time, print_note, print_result, print_table, print_text
from app.cli.trust import NoHead, read_authorities, read_key
from app.client.api import Client, path
from app.evidence.delivered_folder import verify_delivered
from app.evidence.kept_head import read_head
from app.evidence.merkle import Head, decode
from app.evidence.receipt import ReceiptReport, is_receipt, verify_receipt
from app.evidence.report import VerifyReport
from app.evidence.signed_note import BadKey, SigningKey, VerifierKey
from app.evidence.verify import verify as verify_file

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

User = Annotated[str | None, typer.Option(help="what this person did")]
Kind = Annotated[str | None, typer.Option(help="records of this kind, such as answer.opened")]
LogQueryText = Annotated[
    str | None, typer.Option("--query", "-q", help="as in 'label:restricted model:external -who:freya'")
]
Since = Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="from then on")]
Until = Annotated[dt.datetime | None, typer.Option(parser=parse_time, help="before then")]

# Checkpoints in which one with a time stamp is looked for.
STAMPED_AMONG = 100
# Where a file of a format does not end like its name.
ENDINGS = {"ocsf": "ocsf.jsonl"}

audit = typer.Typer(help="The audit log.", no_args_is_help=True)
audit.add_typer(openings.commands)


QUESTIONS = {
    "shown": shown, "exposure": exposure, "access": access, "stale-answers": stale_answers, "unusual": unusual,
    "replay": replay, "deliveries": deliveries,
}  # fmt: skip
for name, command in QUESTIONS.items():
    audit.command(name)(command)


@audit.command("events")
@with_client
def events(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    *,
    query: LogQueryText = None,
    user: User = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
) -> None:
    """The newest records (audit). Reading is recorded too. Words stay sealed: see `clearance audit open`."""
    filters = {"q": query, "user": user, "kind": kind, "since": _iso(since), "until": _iso(until)}
    response = client.get("/audit/events", limit=limit, newest_first=True, **filters)["events"]
    rows = ((e["seq"], format_time(e["at"]), record_kind(e), actor_name(e), summary(e)) for e in response)
    print_result(response, lambda: print_table(("no.", "at (UTC)", "kind", "who", "what"), rows, empty="No records."))


@audit.command("export")
@with_client
def export(  # noqa: PLR0913  # each is one option of the command
    client: Client,
    *,
    format: Annotated[
        Literal["jsonl", "csv", "parquet", "ocsf", "cef"], typer.Option(help="jsonl proves itself")
    ] = "jsonl",
    to: Annotated[str | None, typer.Option(help="file; - is standard output")] = None,
    query: LogQueryText = None,
    user: User = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    opening: Annotated[str | None, typer.Option(help="of exactly these records: personal words in the clear")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """Write the log to a file, and for another format than JSONL its manifest to a file beside it (audit).

    Personal words stay sealed but for an opening (`clearance audit open`).
    """
    filters = {"user": user, "kind": kind, "since": _iso(since), "until": _iso(until)}
    name = to or f"clearance-audit.{ENDINGS.get(format, format)}"
    if format == "jsonl":
        download(client, "/audit/export", name, force=force, format=format, opening=opening, q=query, **filters)
    else:
        body = {"format": format, "q": query_text(query, **filters), "opening": opening}
        export_with_manifest(client, body, name, force=force)


@audit.command("head")
@with_client
def head(client: Client) -> None:
    """The newest head, size:root. Keep it somewhere else: no later rewrite of the log goes unseen (audit)."""
    response = client.get("/audit/head")
    line = str(Head(response["size"], decode(response["root"])))

    def show() -> None:
        print_text(line)
        print_note(f"published {format_time(response['at']) or 'never'} (UTC)")

    print_result({**response, "head": line}, show)


@audit.command("checkpoint")
@with_client
def checkpoint(
    client: Client,
    *,
    timestamp: Annotated[
        Path | None,
        typer.Option(help="the newest that an authority stamped, of which this new file gets the time stamp (DER)"),
    ] = None,
) -> None:
    """The newest head that the log signed, as a note. Keep it where the operator cannot write (audit)."""
    found = client.get("/audit/checkpoints", limit=1 if timestamp is None else STAMPED_AMONG)
    if not found:
        raise NoHead("no head of this log was signed yet: the sequencer signs them where it has a signing key")
    if timestamp is not None:
        found = [each for each in found if each["timestamps"]]
        if not found:
            raise NoHead(f"no authority stamped one of the last {STAMPED_AMONG} signed heads")
        _, token = min(found[0]["timestamps"].items())
        _write_new(timestamp, decode(token))
    print_result(found[0], lambda: print_text(found[0]["note"].rstrip("\n")))


@audit.command("receipt")
@with_client
def receipt(
    client: Client,
    trail: Annotated[str, typer.Argument(help="of the answer, as the log and the answer name it")],
    *,
    to: Annotated[str | None, typer.Option(help="file; - is standard output")] = None,
    opening: Annotated[str | None, typer.Option(help="of this trail: its words in the clear")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """Write what proves one answer to a file: its records, and how they stand in the signed log (audit)."""
    name = to or f"clearance-receipt-{trail}.json"
    download(client, path("audit", "receipts", trail), name, force=force, opening=opening)


@audit.command("keygen")
def keygen(
    name: Annotated[str, typer.Argument(help="of the log, for ever: a host and a path, as in audit.example.com/log")],
    *,
    witness: Annotated[bool, typer.Option("--witness", help="the key of a witness, not of a log")] = False,
    _as_json: AsJson = False,
) -> None:
    """A new pair of keys: the first line is the secret that signs, the second what others check with."""
    try:
        key = SigningKey.generate(name, "witness" if witness else "log")
    except BadKey as error:
        raise NoHead(str(error)) from error
    pair = {"signing_key": key.secret(), "verifier_key": str(key.verifier)}

    def show() -> None:
        print_text(pair["signing_key"])
        print_text(pair["verifier_key"])
        print_note("The first is a secret, for the sequencer alone; give the second to whoever is to check the log.")

    print_result(pair, show)


@audit.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="an export, a receipt, or a folder into which the log was delivered")],
    *,
    manifest: Annotated[
        Path | None, typer.Option(help="of an export: its manifest, without which only JSONL can be verified")
    ] = None,
    head: Annotated[
        str | None, typer.Option(help="a head kept earlier: size:root, or a file that holds one, or a checkpoint")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="a key that you trust, or a file that holds one: the log's, or a witness's; can be repeated"),
    ] = None,
    tsa: Annotated[
        list[Path] | None,
        typer.Option(help="root certificates (PEM) of a time stamping authority that you trust; can be repeated"),
    ] = None,
    answer: Annotated[Path | None, typer.Option(help="of a receipt: a file with the text that was answered")] = None,
    _as_json: AsJson = False,
) -> None:
    """Check an exported log or a receipt. Needs neither a service nor a database; exit status 1 if anything is wrong.

    With `--key` a checkpoint must be signed by that key; with the key of a witness, the witness must have signed too.
    With `--tsa` an authority must have stamped a head of the log.
    """
    trusted = [read_key(each) for each in key or ()]
    authorities = [certificate for each in tsa or () for certificate in read_authorities(each)]
    try:
        report = _report(file, head, trusted, authorities, answer, manifest)
    except ValueError as error:
        raise NoHead(f"{head!r} is no head: {error}") from error
    except OSError as error:
        raise NoHead(f"cannot read {error.filename}: {error.strerror}") from error
    print_result({"ok": report.ok, "lines": list(report.lines)}, lambda: print_report(report.lines, ok=report.ok))
    raise typer.Exit(0 if report.ok else 1)


def _report(
    file: Path,
    head: str | None,
    trusted: list[VerifierKey],
    authorities: "list[Certificate]",
    answer: Path | None,
    manifest: Path | None,
) -> VerifyReport | ReceiptReport:
    """What is found of an export or of a receipt. Raises ValueError for a head that is none, and OSError."""
    if manifest is not None:
        if answer is not None:
            raise NoHead("--answer is for receipts, --manifest for exports")
        kept = None if head is None else read_head(head, trusted)
        return verify_manifest(file, manifest, head=kept, trusted=trusted, authorities=authorities)
    if file.is_dir():
        if answer is not None:
            raise NoHead("--answer is for receipts: a folder holds many answers")
        held = None if head is None else read_head(head, trusted)
        return verify_delivered(file, head=held, trusted=trusted, authorities=authorities)
    with file.open("rb") as opened:
        first = opened.readline()
    if not is_receipt(first):
        if answer is not None:
            raise NoHead("--answer is for receipts: an export holds many answers")
        held = None if head is None else read_head(head, trusted)
        return verify_file(file, head=held, trusted=trusted, authorities=authorities)
    if head is not None or authorities or not trusted:
        raise NoHead("a receipt is checked with the log's key: give --key, and neither --head nor --tsa")
    text = None if answer is None else answer.read_text("utf-8")
    return verify_receipt(file.read_text("utf-8", errors="replace"), trusted=trusted, answer=text)


def _write_new(file: Path, content: bytes) -> None:
    try:
        with file.open("xb") as opened:
            opened.write(content)
    except OSError as error:
        raise NoHead(f"cannot write {file}: {error.strerror}") from error


def print_report(lines: Sequence[str], *, ok: bool) -> None:
    """Print the verdict, which is the first line, and the details."""
    verdict, *details = lines
    print_text((verdict, "bold green" if ok else "bold red"))
    for line in details:
        print_text(line)


def record_kind(event: dict[str, Any]) -> str:
    """The record's kind; `unreadable` if the stored text could not be parsed."""
    return str(event["record"]["kind"]) if event["record"] else "unreadable"


def actor_name(event: dict[str, Any]) -> str:
    """The person who acted; the component that wrote the record, if no person was identified."""
    if event["record"] is None:
        return "–"
    user, name = event["record"]["actor"]["user"], event["name"]
    return str(name or user) if user else f"{name or '–'} (no person)"


def summary(event: dict[str, Any]) -> str:
    """The decrypted text, action, outcome and target of a record; the stored text if it could not be parsed.

    The target by what it was called then, where the auditor may know that.
    """
    record = event["record"]
    if record is None:
        return str(event["raw"])
    target = str(record.get("target") or record.get("document") or "")
    for each, name in event["names"].items():
        target = target.replace(each, name)
    text = next((entry["text"] for entry in event["opened"].values() if entry.get("text")), None)
    parts = [
        f"“{text}”" if text else None,
        *(record.get(name) for name in ("action", "outcome", "reason", "mode", "name")),
        target,
    ]
    return " · ".join(str(part) for part in parts if part)


def _iso(value: dt.datetime | None) -> str | None:
    return value.isoformat() if value else None
