"""Names that a model finds: what is taken of what it says, and what becomes of its failures."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from app.guardrail.checks import checks_with
from app.guardrail.gate import Gate, GateClosed, redact
from app.guardrail.names import presidio
from app.guardrail.names.presidio import PresidioNames
from app.guardrail.names.segments import LONGEST, first_segment
from app.guardrail.names.spans import SegmentCheck


class Scripted:
    """An analyzer that calls these words persons."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def analyze(self, text: str, **_: Any) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(start=text.index(word), end=text.index(word) + len(word))
            for word in self.words
            if word in text
        ]


class Stuck(Scripted):
    """One that does not answer before the test ends."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = threading.Event()

    def analyze(self, text: str, **_: Any) -> list[SimpleNamespace]:
        self.ended.wait(20)
        return []


def _names(monkeypatch: pytest.MonkeyPatch, analyzer: Scripted, seconds: float = 10) -> PresidioNames:
    monkeypatch.setattr(presidio, "require", lambda model: None)
    monkeypatch.setattr(presidio, "_load", lambda model: analyzer)
    return PresidioNames("scripted", seconds=seconds)


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        ("Ada Byron", "Then Ada Byron left.", "Then # left."),
        ("the Ada Byron", "Then the Ada Byron left.", "Then the # left."),
        ("Byron", "Then Mr Byron left.", "Then Mr # left."),
        ("Byron", "My name is Byron.", "My name is #."),
        ("Byron", "Deploy with Byron today.", "Deploy with Byron today."),
        ("ada byron", "Then ada byron left.", "Then ada byron left."),
        ("Rose Garden", "The Rose Garden is shut.", "The Rose Garden is shut."),
        ("Ada 2", "Version Ada 2 is out.", "Version Ada 2 is out."),
    ],
)
def test_what_looks_like_a_name_is_taken(monkeypatch: pytest.MonkeyPatch, said: str, text: str, left: str) -> None:
    checks = checks_with(SegmentCheck(_names(monkeypatch, Scripted(said))))
    assert redact(text, checks).text.replace("[redacted: name]", "#") == left


def test_a_model_that_does_not_answer_closes_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()
    gate = Gate((SegmentCheck(_names(monkeypatch, stuck, seconds=0.05)),))
    with pytest.raises(TimeoutError):
        gate.feed("Then Ada Byron left. And then more")
    stuck.ended.set()
    with pytest.raises(GateClosed):
        gate.flush()


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ('She left. Then he did! What "now?" All', ["She left. ", "Then he did! ", 'What "now?" ', "All"]),
        ("Ask Dr. Ada Byron, J. Doe or Prof. Lee. Then", ["Ask Dr. Ada Byron, J. Doe or Prof. Lee. Then"]),
        ("# Head\n\nA text\n- item\n- item", ["# Head\n", "\n", "A text\n", "- item\n", "- item"]),
        (f"{'word ' * 12}and Ada\nByron stay together", [f"{'word ' * 12}and Ada\nByron stay together"]),
        ("All of it is gone. then came more", ["All of it is gone. then came more"]),
        (f"{'word ' * 12}\n- item", [f"{'word ' * 12}\n", "- item"]),
        ("Ada Byron\n12 High Street\nYork", ["Ada Byron\n", "12 High Street\n", "York"]),
    ],
)
def test_segments(text: str, segments: list[str]) -> None:
    found, rest = [], text
    while rest:
        size = first_segment(rest, final=True)
        found.append(rest[:size])
        rest = rest[size:]
    assert found == segments


def test_a_text_without_an_end_is_cut_at_a_blank() -> None:
    assert first_segment("word " * 200, final=False) == LONGEST
    assert first_segment("w" * 1000, final=False) == LONGEST
    assert first_segment("words " * 200, final=False) == LONGEST // 6 * 6
    assert first_segment("w" * LONGEST, final=False) == 0
