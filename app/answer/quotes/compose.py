"""From a span to the block that a reader would point at: with what introduces it, cut at sense. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.answer.events import BlockKind
from app.answer.quotes.candidates import QuotePage, lead_of, leads
from app.answer.quotes.question_kinds import SHORT_ANSWERS, QuestionKind
from app.indexing.analysis.sentences import sentence_spans

# A block of more words is cut; a list gives up its last items first.
MAX_WORDS = 70
# Characters of a block: what has no words (a log, a key, a script without blanks) is bounded too.
MAX_CHARACTERS = 900
# Where a sentence that is too long may be cut, and how that is shown.
CLAUSE_END = re.compile(r"(?<=[;,])\s|\s(?=[–—(]\s?)|(?<=[。、；])")
CUT = " …"
# A part of a paragraph with fewer words takes the next part along, a very short one the next paragraph.
SHORT, VERY_SHORT = 12, 4
DEFINITION = re.compile(r"[^\s:.][^:.\n]{1,50}: (?=\S)")
# Words that point at what stands before them: a block does not begin with these if it can be helped.
POINTS_BACK = re.compile(
    r"(?:this|that|these|those|it|they|he|she|however|but|also|then|otherwise|therefore|instead|if (?:so|not)"
    r"|dies|diese[rs]?|jedoch|aber|ceci|cela|mais|esto|pero)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TextRun:
    """A run of a passage's text that is shown without a gap, [start, end) in characters of it."""

    start: int
    end: int


@dataclass(frozen=True)
class QuoteBlock:
    """A block to show: the pieces of one passage in its order, each a line of what is shown."""

    page: int
    kind: BlockKind
    pieces: tuple[TextRun, ...]
    text: str

    @property
    def words(self) -> int:
        return count_words(self.text)

    def overlaps(self, other: "QuoteBlock") -> bool:
        """Whether both show some of the same text."""
        same = self.page == other.page
        return same and any(a.start < b.end and b.start < a.end for a in self.pieces for b in other.pieces)


def count_words(text: str) -> int:
    """How many words a text has; a sign that something was left out is none."""
    return sum(word != CUT.strip() for word in text.split())


def compose(
    number: int, page: QuotePage, span: int, kind: QuestionKind, *, max_words: int = MAX_WORDS
) -> QuoteBlock | None:
    """The block around a span of page `number`, within `max_words`; None if that cannot be done at sense."""
    line = page.lines[page.spans[span].line]
    if line.kind == "row":
        pieces = [_piece(page, span)]
        return _made(number, "row", page, pieces, max_words)
    if line.kind in ("item", "step"):
        return _list(number, page, span, max_words)
    if leads(page.texts[span]):
        behind = page.lines[page.spans[span + 1].line]
        if behind.kind in ("item", "step"):
            return _list(number, page, span + 1, max_words)
        pieces = [_last_sentence(page, span), _piece(page, span + 1)]
        return _made(number, "row" if behind.kind == "row" else "paragraph", page, pieces, max_words)
    return _paragraph(number, page, span, kind, max_words)


def _paragraph(number: int, page: QuotePage, span: int, kind: QuestionKind, max_words: int) -> QuoteBlock | None:
    """The span with what it cannot be understood without: the part before it, or the lead-in; then what still fits."""
    first = last = span
    line = page.spans[span].line
    lead = lead_of(page, span)
    if lead is not None and lead != span - 1:
        lead = None
    if span and page.spans[span - 1].line == line and POINTS_BACK.match(page.texts[span]):
        first -= 1
    start = page.spans[first].start
    if first == span:
        start += _led_by_evidence(page.texts[span], kind)
    if _continues(page, last, count_words(page.text(start, page.spans[last].end))):
        last += 1
    pieces = [TextRun(start, page.spans[last].end)]
    if page.spans[first].line != page.spans[last].line:
        pieces = [TextRun(start, page.spans[first].end), _piece(page, last)]
    if lead is not None:
        pieces.insert(0, _last_sentence(page, lead))
    made = _made(number, _form(page.text(start, pieces[-1].end)), page, pieces, max_words)
    if made is None and len(pieces) == 1 and first < span:
        return _made(number, "paragraph", page, [_piece(page, span)], max_words)
    return made


def _continues(page: QuotePage, span: int, words: int) -> bool:
    """Whether a block of so few words takes the next one along: the paragraph's rest, or what follows a mere "Yes."."""
    behind = span + 1
    if behind == len(page.spans) or page.lines[page.spans[behind].line].kind != "paragraph":
        return False
    same_line = page.spans[behind].line == page.spans[span].line
    return words < (SHORT if same_line else VERY_SHORT) and page.answers[behind] and not leads(page.texts[behind])


def _led_by_evidence(text: str, kind: QuestionKind) -> int:
    """How far in the one sentence begins that has the number, date or name that is asked for; 0 to show all."""
    evidence = SHORT_ANSWERS.get(kind)
    spans = sentence_spans(text)
    if evidence is None or len(spans) < 2:
        return 0
    holding = [start for start, end in spans if evidence.search(text[start:end])]
    return holding[0] if len(holding) == 1 and not POINTS_BACK.match(text[holding[0] :]) else 0


def _form(text: str) -> BlockKind:
    return "definition" if DEFINITION.match(text) else "paragraph"


def _list(number: int, page: QuotePage, span: int, max_words: int) -> QuoteBlock | None:
    """A list with its lead-in: whole if it fits, else the item with those that hold it, and then its neighbours."""
    kinds = [line.kind for line in page.lines]
    line = page.spans[span].line
    begin = end = line
    while begin and kinds[begin - 1] in ("item", "step"):
        begin -= 1
    while end + 1 < len(kinds) and kinds[end + 1] in ("item", "step"):
        end += 1
    lead = []
    first = next(n for n, s in enumerate(page.spans) if s.line == begin)
    if first and leads(page.texts[first - 1]):
        lead = [_last_sentence(page, first - 1)]
    shown = _window(page, begin, end, line, max_words - sum(count_words(page.text(p.start, p.end)) for p in lead))
    pieces = lead + [TextRun(page.lines[n].start, page.lines[n].end) for n in shown]
    gaps = {at for at, (n, behind) in enumerate(pairwise([begin - 1, *shown, end + 1])) if behind > n + 1}
    if not shown:  # an item that is too long by itself: the part that was found
        pieces, gaps = [_piece(page, span)], set()
    kind: BlockKind = "steps" if kinds[line] == "step" else "list"
    return _made(number, kind, page, pieces, max_words, cut={at + len(lead) - 1 for at in gaps})


def _window(page: QuotePage, begin: int, end: int, line: int, max_words: int) -> list[int]:
    """The lines of a list to show, in order: with `line`, whole at best, and no item that leads in to nothing."""

    def size(numbers: Iterable[int]) -> int:
        return sum(count_words(page.text(page.lines[n].start, page.lines[n].end)) for n in numbers)

    everything = list(range(begin, end + 1))
    if size(everything) <= max_words:
        return _complete(page, everything)
    chosen = set(_holders(page, begin, line)) | {line}
    if size(chosen) > max_words:
        return []
    # Its own items first, then what follows, then what stands before.
    order = [*range(line + 1, end + 1), *range(line - 1, begin - 1, -1)]
    for other in order:
        wanted = chosen | {other} | set(_holders(page, begin, other))
        if size(wanted) > max_words:
            if other > line:
                continue
            break
        if all(n in chosen or n == other for n in range(min(line, other), max(line, other))):
            chosen = wanted
    return _complete(page, sorted(chosen))


def _holders(page: QuotePage, begin: int, line: int) -> list[int]:
    """The items that a nested one belongs to, innermost first."""
    found, indent = [], page.lines[line].indent
    for before in range(line - 1, begin - 1, -1):
        if page.lines[before].indent < indent:
            found.append(before)
            indent = page.lines[before].indent
    return found


def _complete(page: QuotePage, numbers: list[int]) -> list[int]:
    """Without items that lead in to what is not shown, and without questions."""
    kept = []
    for place, n in enumerate(numbers):
        text = page.text(page.lines[n].start, page.lines[n].end)
        nested = place + 1 < len(numbers) and page.lines[numbers[place + 1]].indent > page.lines[n].indent
        if not (leads(text) and not nested) and not text.endswith("?"):
            kept.append(n)
    return kept


def _piece(page: QuotePage, span: int) -> TextRun:
    return TextRun(page.spans[span].start, page.spans[span].end)


def _last_sentence(page: QuotePage, span: int) -> TextRun:
    """The sentence with which a lead-in ends."""
    start, end = page.spans[span].start, page.spans[span].end
    return TextRun(start + sentence_spans(page.text(start, end))[-1][0], end)


def _made(
    number: int, kind: BlockKind, page: QuotePage, pieces: list[TextRun], max_words: int, cut: Collection[int] = ()
) -> QuoteBlock | None:
    """The block, with a sign behind the pieces `cut` that something was left out there; one that is too long is its
    last piece up to the end of a clause or a cell, with the same sign.
    """
    text = "\n".join(page.text(p.start, p.end) + (CUT if at in cut else "") for at, p in enumerate(pieces))
    if not _fits(text, max_words):
        last = pieces[-1]
        rest = page.text(last.start, last.end)
        ends = [m.start() for m in CLAUSE_END.finditer(rest) if not in_brackets(rest[: m.start()])]
        end = _whole_clause(rest, [at for at in ends if _fits(rest[:at], max_words)])
        pieces = [TextRun(last.start, last.start + end)]
        text = page.text(last.start, last.start + end).rstrip(",;") + CUT
        if count_words(text) < SHORT:
            return None
    if leads(text) or text.endswith(("?", "？")):
        return None
    return QuoteBlock(number, kind, tuple(pieces), text)


def _whole_clause(text: str, ends: Sequence[int]) -> int:
    """The last of these ends that does not leave a mere beginning of a sentence, such as "For example"; 0 for none."""
    for at in sorted(ends, reverse=True):
        start, _ = sentence_spans(text[:at])[-1]
        if count_words(text[start:at]) >= VERY_SHORT:
            return at
        if start:
            return len(text[:start].rstrip())
    return 0


def in_brackets(text: str) -> bool:
    """Whether a text ends before a bracket in it is closed."""
    return text.count("(") + text.count("[") > text.count(")") + text.count("]")


def _fits(text: str, max_words: int) -> bool:
    return count_words(text) <= max_words and len(text) <= MAX_CHARACTERS
