"""False redactions in texts that hold nothing to redact, for every 1,000 words."""

import re
from bisect import bisect_right
from collections import Counter
from pathlib import Path

from benchmarks.guardrail_quality.data import HANDBOOKS, Missing, pages
from benchmarks.guardrail_quality.figures import Case, Figure, Row, joined
from benchmarks.guardrail_quality.masks import Masker
from benchmarks.guardrail_quality.noise import noise

_EVERY = 3  # of so many pages one is read
_NOISE_WORDS = 20_000
# Handbooks do hold addresses and numbers of people; a mask over one of these is right.
_TRUE = {
    "email": re.compile(r"(?s).*@.*"),
    "phone": re.compile(r"(?s)\+.*|\D*(?:1[ .-])?\(?\d{3}\)?[ ./-]{1,2}\d{3}[ .-]\d{4}\D*(?:\d{1,5})?"),
}


def false_alarms(masks: Masker, folder: Path) -> Row:
    return joined([_prose(masks, folder), _noise(masks)])


def _prose(masks: Masker, folder: Path) -> Row:
    try:
        texts = [page for handbook in HANDBOOKS for page in pages(folder, handbook, _EVERY)]
    except Missing as missing:
        return Row(skipped=str(missing))
    words, true, alarms = sum(len(text.split()) for text in texts), 0, []
    for text in texts:
        for mask in masks(text):
            if (form := _TRUE.get(mask.kind)) is not None and form.fullmatch(text[mask.start : mask.end]):
                true += 1
            else:
                alarms.append(Case(mask.kind, text, mask.start, mask.end, mask.end - mask.start))
    note = f"({len(alarms)}; {true} true ones)"
    figure = Figure(
        f"{words:,} words of handbooks: per 1,000", len(alarms) / words * 1000, 0.1, at_most=True, note=note
    )
    return Row([figure], (), alarms)


def _noise(masks: Masker) -> Row:
    lines = list(noise(_NOISE_WORDS))
    text, starts = "", []
    for _, line in lines:
        starts.append(len(text))
        text += line + "\n"
    words, alarms = len(text.split()), []
    for mask in masks(text):
        kind = lines[bisect_right(starts, mask.start) - 1][0]
        alarms.append(Case(f"{kind} as {mask.kind}", text, mask.start, mask.end, mask.end - mask.start))
    note = f"({len(alarms)})"
    figures = [
        Figure(
            f"{words:,} words of codes and numbers: per 1,000", len(alarms) / words * 1000, 0.2, at_most=True, note=note
        )
    ]
    figures += [Figure(f"… {what}", count) for what, count in Counter(case.what for case in alarms).most_common()]
    return Row(figures, (), alarms)
