"""Finds in a passage what speaks to the answering model, and characters that hide something. Pure.

A sentence is judged by its form: who is addressed, and what it wants of the answer. What only tells of such a
sentence, as pages about security do, stands behind a word such as "for example", and in quotes: it is no instruction.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.incoming.control_characters import find_control_characters
from app.incoming.english_answering import ANSWERING
from app.incoming.english_answers import ANSWER_FORM
from app.incoming.english_orders import ORDERS_TO_MODELS
from app.incoming.english_roles import ROLES_FOR_MODELS
from app.incoming.english_words import ORDER
from app.incoming.finding import Frame, PassageFinding
from app.incoming.languages import OTHER_LANGUAGES
from app.incoming.plain_text import plain

THRESHOLD = 2
MAX_SENTENCE = 1_000
FRAMES = (*ORDERS_TO_MODELS, *ANSWER_FORM, *ANSWERING, *ROLES_FOR_MODELS, *OTHER_LANGUAGES)
_ORDER = re.compile(ORDER)
_PARAGRAPH = re.compile(r"\n\s*")
_END = re.compile(r"[.!?…]+[\"')\]]*\s+(?=\S)|[.!?]+(?=[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|eg|ie|etc|vs|no|nr|z\.b|bzw|mr|mrs|ms|dr|st)|^\W*\d{1,3})\.\s+$")


@dataclass(frozen=True, slots=True)
class _Judged:
    """How much speaks for a sentence being an instruction, and what."""

    weight: int
    reasons: tuple[str, ...]


def find_incoming(text: str) -> tuple[PassageFinding, ...]:
    """What is amiss in the text of a passage, in order. A function of the text alone."""
    found = find_control_characters(text)
    folded = plain(text)
    frames = [frame for frame in FRAMES if frame.may_hold(folded.text)]
    for paragraph in _paragraphs(folded.text) if frames else ():
        followed = False
        for start, end in paragraph:
            judged = _judge(folded.text[start:end], frames)
            # What follows an instruction in its paragraph goes on with it for as long as it gives orders as well.
            followed = judged.weight >= (1 if followed else THRESHOLD)
            if followed:
                place = PassageFinding(
                    "instruction", folded.places[start], folded.places[end - 1] + 1, ", ".join(judged.reasons)
                )
                found.append(place)
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.end)))


def find_in(title: str, headings: Sequence[str], text: str) -> tuple[PassageFinding, ...]:
    """What is amiss in the title, the headings or the text of a passage; places count within each."""
    return tuple(finding for part in (text, title, *headings) for finding in find_incoming(part))


def _paragraphs(text: str) -> Iterator[list[tuple[int, int]]]:
    """The sentences of each paragraph of folded text."""
    start = 0
    for stop, behind in [*(match.span() for match in _PARAGRAPH.finditer(text)), (len(text), len(text))]:
        yield list(_sentences(text, start, stop))
        start = behind


def _sentences(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Sentences of folded text, whose letters are small; a longer one than MAX_SENTENCE is cut."""
    bounds = [start]
    for match in _END.finditer(text, start, stop):
        if not _ABBREVIATION.search(text[max(bounds[-1], match.end() - 12) : match.end()]):
            bounds.append(match.end())
    for begin, end in zip(bounds, [*bounds[1:], stop], strict=True):
        for at in range(begin, end, MAX_SENTENCE):
            part = text[at : min(at + MAX_SENTENCE, end)]
            if part.strip():
                first = at + len(part) - len(part.lstrip())
                yield first, first + len(part.strip())


def _judge(sentence: str, frames: Sequence[Frame]) -> _Judged:
    orders = [(match.end(), match["not"] is not None) for match in _ORDER.finditer(sentence)]
    weight = 0
    reasons: list[str] = []
    for frame in frames:
        match = frame.holds(sentence, orders)
        if match is not None and not _is_mentioned(sentence, match):
            weight += frame.weight
            reasons.append(frame.reason)
    return _Judged(weight, tuple(dict.fromkeys(reasons)))


def _is_mentioned(sentence: str, match: re.Match[str]) -> bool:
    """Whether it stands in quotes that the sentence before them leads to."""
    at = match.start() + len(match[0]) - len(match[0].lstrip(" \t\"'(:,;-"))
    before = sentence[:at]
    return before.count('"') % 2 == 1 and len(before[: before.rindex('"')].split()) >= 2
