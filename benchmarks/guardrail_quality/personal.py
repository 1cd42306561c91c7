"""Personal data in labelled texts: what is found of the structured kinds, and what share of the characters is left."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.guardrail_quality.data import AMBIENT, RECOGNISERS, SYNTHETIC, Labelled, each, labelled
from benchmarks.guardrail_quality.figures import Case, Figure, Row
from benchmarks.guardrail_quality.masks import Masker, Span, covered, found

STRUCTURED = ("e-mail", "phone", "card", "IBAN", "SSN", "IP")
# Cities, countries, organisations, dates, ages, titles and nationalities alone point to nobody.
PERSONAL = (*STRUCTURED, "name", "address", "patient number", "provider number", "driving licence")
SETS = {"synthetic": SYNTHETIC, "ambient": AMBIENT}
# Names of persons, dates and URLs: the first needs a model, the others are no personal data by themselves.
NOT_OURS = {"PERSON", "DATE_TIME", "URL"}


def structured(masks: Masker, folder: Path) -> Row:
    """Recall of the kinds that have a form, at half a span."""
    return each(folder, SETS, partial(_structured, masks))


def _structured(masks: Masker, name: str, texts: list[Labelled]) -> Row:
    hits, all_, misses = Counter[str](), Counter[str](), []
    for text, span, left, hit in _judged(masks, texts):
        if span.kind in STRUCTURED:
            all_[span.kind] += 1
            hits[span.kind] += hit
            if not hit:
                misses.append(Case(f"{name} {span.kind}", text.text, span.start, span.end, left))
    total, phones = sum(all_.values()), all_["phone"]
    figures = [
        Figure(f"{name}: recall", sum(hits.values()) / total, 0.98, note=f"of {total}"),
        Figure(f"{name}: recall of phones", hits["phone"] / phones, 0.95, note=f"of {phones}"),
    ]
    others = [kind for kind in STRUCTURED if all_[kind] and kind != "phone"]
    figures += [Figure(f"… {name}: {kind}", hits[kind] / all_[kind], note=f"of {all_[kind]}") for kind in others]
    return Row(figures, misses)


def leak(masks: Masker, folder: Path) -> Row:
    """The share of the characters of personal data that is left."""
    return each(folder, SETS, partial(_leak, masks))


def _leak(masks: Masker, name: str, texts: list[Labelled]) -> Row:
    left_of, all_, misses = Counter[str](), Counter[str](), []
    for text, span, left, _ in _judged(masks, texts):
        if span.kind in PERSONAL:
            all_[span.kind] += span.end - span.start
            left_of[span.kind] += left
            if left:
                misses.append(Case(f"{name} {span.kind}", text.text, span.start, span.end, left))
    figures = [Figure(f"{name}: leak", sum(left_of.values()) / sum(all_.values()), 0.12, at_most=True)]
    figures += [Figure(f"… {name}: {kind}", left_of[kind] / all_[kind]) for kind in PERSONAL if all_[kind]]
    figures += [_f2(masks, name, kind, kinds, texts) for kind, kinds in MODELLED.items()]
    return Row(figures, misses)


# What masks of names and addresses may be called, beside the labels they answer to.
MODELLED = {"name": ("person", "name"), "address": ("address", "street address", "postal address")}


def _f2(masks: Masker, name: str, label: str, kinds: tuple[str, ...], texts: list[Labelled]) -> Figure:
    """F2 of whole spans: found if masks of the kind cover half; a mask is right if half of it is labelled so."""
    labels = made = hits = right = 0
    for text in texts:
        spans = [span for span in text.spans if span.kind == label]
        ours = [mask for mask in masks(text.text) if mask.kind in kinds]
        labels, made = labels + len(spans), made + len(ours)
        hits += sum(found(span, ours) for span in spans)
        right += sum(found(mask, spans) for mask in ours)
    if not labels:
        return Figure(f"… {name}: {label} F2", 0, note="(no labels)")
    recall, precision = hits / labels, right / made if made else 0.0
    f2 = 5 * precision * recall / (4 * precision + recall) if hits and right else 0.0
    return Figure(f"… {name}: {label} F2", f2, note="" if made else "(no check for it)")


def recognisers(masks: Masker, folder: Path) -> Row:
    """The cases of Presidio's unit tests: a positive is found if half of one of its spans is masked.

    Those of NOT_OURS do not count. A negative says only that its own kind is not to be found: another may be there.
    """
    texts = labelled(folder, RECOGNISERS)
    positives = [text for text in texts if text.positive and text.entity not in NOT_OURS]
    negatives = [text for text in texts if not text.positive]
    misses, alarms = [], []
    for text in positives:
        masked = masks(text.text)
        if not any(found(span, masked) for span in text.spans):
            span = max(text.spans, key=lambda span: span.end - span.start)
            misses.append(Case(text.entity, text.text, span.start, span.end, span.end - span.start))
    for text in negatives:
        alarms += [
            Case(f"{text.entity} as {mask.kind}", text.text, *mask[:2], mask.end - mask.start)
            for mask in masks(text.text)
        ]
    hits, masked_texts = len(positives) - len(misses), len({(case.what.split(" as ")[0], case.text) for case in alarms})
    figures = [
        Figure("positives found", hits, round(0.896 * len(positives)), of=len(positives)),
        Figure("negatives masked", masked_texts, round(0.145 * len(negatives)), at_most=True, of=len(negatives)),
    ]
    return Row(figures, misses, alarms)


def _judged(masks: Masker, texts: list[Labelled]) -> Iterator[tuple[Labelled, Span, int, bool]]:
    """Each span of each text with how many of its characters are left, and whether half of it is masked."""
    for text in texts:
        masked = masks(text.text)
        for span in text.spans:
            yield text, span, span.end - span.start - covered(span, masked), found(span, masked)
