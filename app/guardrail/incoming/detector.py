"""Finds in a passage what speaks to the answering model, and characters that hide something. Pure.

A sentence is judged by its form: who is addressed, and what it wants of the answer. What only tells of such a
sentence, as pages about security do, stands behind a word such as "for example", and in quotes: it is no instruction.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.guardrail.incoming.control_characters import find_control_characters
from app.guardrail.incoming.english import ENGLISH
from app.guardrail.incoming.finding import Frame, PassageFinding
from app.guardrail.incoming.languages import OTHER_LANGUAGES
from app.guardrail.incoming.plain_text import plain
from app.indexing.analysis.sentences import sentence_spans

THRESHOLD = 2
MAX_SENTENCE = 1_000
_LATIN = re.compile(r"[a-z]{3}")
_BEFORE_QUOTE = re.compile(r"\w[\W_]+\w+[\W_]+\w+[^\"]*$")
_BREAK = re.compile(r"\n(?:\s*\n|(?=\s*(?:[-*•#|>]|\d+[.)])\s)|(?![a-z]))|\n")


@dataclass(frozen=True, slots=True)
class _Judged:
    """A sentence: where it stands in the folded text, how much speaks for an instruction, and why."""

    start: int
    end: int
    weight: int
    reasons: tuple[str, ...]


def find_incoming(text: str) -> tuple[PassageFinding, ...]:
    """What is amiss in the text of a passage, in order. A function of the text alone."""
    found = find_control_characters(text)
    folded = plain(text)
    for line_start, line in _lines(folded.text):
        followed = False
        for start, end in _sentences(line):
            judged = _judge(line, start, end)
            # What follows an instruction in its line goes on with it for as long as it gives orders as well.
            followed = judged.weight >= (1 if followed else THRESHOLD)
            if followed:
                a, b = folded.places[line_start + start], folded.places[line_start + end - 1] + 1
                found.append(PassageFinding("instruction", a, b, ", ".join(judged.reasons)))
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.end)))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs with their places: a line break inside of one, before a small letter, ends nothing."""
    start = 0
    for match in re.finditer(r"\n(?![a-z])|\n\s*\n", text):
        if match.start() > start:
            yield start, text[start : match.start()]
        start = match.end()
    if start < len(text):
        yield start, text[start:]


def _sentences(line: str) -> Iterator[tuple[int, int]]:
    for start, end in _spans(line):
        for at in range(start, end, MAX_SENTENCE):
            yield at, min(at + MAX_SENTENCE, end)


_END = re.compile(r"[.!?…]+[\"')\]]*\s+(?=\S)|[.!?]+(?=[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|eg|ie|etc|vs|no|nr|z\.b|bzw|mr|mrs|ms|dr|st)|^\W*\d{1,3})\.\s+$")


def _spans(line: str) -> Iterator[tuple[int, int]]:
    """Sentences of folded text, whose letters are small."""
    start = 0
    for match in _END.finditer(line):
        if _ABBREVIATION.search(line, max(start, match.end() - 12), match.end()):
            continue
        if line[start : match.start()].strip():
            yield start, match.start() + len(match[0].rstrip())
        start = match.end()
    if line[start:].strip():
        yield start, start + len(line[start:].rstrip())


def _judge(line: str, start: int, end: int) -> _Judged:
    sentence = line[start:end]
    weight = 0
    reasons: list[str] = []
    frames = ENGLISH if _LATIN.search(sentence) else ()
    for frame in (*frames, *OTHER_LANGUAGES):
        match = frame.holds(sentence)
        if match is not None and not _is_mentioned(sentence, match):
            weight += frame.weight
            reasons.append(frame.reason)
    return _Judged(start, end, weight, tuple(dict.fromkeys(reasons)))


def _is_mentioned(sentence: str, match: re.Match[str]) -> bool:
    """Whether it stands in quotes that the sentence before them leads to."""
    at = match.start() + len(match[0]) - len(match[0].lstrip(" \t\"'(:,;-"))
    before = sentence[:at]
    return before.count('"') % 2 == 1 and len(before[: before.rindex('"')].split()) >= 2
