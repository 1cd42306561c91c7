"""From hits to a prompt: numbered, fenced, within a token budget, carrying the highest label. Pure.

The prompt is a function of the question, of the visible passages and of the visible earlier turns alone; it holds no
id, no time and no count of anything else. That is the headline promise (N2); tests/laws/test_n2_two_worlds.py holds it.
"""

import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.answer.prompt_redaction import redact_prompt
from app.answer.prompt_templates import EARLIER, TEMPLATES, PromptTemplate
from app.guardrail.active_content import Addresses
from app.guardrail.check import Check
from app.identity.subject import Label
from app.incoming.detector import find_incoming
from app.incoming.finding import FindingKind
from app.incoming.neutralise import kinds_of, neutralise
from app.indexing.analysis.language import question_language
from app.llm.protocol import Message
from app.retrieval.passage import Hit, Passage

PER_DOCUMENT = 2

# A passage may contain our own fence, or what a model's template begins a turn with: then it is broken with a character
# that shows, so that no text can step outside. Templates are broken by their form, since every family of models has its
# own words: <|im_start|>, <s>, <start_of_turn>, <<SYS>>, [INST]. Wide letters and invisible characters do not hide one;
# `List<String>` is a type and stays.
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_GAP = rf"[\s{_INVISIBLE}]*+"
_LESS, _BAR, _SLASH = "[<\uff1c\ufe64]", "[|\uff5c\uffe8\u2223]", "[/\uff0f]"
_FENCE_NAMES = "|".join(f"[{_INVISIBLE}]*".join(name) for name in ("passage", "question", "turn"))
_NAME = rf"[^\W\d][\w.\-{_INVISIBLE}]{{0,40}}"
_TYPE = rf"(?<=[A-Za-z0-9]){_LESS}[A-Z](?:[a-z]\w*)?>"
ANGLE = re.compile(
    rf"(?!{_TYPE}){_LESS}(?={_GAP}{_BAR}|{_GAP}{_SLASH}?{_GAP}(?i:{_FENCE_NAMES})\b"
    rf"|{_LESS}?[{_INVISIBLE}]*+{_SLASH}?[{_INVISIBLE}]*+{_NAME}[>\uff1e\ufe65])"
)
_CAPITALS = "A-Z\uff21-\uff3a"
BRACKET = re.compile(
    rf"[\[\uff3b](?={_GAP}{_SLASH}?{_GAP}[a-z]?[{_CAPITALS}][{_CAPITALS}_{_INVISIBLE}]{{2,40}}{_GAP}[\]\uff3d])"
)
# In an earlier answer they number the passages of its own context.
CITATION = re.compile(r"\s?\[\d+\]")


@dataclass(frozen=True)
class EarlierTurn:
    """An earlier turn of the conversation that its asker may still read: its trail, its words, the highest label among
    the documents it was made from, and their public ids.
    """

    turn: uuid.UUID
    question: str
    answer: str
    label: Label
    documents: frozenset[uuid.UUID]


@dataclass(frozen=True)
class Context:
    """What the model is shown: the passages in order (number 1 first), the messages, the highest label, and the earlier
    turns, oldest first.

    `evidence` are the passages with the text that the model sees of them, and `warnings` what was found in each.
    `redactions` are how many values of each kind the messages have placeholders for; None where nothing was redacted,
    for the model is in the house.
    """

    passages: tuple[Passage, ...]
    messages: tuple[Message, ...]
    label: Label
    earlier: tuple[EarlierTurn, ...] = ()
    evidence: tuple[Passage, ...] = ()
    warnings: tuple[tuple[FindingKind, ...], ...] = ()
    redactions: Mapping[str, int] | None = None

    @property
    def prompt(self) -> bytes:
        """The bytes that two worlds must agree on."""
        return "\x1e".join(f"{m.role}\x1f{m.content}" for m in self.messages).encode()

    @property
    def addresses(self) -> Addresses:
        """What a link may lead to: what the model was shown of the passages."""
        return Addresses.of(passage.text for passage in self.evidence)

    def warnings_of(self, passage: Passage) -> tuple[FindingKind, ...]:
        """What was found in one of the passages."""
        return self.warnings[self.passages.index(passage)]

    def in_order(self, cited: Sequence[int]) -> list[Passage]:
        """The passages by their numbers in a response: those cited (by their numbers here) first, then the rest."""
        rest = [n for n in range(1, len(self.passages) + 1) if n not in cited]
        return [self.passages[n - 1] for n in (*cited, *rest)]

    @property
    def documents(self) -> frozenset[uuid.UUID]:
        """Every document that an answer from this is made from, by its public id."""
        return frozenset(p.document for p in self.passages).union(*(e.documents for e in self.earlier))


def choose(hits: Sequence[Hit], *, passages: int, tokens: int) -> tuple[Passage, ...]:
    """The passages that go into the context: best first, as many as the token budget holds.

    A document gives two passages at first, and more only if there is room when all others had their turn: on a real
    handbook this found the right page for two more questions in a hundred. One that does not fit is passed over for a
    shorter one behind it. The best one is always in.
    """
    chosen: set[int] = set()
    taken: Counter[uuid.UUID] = Counter()
    left = tokens
    for most_of_one in (PER_DOCUMENT, len(hits)):
        for rank, hit in enumerate(hits):
            full = len(chosen) == passages or taken[hit.passage.document] >= most_of_one
            if full or rank in chosen or (hit.passage.tokens > left and chosen):
                continue
            chosen.add(rank)
            taken[hit.passage.document] += 1
            left -= hit.passage.tokens
    return tuple(hits[rank].passage for rank in sorted(chosen))


def build(
    question: str,
    passages: Sequence[Passage],
    earlier: Sequence[EarlierTurn] = (),
    template: PromptTemplate = TEMPLATES["large"],
    *,
    redacted: Sequence[Check] | None = None,
) -> Context:
    """The messages for a question over these passages, at least one, behind these earlier turns, oldest first.

    With `redacted`, without what these checks find: for a model out of the house. Raises GuardrailFailed then.
    """
    system, closing = template.filled(question_language(question))
    looked_at = [_look_at(passage) for passage in passages]
    evidence = tuple(passage for passage, _ in looked_at)
    said = tuple((turn.question, turn.answer) for turn in earlier)
    redactions: Mapping[str, int] | None = None
    asked = question
    if redacted is not None:
        clean = redact_prompt(redacted, question, evidence, said)
        asked, evidence, said, redactions = clean.question, clean.passages, clean.turns, clean.counts
    user = _user_message(asked, evidence, said, closing)
    return Context(
        tuple(passages),
        (Message("system", system), Message("user", user)),
        max([*(p.label for p in passages), *(e.label for e in earlier)]),
        tuple(earlier),
        evidence,
        tuple(kinds for _, kinds in looked_at),
        redactions,
    )


def _user_message(question: str, passages: Sequence[Passage], earlier: Sequence[tuple[str, str]], closing: str) -> str:
    """Earlier turns, passages and question, each in its fence."""
    turns = [f"<turn {n}>\n{render_turn(asked, said)}\n</turn {n}>" for n, (asked, said) in enumerate(earlier, start=1)]
    before = [EARLIER, *turns] if turns else []
    fenced = [_fenced(number, passage) for number, passage in enumerate(passages, start=1)]
    asked = [f"<question>\n{_broken(question)}\n</question>", *([closing] if closing else [])]
    return "\n\n".join([*before, *fenced, *asked])


def render_turn(question: str, answer: str) -> str:
    """The words of an earlier turn as the model is shown them: for counting too."""
    return f"Question: {_broken(question)}\nAnswer: {_broken(CITATION.sub('', answer))}"


def _look_at(passage: Passage) -> tuple[Passage, tuple[FindingKind, ...]]:
    """The passage with what the model is shown of it, and what was found in it; depends on the passage alone."""
    places = [passage.text, passage.title, *passage.heading_path]
    findings = [find_incoming(place) for place in places]
    text, title, *headings = (neutralise(place, found) for place, found in zip(places, findings, strict=True))
    kinds = kinds_of(finding for found in findings for finding in found)
    if (text, title, tuple(headings)) == (passage.text, passage.title, passage.heading_path):
        return passage, kinds
    return replace(passage, text=text, title=title, heading_path=tuple(headings)), kinds


def _fenced(number: int, passage: Passage) -> str:
    where = " > ".join([passage.title, *(h for h in passage.heading_path if h != passage.title)])
    page = "" if passage.page is None else f", page {passage.page}"
    head = _broken(f"{where}{page}").replace("\n", " ")
    return f"<passage {number}>\n{head}\n{_broken(passage.text)}\n</passage {number}>"


def _broken(text: str) -> str:
    return BRACKET.sub("⟦", ANGLE.sub("‹", text))
