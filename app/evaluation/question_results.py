"""What was found for each question: a line of JSON each, to look into, and to compare with another run."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from app.evaluation.answer_measures import Reply

SUFFIX = ".questions.jsonl"


class UnreadableResults(ValueError):
    """The file holds no results of an evaluation; the message says what it lacks."""


@dataclass(frozen=True)
class SystemResult:
    """What one system found: distinct documents, best first, the measures, and what its asker may not read.

    `reply` is the answer, where answers were asked for: the ranking is that of the cited documents.
    """

    ranking: tuple[str, ...]
    measures: Mapping[str, float]
    leaks: tuple[str, ...] = ()
    reply: Reply | None = None


@dataclass(frozen=True)
class QuestionResult:
    """A question as it was asked, and what each system found."""

    id: str
    question: str
    role: str
    gold: Mapping[str, float]
    systems: Mapping[str, SystemResult] = field(default_factory=dict)
    group: str = ""
    """What it was asked as, where answers were asked for: by the right role, a wrong one, …"""


def write_results(results: Iterable[QuestionResult], file: Path) -> None:
    """A line each, in the order of the questions."""
    lines = (json.dumps(asdict(result), ensure_ascii=False) + "\n" for result in results)
    file.write_text("".join(lines), "utf-8")


def read_results(file: Path) -> list[QuestionResult]:
    """The results in a file that `write_results` wrote; raises UnreadableResults."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableResults(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error
    results = [_result(line, f"line {number} of {file}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not results:
        raise UnreadableResults(f"{file} has no results")
    return results


def _result(line: str, place: str) -> QuestionResult:
    try:
        row: dict[str, Any] = json.loads(line)
        systems = {
            name: SystemResult(
                tuple(found["ranking"]), _numbers(found["measures"]), tuple(found["leaks"]), _reply(found["reply"])
            )
            for name, found in row.pop("systems").items()
        }
        return QuestionResult(**row, systems=systems)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableResults(
            f"{place} is no result of 'clearance eval', which writes them into NAME{SUFFIX}: {error}"
        ) from error


def _reply(written: Mapping[str, Any] | None) -> Reply | None:
    if written is None:
        return None
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in written.items()}
    return Reply(**fields)


def _numbers(measures: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in measures.items()}


def merge_results(*each: Sequence[QuestionResult]) -> list[QuestionResult]:
    """One line a question, with what each list has of it, in the order in which they come first."""
    merged: dict[str, QuestionResult] = {}
    for result in (result for results in each for result in results):
        before = merged.get(result.id, result)
        merged[result.id] = replace(
            before, systems={**before.systems, **result.systems}, group=before.group or result.group
        )
    return list(merged.values())


def by_id(results: Sequence[QuestionResult]) -> dict[str, QuestionResult]:
    return {result.id: result for result in results}
