"""Values that markup, line breaks, table cells and list signs cut in two, and escaped or look-alike characters."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.guardrail.check import NUMBER_SIGN, NUMBER_START, Check, Cue, Run
from app.guardrail.cues import verbs
from app.guardrail.readings.reading import Reading, groups_of
from app.guardrail.readings.rewriting import LOOKALIKE, Rewritten, glue, rewrite, space
from app.guardrail.values import is_mixed
from app.lookalikes import LOOKALIKE_DIGITS, LOOKALIKES

_EXTENT = 190
_SIGNS = r"\\~`<&%=\[_\x80-\U0010ffff"
_MARKS = f"[{_SIGNS}]"
_VALUABLE = re.compile(r"(?s:.*?)(?:[\d@]|&#|[%=]\d|[^\x00-\x7f])")
_TAG = r"<(?:!(?:-(?:-[^\n]{0,66})?)?|[A-Za-z/][^<>\n]{0,64}>?)?"
# A letter of another alphabet beside Latin ones: whole words of Russian or Greek are what they look like.
_FOREIGN = rf"(?<=[A-Za-z0-9@._+\-]){LOOKALIKE}|{LOOKALIKE}(?=[A-Za-z0-9@]|[._+\-][!-~])"
# Words that hold an escape, an entity, a tag, a code mark, a citation or such a letter. One of the signs is looked for
# first: most words have none.
_TRIGGER = rf"\\[!-~]|~~|`|<[A-Za-z!/]|&[#A-Za-z]|[%=][2-7]|[A-Za-z0-9]\[\^?\d|{_FOREIGN}|[A-Z\d]_[A-Z\d]|_[\d(+]|\d_"
_GLUED = re.compile(
    rf"(?<![A-Za-z0-9._\-/#])(?=[^ \n{_SIGNS}]{{0,65}}{_MARKS})(?=[^ \n]{{0,63}}?(?:{_TRIGGER}))"
    r"(?=[^ \n]{0,80}?(?:[\d@&%=\x80-\U0010ffff]|<!))"
    r"(?=[^ \n<>~`|\[])"
)
_ALIKE = "".join(sorted({chr(code) for code in (*LOOKALIKE_DIGITS, *(c for c in LOOKALIKES if chr(c).isupper()))}))
# Then groups of digits and capitals, with whatever may stand between them; a wider gap than so many blanks parts them.
_GAP = 16
_GROUPS = rf"(?:[\d{_ALIKE}A-Z().+/x\-\n|~`_\\>\[\]]|(?<! {{{_GAP}}}) |{_TAG}|&[#A-Za-z\d]{{0,8}};?)*"
_GLUED_RUN = Run(re.compile(rf"(?:(?:[^ \n<]|{_TAG})+{_GROUPS})?"), _EXTENT)
_GROUPED = re.compile(rf"{NUMBER_START.pattern}|(?<![A-Za-z0-9])[A-Z]{{2}}\d", re.ASCII)
_GROUPED_RUN = Run(re.compile(_GROUPS), 112)
# Something to undo, and four digits.
_DIGITS = re.compile(rf"(?=\D*+\d\D*+\d\D*+\d\D*+\d)(?s:(?=.*?(?:[\n|~`_\\<&\[]|  |{LOOKALIKE})))")
# A word with a digit, a sign or capitals in it, up to the end of its line or cell, and the word behind that.
_BROKEN = re.compile(
    r"(?<![^ \n|\"'`(=:,])(?=[^ \n|\d@_.+\-A-Z]{0,64}[\d@_.+\-A-Z])"
    r"(?=[^ \n|]{0,63}?(?:\d|[@_]|[A-Za-z0-9][.+\-][A-Za-z0-9]|[A-Z]{4}))(?=[^ \n|])"
)
_BREAK = re.compile(r"(?=[^@\d]*+[@\d])(?=[^\n|]*?(?:[\n|\[]|  ))")
_REST = r"(?:\n[ >|]{0,6}(?:[-+.] ?)?|\| {0,2})[^ \n|]{0,60}|\[(?:\d{1,3}(?:\] {0,2}[^ \n|]{0,60})?)?"
_BROKEN_RUN = Run(
    re.compile(rf"(?:[^ \n|]{{1,60}}(?: {{1,2}}(?:{_REST}|(?<=  ) {{0,2}}[^ \n|]{{0,60}})?|{_REST})?)?"), 126
)
_LINE_RUN = Run(re.compile(r"[^\n]*"), 80)
# Right behind layout or an assigning sign; elsewhere what is no word.
_VALUE = re.compile(
    r"""(?:(?<=[>\n`"'(=])|(?<=&quot;)|(?<=&apos;)|(?<=&#3[49];)|(?<=[|:>=\-] )|(?<=\[\d\] )|"""
    r"""(?<=[ (])(?=[^ \n]{0,30}?[\d!#$%^&]))"""
    r"""(?=[^ \n"'`=:<>()\[\]{},;&|])"""
)
_LAYOUT = re.compile(r"[<>|\\&`~\n\]]|  |[^\x00-\x7f]")
_ANNOUNCES = re.compile(rf"(?:[:=|>\n]|(?: (?:{verbs()})))[ |>\n]{{0,6}}[(\[]?(?:[\"'`]|&quot;|&apos;|&#3[49];)?\Z")
_QUOTE = re.compile(r"&(?:quot|apos|#3[49]);")
_ANY = re.compile("")
_ALONE = re.compile(r"[^ \n]{3,64} *(?:\n|\Z)")


def _halves(before: str, stretch: str) -> Iterator[tuple[str, Rewritten]]:
    """The halves of a word, which a break cut."""
    shown = rewrite(stretch, glue)
    if shown is not None:
        left = rewrite(before, space)
        yield (before if left is None else left.text), shown


def _forms(before: str, stretch: str) -> Iterator[tuple[str, Rewritten]]:
    """The halves of a word, then the groups of a number where there is a break, then either without underscores."""
    shown = rewrite(stretch, glue)
    if shown is None and "_" not in stretch and stretch.isascii():
        return
    changed = rewrite(before, space)
    left = before if changed is None else changed.text
    if shown is not None:
        yield left, shown
        if shown.joined < len(shown.text) and (spaced := rewrite(stretch, space)) is not None:
            yield left, spaced
    if not stretch.isascii() and (numbered := rewrite(stretch, glue, digits=True)) is not None:
        yield left, numbered
    if "_" in stretch and (bare := rewrite(stretch, glue, underscores=True)) is not None:
        yield left, bare


@dataclass(frozen=True, slots=True, eq=False)
class _NamedByLayout:
    """Whether a cue is found once layout is undone, and not before."""

    cues: tuple[Cue, ...]

    def __call__(self, before: str) -> bool:
        if _LAYOUT.search(before) is None or _ANNOUNCES.search(before, max(len(before) - 24, 0)) is None:
            return False
        left = rewrite(before, space)
        return left is not None and any(cue.found(left.text) and not cue.found(before) for cue in self.cues)


def _named(before: str, stretch: str) -> Iterator[tuple[str, Rewritten]]:
    """Layout stands only before the value: between it and what names it.

    What follows on the next line may be a sentence: there the value stands alone on its line, or is no word.
    """
    left = rewrite(before, space)
    if left is None:
        return
    if (quote := _QUOTE.search(stretch)) is not None and _QUOTE.search(before[-6:]) is not None:
        stretch = stretch[: quote.start()]
    broken = left.joined < len(left.text) and "\n" in before[-8:]
    if broken and _ALONE.match(stretch) is None and not is_mixed(stretch.split(" ", 1)[0]):
        return
    yield left.text, Rewritten(stretch, list(range(1, len(stretch) + 1)), -1, len(stretch))


def layout_readings(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks in every reading that undoes layout."""
    groups = groups_of(checks)
    named = tuple(group for group in groups if group.cue is not None)
    cues = tuple(dict.fromkeys(group.cue for group in named if group.cue is not None))
    words = tuple(dict.fromkeys(word for cue in cues for word in cue.words))
    cue = Cue(words, _LAYOUT, _NamedByLayout(cues))
    return (
        Reading(groups, _GLUED, _GLUED_RUN, _forms, _VALUABLE, needs=_MARKS),
        Reading(groups, _GROUPED, _GROUPED_RUN, _forms, _DIGITS, needs=NUMBER_SIGN),
        Reading(groups, _BROKEN, _BROKEN_RUN, _halves, _BREAK, needs=r"[0-9@_.+\-A-Z]"),
        Reading(named, _VALUE, _LINE_RUN, _named, _ANY, cue=cue),
    )
