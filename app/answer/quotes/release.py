"""The chosen blocks as they are given out: redacted, inert, with the deciding words marked in what is left. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answer.events import AnswerBlock, AnswerCell
from app.answer.quotes.compose import CUT
from app.answer.quotes.material import Material
from app.answer.quotes.question_kinds import SHORT_ANSWERS
from app.answer.quotes.select import ChosenBlock
from app.audit.events.answers import ShownBlock
from app.guardrail.check import Check
from app.guardrail.gate import redact
from app.guardrail.guarded import guarded
from app.guardrail.redactor import Redactor
from app.retrieval.passage import Passage

PLACEHOLDER = re.compile(r"\[redacted: [^\]]*\]")
_CELL = re.compile(r"([^:;]{1,80}): (.*)", re.DOTALL)


@dataclass(frozen=True)
class ReleasedBlock:
    """A block behind the guardrail, and the one that it was."""

    chosen: ChosenBlock
    text: str

    @property
    def passage(self) -> Passage:
        """The passage that it stands in."""
        return self.chosen.page.passage

    @property
    def shown(self) -> ShownBlock:
        """What the audit log says of it: no text."""
        block = self.chosen.block
        pieces = tuple((piece.start, piece.end) for piece in block.pieces)
        return ShownBlock(self.passage.chunk, block.kind, pieces, self.chosen.confidence)


def release(chosen: Sequence[ChosenBlock], checks: Sequence[Check], clean: Redactor) -> list[ReleasedBlock]:
    """The blocks as they may be shown. One whose words are masked in their passage, and not by themselves, is left out:
    what stands before them says what they are ("Password:").
    """
    released = []
    for block in chosen:
        if masked_alike(block.block.text, block.page.passage, checks):
            released.append(ReleasedBlock(block, clean(block.block.text)))
    return released


def masked_alike(text: str, passage: Passage, checks: Sequence[Check]) -> bool:
    """Whether the guardrail masks the lines of a passage by themselves as it does where they stand.

    Raises GuardrailFailed.
    """
    alone, whole = (guarded("redaction", redact, each, checks).text for each in (text, passage.text.strip()))
    return all(line.removesuffix(CUT) in whole for line in alone.split("\n"))


def answer_text(blocks: Sequence[ReleasedBlock], numbers: Sequence[int], *, preface: str = "") -> str:
    """The answer to read: each block with the number of its source."""
    parts = [f"{block.text} [{number}]" for block, number in zip(blocks, numbers, strict=True)]
    return "\n\n".join([preface, *parts] if preface else parts)


def describe(
    released: ReleasedBlock, material: Material, clean: Redactor, *, number: int, source_number: int, feedback: str
) -> AnswerBlock:
    """A block with its place and its deciding words; `number` counts the blocks of an answer from 1."""
    passage, text = released.passage, released.text
    kind = released.chosen.block.kind
    return AnswerBlock(
        number=number,
        kind=kind,
        text=text,
        highlights=tuple(deciding_words(text, material)),
        cells=cells_of(text) if kind == "row" else (),
        source_number=source_number,
        document=passage.document,
        chunk=passage.chunk,
        title=clean(passage.title),
        heading=tuple(clean(heading) for heading in passage.heading_path),
        page=passage.page,
        date=passage.date,
        confidence=released.chosen.confidence,
        feedback=feedback,
    )


def deciding_words(text: str, material: Material) -> list[tuple[int, int]]:
    """Where the question's words stand in a released text, and the numbers, dates or names that it asks for.

    [start, end) in characters, ascending, none within another; nothing in what was redacted.
    """
    spans = material.words.spans(text)
    if (pattern := SHORT_ANSWERS.get(material.kind)) is not None:
        spans += [match.span() for match in pattern.finditer(text)]
    masked = [match.span() for match in PLACEHOLDER.finditer(text)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if any(start < stop and begin < end for begin, stop in masked):
            continue
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def cells_of(row: str) -> tuple[AnswerCell, ...]:
    """The cells of a row with their headers, from its last line; a lead-in may stand before it."""
    found: list[AnswerCell] = []
    for part in row.rsplit("\n", maxsplit=1)[-1].rstrip(";").split("; "):
        if match := _CELL.fullmatch(part):
            found.append(AnswerCell(match[1].strip(), match[2].strip()))
        elif found:  # a semicolon within a cell
            found[-1] = AnswerCell(found[-1].header, f"{found[-1].text}; {part}")
    return tuple(found)
