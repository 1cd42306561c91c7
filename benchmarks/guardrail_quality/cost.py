"""What redaction takes of a processor, and how much of a stream it holds back."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.guardrail.checks import default_checks
from app.guardrail.gate import Gate, redact
from benchmarks.guardrail_quality.data import HANDBOOKS, Missing, pages, prose
from benchmarks.guardrail_quality.figures import Figure, Row
from benchmarks.guardrail_quality.values import random_text
from benchmarks.machine import quiet
from benchmarks.streaming.gate import TEXTS

_PIECE = 4
_SIZE = 8_000  # characters of an adversarial text
_SAMPLE = 200_000  # characters of handbook
_REPEATS = 5
_CHECKS = default_checks()

HOSTILE = {
    "digits": "0123456789",
    "digits and line breaks": "4111\n",
    "digits and blanks": "4 1 1 1 ",
    "<": "<",
    "< and letters": "<a ",
    "comments that never end": "<!-- ",
    "password": "password ",
    "password is": "password is ",
    "colons": ":",
    "key: key:": "key: ",
    "citations": "[1]",
    "Base64": random_text("wall", 4_000),
    "backslashes": "\\",
    "escapes": "\\u0041",
    "entities": "&#49;",
    "ampersands": "&",
    "percent signs": "%41",
    "CJK": "密码是验证码",
    "a@": "a@",
    "a.a@a.": "a.a@a.",
    "quotes": "\"'",
    "asterisks": "**",
    "underscores": "_a",
    "brackets": "([{",
    "plus signs": "+1",
    "dots": "1.",
    "hyphens": "1-",
    "slashes": "//a:",
    "zero-width": "a\u200b",
    "soft hyphens and digits": "1\u00ad",
    "combining marks": "a\u0336",
    "BEGIN": "-----BEGIN PRIVATE KEY-----",
    "eyJ": "eyJ.",
    "table": "| 1 ",
    "words without end": "token_key_password_",
    "capitals": "AKIA",
    "placeholders": "[redacted: card] ",
    "digits in words": "one two three ",
}


def cost(folder: Path) -> Row:
    """Processor time of one process, medians of repeats with the smallest and largest; characters held back."""
    texts = {"one paragraph": (TEXTS["prose"] * 300)[: _SAMPLE // 4]}
    skipped = ""
    try:
        found = [page for name in HANDBOOKS for page in pages(folder, name, 20)]
        texts["handbooks"] = "\n".join(found)[:_SAMPLE]
        texts["prose of handbooks"] = "\n".join(map(prose, found))[:_SAMPLE]
    except Missing as missing:
        skipped = str(missing)
    figures = []
    with quiet():
        for name, text in texts.items():
            figures.append(_figure(f"{name}, whole: ms per 1,000 characters", _timed(text, _whole), 2.7))
            figures.append(_figure(f"{name}, in pieces of {_PIECE}: ms per 1,000", _timed(text, _streamed), 5))
        for what, way in (("whole", _whole), (f"in pieces of {_PIECE}", _streamed)):
            figures += _worst(what, way)
    for name, text in texts.items():
        held = _held(text)
        for share, quantile, goal in ((0.5, "p50", 4), (0.95, "p95", 30), (1, "max", 200)):
            # Whole pages have URLs that are longer than what may be held back.
            goal_here = None if name == "handbooks" else goal
            figures.append(
                Figure(
                    f"{name}: characters held back, {quantile}",
                    int(np.quantile(held, share)),
                    goal_here,
                    at_most=True,
                )
            )
    return Row(figures, skipped=skipped)


def _worst(what: str, way: Callable[[str], object]) -> list[Figure]:
    """The dearest of the hostile texts with its goal, and the next four."""
    texts = {name: (unit * (_SIZE // len(unit) + 1))[:_SIZE] for name, unit in HOSTILE.items()}
    each = {name: _timed(text, way, 3) for name, text in texts.items()}
    ranked = sorted(each, key=lambda name: -statistics.median(each[name]))
    first = _figure(f"worst of {len(texts)} hostile texts, {what}: {ranked[0]}", each[ranked[0]], 20)
    return [first, *(_figure(f"… {name}", each[name], None) for name in ranked[1:5])]


def _figure(what: str, each: list[float], goal: float | None) -> Figure:
    return Figure(what, statistics.median(each), goal, at_most=True, note=f"({min(each):.2f}–{max(each):.2f})")


def _timed(text: str, way: Callable[[str], object], repeats: int = _REPEATS) -> list[float]:
    """Milliseconds of processor time per 1,000 characters, each time anew."""
    each = []
    for _ in range(repeats):
        began = time.process_time()
        way(text)
        each.append((time.process_time() - began) * 1e6 / len(text))
    return each


def _whole(text: str) -> None:
    redact(text, _CHECKS)


def _streamed(text: str) -> None:
    gate = Gate(_CHECKS)
    for at in range(0, len(text), _PIECE):
        gate.feed(text[at : at + _PIECE])
    gate.flush()


def _held(text: str) -> list[int]:
    """Characters held back after each piece."""
    gate, held = Gate(_CHECKS), []
    for at in range(0, len(text), _PIECE):
        gate.feed(text[at : at + _PIECE])
        held.append(gate.held)
    return held
