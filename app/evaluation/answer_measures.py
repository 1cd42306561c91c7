"""Measures of one answer: is the page cited, is a block from the section that answers, has it a broken form. Pure.

All are better when higher, and an answer has those that make sense for it: what should be refused has `refused` alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.evaluation.datasets import Question

ANSWER_MEASURES = (
    "something said", "page cited", "page shown", "section shown", "section first", "whole form", "refused",
)  # fmt: skip
REFUSALS = frozenset({"nothing", "asked_back", "refused"})
SHINGLE = 3  # words
MIN_SHARED = 0.5

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\s*\[\d+\]")
_ITEM = re.compile(r"\s*(?:[-*•–]|\d+[.)])\s")
_MARKUP = re.compile(
    r"\{%|%\}|\{\{|\}\}|\]\(|!\[|\{[#:][^}\n]*\}|</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>|<!--", re.IGNORECASE
)
_CUT = re.compile(r"(?:\b(?:e\.g|i\.e|z\.\s?B|d\.\s?h|bzw|ca|p\.\s?ej|vs|approx|incl|Mr|Mrs|Dr)\.|[,;(\[]|\band)$")
_STATED = re.compile(r"[.!:;]\s|\n")
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"))


@dataclass(frozen=True)
class Reply:
    """An answer as it came: its text, its blocks if it has any, and the documents it was made from, cited ones first.

    `grounding` counts the model's sentences that were kept, dropped and marked.
    """

    outcome: str
    text: str
    blocks: tuple[str, ...]
    cited: tuple[str, ...]
    sources: tuple[str, ...]
    seconds: float = 0.0
    fallback: str | None = None
    grounding: Mapping[str, int] = field(default_factory=dict)


def measure_answer(reply: Reply, question: Question, *, refusable: bool) -> dict[str, float]:
    """The measures of this reply, each 0 or 1."""
    said = reply.outcome not in REFUSALS
    if refusable:
        return {"refused": float(not said)}
    measured = {
        "something said": said,
        "page cited": said and any(d in question.gold for d in reply.cited),
        "page shown": said and any(d in question.gold for d in reply.sources),
    }
    if question.section:
        hits = [from_section(block, question.section) for block in reply.blocks] if said else []
        measured |= {"section shown": any(hits), "section first": bool(hits) and hits[0]}
    if said:
        measured["whole form"] = not broken_forms(reply.blocks)
    return {name: float(value) for name, value in measured.items()}


def from_section(block: str, section: str) -> bool:
    """Whether most of a block's runs of three words stand in the section; of a shorter one, all its words in a row."""
    words, text = _words(block), _words(section)
    size = min(SHINGLE, len(words))
    runs = _runs(words, size)
    return bool(runs) and len(runs & _runs(text, size)) >= MIN_SHARED * len(runs)


def broken_forms(blocks: Sequence[str]) -> dict[str, int]:
    """How often a block ends in a colon, only asks, is cut or holds markup, and a line comes twice; without zeros."""
    lines = [line for block in blocks for line in block.split("\n") if line.strip()]
    forms = {
        "colon": sum(block.rstrip().endswith(":") for block in blocks),
        "question": sum(block.rstrip().endswith("?") and not _STATED.search(block) for block in blocks),
        "cut": sum(_is_cut(block) for block in blocks),
        "markup": sum(bool(_MARKUP.search(block)) for block in blocks),
        "repeat": len(lines) - len({" ".join(_words(line)) or line for line in lines}),
    }
    return {name: count for name, count in forms.items() if count}


def blocks_of(text: str) -> tuple[str, ...]:
    """The blocks of a text that names none: a line each, a list with the line that introduces it, without numbers."""
    blocks: list[str] = []
    for line in (_NUMBER.sub("", line).rstrip() for line in text.split("\n")):
        if not line:
            continue
        if blocks and _ITEM.match(line) and (blocks[-1].endswith(":") or "\n" in blocks[-1]):
            blocks[-1] += f"\n{line}"
        else:
            blocks.append(line)
    return tuple(blocks)


def _is_cut(block: str) -> bool:
    text = block.rstrip()
    unclosed = any(text.count(opening) > text.count(closing) for opening, closing in _PAIRS)
    return unclosed or bool(_CUT.search(text))


def _words(text: str) -> list[str]:
    return _WORD.findall(_LINK.sub(r"\1", text).casefold())


def _runs(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)} if size else set()
