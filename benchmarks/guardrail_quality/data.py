"""Labelled texts and handbooks in the data folder, which is no part of the repository."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.guardrail_quality.figures import Row, joined
from benchmarks.guardrail_quality.masks import Span

SYNTHETIC = "pii-presidio-research/dev/synth_dataset_v2.jsonl"
AMBIENT = "pii-ambientmeta/dev/benchmark.jsonl"
RECOGNISERS = "pii-presidio-tests/dev/recognizer_cases.jsonl"
CREDENTIALS = {
    name: f"secrets-{name}/dev/cases.jsonl" for name in ("gitleaks", "secretlint", "credsweeper", "detect-secrets")
}
HANDBOOKS = ("handbook-sourcegraph", "handbook-18f")

_NO_PROSE = re.compile(
    r"\A---\n.*?\n---\n|^```.*?^```|<[^<>]*>|(?<=\])\([^()\s]*\)|^\[[^\]\n]+\]:.*?$|https?://\S+",
    re.DOTALL | re.MULTILINE,
)

# Labels of the sets, by what we call them.
LABELS = {
    "CREDIT_CARD": "card",
    "EMAIL": "e-mail",
    "EMAIL_ADDRESS": "e-mail",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "LOCATION": "place",
    "MRN": "patient number",
    "NPI": "provider number",
    "PERSON": "name",
    "PHONE": "phone",
    "PHONE_NUMBER": "phone",
    "SSN": "SSN",
    "STREET_ADDRESS": "address",
    "US_DRIVER_LICENSE": "driving licence",
    "US_SSN": "SSN",
    "ZIP_CODE": "address",
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with its labelled spans. `positive`: it holds something to find, even where no span says what."""

    text: str
    spans: tuple[Span, ...]
    positive: bool
    entity: str


class Missing(Exception):
    """A part of the data is not there."""


def labelled(folder: Path, name: str) -> list[Labelled]:
    """The texts of a set; labels without a name in LABELS stay as they are."""
    return [
        Labelled(
            row["text"],
            tuple(Span(span["start"], span["end"], LABELS.get(span["label"], span["label"])) for span in row["spans"]),
            row.get("kind", "pos") == "pos",
            row.get("entity", ""),
        )
        for row in _rows(folder, name)
    ]


def each(folder: Path, sets: Mapping[str, str], measure: Callable[[str, list[Labelled]], Row]) -> Row:
    """What is measured on each of the named sets; those that are not there are skipped."""
    rows = []
    for name, file in sets.items():
        try:
            rows.append(measure(name, labelled(folder, file)))
        except Missing as missing:
            rows.append(Row(skipped=str(missing)))
    return joined(rows)


def pages(folder: Path, handbook: str, every: int) -> list[str]:
    """Every so-many-th page of a handbook, as its authors wrote it."""
    rows = _rows(folder, f"{handbook}/docs.jsonl")[::every]
    return [(folder / handbook / "docs" / row["path"]).read_text("utf-8") for row in rows]


def prose(page: str) -> str:
    """A page as an answer would quote it: without front matter, code, tags and the targets of links."""
    return _NO_PROSE.sub("", page)


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
    except FileNotFoundError as error:
        raise Missing(f"{name} is not in {folder}") from error
