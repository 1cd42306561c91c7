"""Credentials in the test fixtures of four scanners: what is found, what is left, and what is masked in vain."""

import re
from functools import partial
from pathlib import Path

from benchmarks.guardrail_quality.data import CREDENTIALS, Labelled, each
from benchmarks.guardrail_quality.figures import Case, Figure, Row
from benchmarks.guardrail_quality.masks import Masker, Span, covered, found

GOALS = {"gitleaks": 0.95, "secretlint": 0.95, "credsweeper": 0.90, "detect-secrets": 0.75}
# A label of some sets is a whole assignment. What has to be hidden of it is the value: no name of one is a secret.
_ASSIGNED = re.compile(r"""["']?[A-Za-z_][\w.\-]*["']? ?(?:=>|:=|=|:) ?["']?(?P<value>[^"'\n]+)["']?""")


def credentials(masks: Masker, folder: Path) -> Row:
    """A positive is found if one of its spans is half masked, or anything where no span is labelled.

    Negatives say only that one rule must not fire: some hold a credential of another kind, or one of a wrong length,
    which may be masked without harm. So precision has no goal.
    """
    return each(folder, CREDENTIALS, partial(_set, masks))


def _set(masks: Masker, name: str, texts: list[Labelled]) -> Row:
    misses, alarms = [], []
    all_ = left = hits = positives = masked_negatives = 0
    for text in texts:
        masked = masks(text.text)
        if not text.positive:
            masked_negatives += bool(masked)
            alarms += [Case(f"{name} as {mask.kind}", text.text, *mask[:2], mask.end - mask.start) for mask in masked]
            continue
        positives += 1
        spans = [_value(text.text, span) for span in text.spans]
        hit = any(found(span, masked) for span in spans) if spans else bool(masked)
        hits += hit
        for span in spans:
            all_ += span.end - span.start
            rest = span.end - span.start - covered(span, masked)
            left += rest
            if not found(span, masked):
                misses.append(Case(f"{name}{'' if hit else ', text missed'}", text.text, span.start, span.end, rest))
        if not text.spans and not hit:
            misses.append(Case(f"{name}, text missed", text.text, 0, len(text.text), len(text.text)))
    figures = [
        Figure(f"{name}: recall", hits / positives, GOALS[name], note=f"of {positives}"),
        Figure(f"… {name}: share of characters left", left / all_),
        Figure(f"… {name}: precision by text", hits / max(hits + masked_negatives, 1)),
    ]
    return Row(figures, misses, alarms)


def _value(text: str, span: Span) -> Span:
    match = _ASSIGNED.fullmatch(text, span.start, span.end)
    return span if match is None else Span(*match.span("value"), span.kind)
