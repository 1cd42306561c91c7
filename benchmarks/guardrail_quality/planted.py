"""Values in disguises, layouts and encodings: of how many can nothing be read back?"""

from collections import Counter
from collections.abc import Mapping

from benchmarks.guardrail_quality.disguises import DISGUISES, Disguise
from benchmarks.guardrail_quality.encodings import ENCODINGS
from benchmarks.guardrail_quality.figures import Case, Figure, Row
from benchmarks.guardrail_quality.layouts import LAYOUTS
from benchmarks.guardrail_quality.masks import Masker, left
from benchmarks.guardrail_quality.readback import readable
from benchmarks.guardrail_quality.values import VALUES


def disguises(masks: Masker) -> Row:
    return _row(masks, "hidden in a disguise", DISGUISES, goal=144)


def layouts(masks: Masker) -> Row:
    return _row(masks, "hidden in a layout", LAYOUTS, goal=146)


def encodings(masks: Masker) -> Row:
    return _row(masks, "hidden in an encoding, its kind named", ENCODINGS, goal=115, named=True)


def _row(masks: Masker, what: str, ways: Mapping[str, Disguise], *, goal: int, named: bool = False) -> Row:
    misses = []
    by_way, by_kind = Counter(dict.fromkeys(ways, 0)), Counter({planted.kind: 0 for planted in VALUES})
    for way, disguise in ways.items():
        for planted in VALUES:
            disguised = disguise(planted.value)
            text = (planted.naming if named else planted.sentence).format(disguised)
            if readable(planted.value, disguised, left(text, masks(text))):
                at = text.index(disguised)
                misses.append(Case(f"{planted.kind}, {way}", text, at, at + len(disguised), len(planted.value)))
            else:
                by_way[way] += 1
                by_kind[planted.kind] += 1
    figures = [Figure(what, sum(by_way.values()), goal, of=len(ways) * len(VALUES))]
    figures += [Figure(f"… {way}", count, of=len(VALUES)) for way, count in by_way.items()]
    figures += [Figure(f"… {kind}", count, of=len(ways)) for kind, count in by_kind.items()]
    return Row(figures, misses)
