"""What a mask is shown as. Where masks lie is found without it, so a policy never changes what else is found."""

from dataclasses import dataclass
from typing import Protocol

from app.guardrail.check import BEFORE, NEVER_SHOWN, ONE_VALUE, OPENING, Check
from app.guardrail.windows import StartFinding

MAX_VALUE = 256  # characters of a value that may be shown, or stood for by more than its kind


def placeholder(kind: str) -> str:
    """What stands in the text instead of a finding."""
    return f"{OPENING}{kind}]"


@dataclass(frozen=True, slots=True)
class MaskedValue:
    """The text under a mask, the kind of the finding that began it, and the kinds of all findings in it."""

    text: str
    kind: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class ShownValue:
    """What a reader sees instead of a value. `hidden`: it is not the value itself; `action` says what was done."""

    text: str
    action: str = "remove"
    hidden: bool = True


class Renderer(Protocol):
    """Chooses what a masked value is shown as. A function of the value and of those it was asked to `show` before."""

    def show(self, value: MaskedValue) -> ShownValue:
        """What is shown. Raises AnswerWithheld."""

    def may_differ(self, kinds: frozenset[str], size: int) -> bool:
        """Whether a value of these kinds and so many characters, or one that goes on so, may be shown otherwise than
        by its kind. Once it may not, that stays so, whatever follows.
        """


@dataclass(slots=True)
class Mask:
    """What one placeholder stands for: characters start..end of the raw text, and the finding that began it."""

    start: int
    end: int
    kind: str
    reason: str
    check: Check | None  # none for what a model found
    action: str = "remove"


class LatestMask:
    """The latest mask of a stream: where it lies in the folded text, what stands before it, and what it is shown as.

    That is chosen when its end is known; at once where its kind alone is shown whatever follows.
    """

    def __init__(self, renderer: Renderer | None) -> None:
        self.end = -1
        self.before = ""  # the redacted text before it
        self.open = False  # what it is shown as is not chosen yet
        self.held = 0  # characters of it that are held back
        self._renderer = renderer
        self.kind = ""
        self._kinds: frozenset[str] = frozenset()
        self._value_end = -1  # of the last finding in it that is one value
        self._value: list[str] = []

    def begin(self, start: int, found: StartFinding, before: str) -> ShownValue | None:
        """A mask begins; gives what it is shown as, if that is known already."""
        self.end = start
        self.before = before
        self.kind, self._kinds = found.kind, found.kinds
        self._value_end = start + found.size if found.kind in ONE_VALUE else -1
        self._value, self.held = [], 0
        self.open = True
        return self._settled()

    def extend(self, start: int, found: StartFinding) -> ShownValue | None:
        """Another finding belongs to it; gives what it is shown as, if that is known now and was not before."""
        is_part = start + found.size <= self._value_end
        self._kinds |= found.kinds & NEVER_SHOWN if is_part else found.kinds
        if found.kind in ONE_VALUE:
            self._value_end = max(self._value_end, start + found.size)
        return self._settled() if self.open else None

    def cover(self, raw: str, end: int) -> ShownValue | None:
        """It reaches to `end`, over so much of the raw text more; gives what it is shown as, if that is known by it."""
        self.end = end
        if not self.open:
            return None
        self.held += len(raw)
        if self.held <= MAX_VALUE:
            self._value.append(raw)
        return self._settled()

    def close(self) -> ShownValue:
        """Its end is known: what it is shown as."""
        value = self._masked
        return self._settle(
            ShownValue(placeholder(value.kind)) if self._renderer is None else self._renderer.show(value)
        )

    def forget(self, cut: int) -> None:
        """The first `cut` characters of the text are gone."""
        self.end = max(self.end - cut, -1)
        self._value_end -= cut

    @property
    def stand_in(self) -> str:
        """What the checks see of it before the text behind it, whatever it is shown as."""
        return placeholder(self.kind)

    @property
    def left(self) -> str:
        """The redacted text up to its end, as far as a start behind it can see."""
        return (self.before + self.stand_in)[-BEFORE:]

    @property
    def _masked(self) -> MaskedValue:
        text = "".join(self._value) if self.held <= MAX_VALUE else ""
        return MaskedValue(text, self.kind, self._kinds)

    def _settled(self) -> ShownValue | None:
        if self._renderer is not None and self._renderer.may_differ(self._kinds, self.held):
            return None
        return self._settle(ShownValue(placeholder(self.kind)))

    def _settle(self, shown: ShownValue) -> ShownValue:
        self.open, self.held = False, 0
        self._value = []
        return shown
