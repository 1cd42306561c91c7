"""What an evaluation is made on: documents with the role that reads each, questions with the role that asks. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


class UnreadableDataset(ValueError):
    """The folder holds no dataset that can be measured; the message says what is wrong and what was expected."""


@dataclass(frozen=True)
class CorpusPage:
    """A document: a file to upload under `path`, readable for one role; `plain` is its text for outside tools.

    Without content it is not uploaded and not found; where it is an answer it counts as missed, as for other systems.
    """

    id: str
    path: str
    role: str
    content: bytes
    plain: str


@dataclass(frozen=True)
class Question:
    """A question, the role that asks it, and what answers it: document ids with a gain above zero.

    `section` is the text that answers, `label` says whether anything does (ANSWERABLE, …), `earlier` are the asker's
    turns before it: each where the dataset has it.
    """

    id: str
    text: str
    role: str
    gold: Mapping[str, float]
    section: str = ""
    label: str = ""
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Documents and questions. A role reads its own pages and those of the role `common`."""

    name: str
    layout: str
    pages: tuple[CorpusPage, ...]
    questions: tuple[Question, ...]
    common: str | None = None
    split: str = ""
    sampled_from: int | None = None
    asking: frozenset[str] = field(default_factory=frozenset)
    """Roles of questions that were left out: they are made all the same, so that a part is asked of the same world."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that reads or asks."""
        named = {p.role for p in self.pages} | {q.role for q in self.questions} | self.asking
        return tuple(sorted(named))

    def readable(self, role: str) -> frozenset[str]:
        """The ids of the documents that a role may read."""
        return frozenset(p.id for p in self.pages if p.role in {role, self.common})

    def answerable(self) -> "Dataset":
        """The dataset with the answers that the asker may read, without questions that then have none."""
        seen = {role: self.readable(role) for role in self.roles}
        kept = [replace(q, gold={d: g for d, g in q.gold.items() if d in seen[q.role]}) for q in self.questions]
        return replace(self, questions=tuple(q for q in kept if q.gold))

    def sample(self, count: int) -> "Dataset":
        """The dataset with `count` of its questions, in their order.

        Chosen by a hash of their ids, so the same ones each time, and those of a smaller sample are among them.
        """
        if count >= len(self.questions):
            return self
        chosen = {q.id for q in sorted(self.questions, key=lambda q: hashlib.sha256(q.id.encode()).digest())[:count]}
        return replace(
            self,
            questions=tuple(q for q in self.questions if q.id in chosen),
            asking=self.asking | {q.role for q in self.questions},
            sampled_from=len(self.questions),
        )
