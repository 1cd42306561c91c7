"""An exposure report in words: for a terminal, and as Markdown for the annex of a notice of a breach."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.cli.output import format_time

# In which way somebody was shown a document, as the report has it.
WAYS = {"answers": "answers", "searches": "searches", "opened": "opened", "downloaded": "downloaded",
        "read_back": "read back"}  # fmt: skip
PEOPLE = ("who", "was shown it", "first (UTC)", "last (UTC)", "could read it (UTC) [grant]")
# What Markdown would take for more than a character. Names are what people chose.
_MARKS = re.compile(r"([\\`*_\[\]<>#|~&])")


def person_name(person: dict[str, Any]) -> str:
    """The name of today; of somebody who is gone those that records have, or the id."""
    return str(person["user"] or f"{', '.join(person['names']) or person['person']} (gone)")


def person_row(person: dict[str, Any]) -> tuple[str, ...]:
    """What PEOPLE heads: who, how often and when they were shown it, and when they could read it."""
    first, last = (format_time((person["shown"] or {}).get(end)) or "–" for end in ("first", "last"))
    return person_name(person), times_words(person), first, last, spans(person)


def times_words(person: dict[str, Any]) -> str:
    """How often and in which ways somebody was shown the document."""
    times = person["shown"]["times"] if person["shown"] else {}
    return ", ".join(f"{times[way]} {word}" for way, word in WAYS.items() if times.get(way)) or "never"


def spans(person: dict[str, Any]) -> str:
    """From when until when somebody could read it, each with the place of the grant."""
    each = (f"{_minute(one['first'])} – {_minute(one['last'])} [{one['grant']}]" for one in person["could"])
    return ", ".join(each) or "no grant is known"


def grant_words(grant: dict[str, Any]) -> str:
    """Whom a grant names, and for how long."""
    whom = "everyone" if grant["kind"] == "everyone" else f"{grant['kind']} {grant['name'] or grant['principal']}"
    times = [f"{word} {_minute(grant[name])}" for word, name in (("from", "starts_at"), ("until", "ends_at"))
             if grant[name]]  # fmt: skip
    return " ".join([whom, *times])


def maker_words(grant: dict[str, Any]) -> str:
    """By which records a grant came to be, newest first."""
    return "; ".join(
        f"{person_name(made) if made['person'] else 'nobody known'}, {_minute(made['at'])}, {made['action']},"
        f" record {made['seq']}"
        for made in grant["made"]
    ) or "no record tells"  # fmt: skip


def pruned_words(before: str) -> str:
    """That records are not there any more which may have said who was shown it."""
    return f"Rules of retention removed records of before {format_time(before)} (UTC), which may be missing here."


def summary_lines(report: dict[str, Any]) -> Iterator[str]:
    """What the report is about, and what it counts."""
    counts = report["counts"]
    yield f"Document {report['document']}" + (", which is gone" if report["gone"] else "")
    yield f"From {format_time(report['since'])} until {format_time(report['until'])} (UTC)"
    if dt.datetime.fromisoformat(report["known_from"]) > dt.datetime.fromisoformat(report["since"]):
        yield (
            f"Who could read it is known from {format_time(report['known_from'])} on: the history of access begins"
            " then. Of before, the log tells who was shown it, and nothing tells who could have been."
        )
    if report["pruned_before"]:
        yield pruned_words(report["pruned_before"])
    yield (
        f"Shown to {counts['shown']}; could be read by {counts['could']}, of whom {counts['never_shown']} never were"
        " shown it."
    )
    if counts["shown_without_grant"]:
        yield f"Shown to {counts['shown_without_grant']} for whom the history knows no grant."


def markdown(report: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    grants = [(place, grant_words(grant), maker_words(grant)) for place, grant in enumerate(report["grants"])]
    stays = [
        (stay["collection"], format_time(stay["first"]), format_time(stay["last"]) or "–") for stay in report["stays"]
    ]
    return "\n".join([
        "# Exposure of a document",
        *(f"\n{_escaped(line)}" for line in summary_lines(report)),
        *_section("Where it stood", ("collection", "from (UTC)", "until (UTC)"), stays),
        *_section("Grants that opened it", ("grant", "to", "made by"), grants),
        *_section("People", PEOPLE, map(person_row, report["people"])),
        f"\nThis look at the log is record {report['recorded']}.",
    ])  # fmt: skip


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_escaped(str(cell)) for cell in row)} |"


def _minute(moment: str) -> str:
    return (format_time(moment) or "")[:16]


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
