"""Dates, months, weekdays and times of day in a text. Pure."""

import re
from collections.abc import Iterator

from app.grounding.facts import Fact, Value
from app.grounding.number_words import AMBIGUOUS_MONTHS, MONTHS, WEEKDAYS

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?"
_YEAR = r"(?P<year>(?:1[5-9]|20|21)\d\d)"
_DATES = (
    re.compile(r"(?<!\d)(?P<year>(?:1[5-9]|20|21)\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"),
    re.compile(r"(?<![\d.])(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>(?:19|20|21)?\d\d)(?![\d.]\d)"),
    re.compile(rf"(?i)\b(?P<name>{_MONTH})\.?,?\s+(?:the\s+)?{_DAY}(?!\d)(?!\s*[:%€$])(?:,?\s+{_YEAR}\b)?"),
    re.compile(rf"(?i)(?<![\d.,]){_DAY}\s+(?:of\s+|de\s+)?(?P<name>{_MONTH})\b\.?(?:,?\s+(?:de\s+|del\s+)?{_YEAR}\b)?"),
    re.compile(rf"(?i)\b(?P<name>{_MONTH})\.?,?\s+(?:de\s+|of\s+)?{_YEAR}\b"),
)
_NAMED = re.compile(rf"\b(?P<name>{_MONTH})\b", re.IGNORECASE)
_IN = re.compile(r"(?i)\b(?:in|since|until|till|every|early|late|mid|last|next|im|seit|bis|en|au|desde|hasta)[\s-]+$")
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})\b", re.IGNORECASE)
_TIME = re.compile(
    r"(?i)(?<![\d.,:])(?P<hour>[01]?\d|2[0-4])(?:(?P<sep>[:h.])(?P<minute>[0-5]\d))?\s?"
    r"(?P<half>a\.?m\b\.?|p\.?m\b\.?|uhr\b|o'clock\b|heures\b)?"
)


def dates(text: str) -> Iterator[Fact]:
    """All of them, with the years of dates as numbers, in no order."""
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if all(match.end() <= a or match.start() >= b for a, b in taken) and (found := list(_date(match))):
                taken.append(match.span())
                yield from found
    for match in _NAMED.finditer(text):
        free = all(match.end() <= a or match.start() >= b for a, b in taken)
        clear = match[0].lower() not in AMBIGUOUS_MONTHS or _IN.search(text, max(0, match.start() - 12), match.start())
        if free and match[0][0].isupper() and clear and len(match[0]) > 2:
            yield Fact("month", frozenset({float(MONTHS[match[0].lower()])}), *match.span())
    for match in _WEEKDAY.finditer(text):
        yield Fact("weekday", frozenset({float(WEEKDAYS[match[0].lower()])}), *match.span())
    yield from _times(text, taken)


def _date(match: re.Match[str]) -> Iterator[Fact]:
    parts = match.groupdict()
    span = (match.start(), match.start() + len(match[0].rstrip(".")))
    if name := parts.get("name"):
        month = MONTHS[name.lower()]
        if parts.get("day") is None:
            yield Fact("month", frozenset({float(month)}), *span)
        elif 1 <= int(parts["day"]) <= 31:
            yield Fact("date", frozenset[Value]({(month, int(parts["day"]))}), *span)
        else:
            return
    else:
        first, second = int(parts["month"]), int(parts["day"])
        readings = {(first, second)} if match.re is _DATES[0] or "." in match[0] else {(first, second), (second, first)}
        readings = {(month, day) for month, day in readings if 1 <= month <= 12 and 1 <= day <= 31}
        if not readings:
            return
        yield Fact("date", frozenset[Value](readings), *span)
    if year := parts.get("year"):
        full = int(year) + (2000 if int(year) < 70 else 1900 if int(year) < 100 else 0)
        yield Fact("number", frozenset({float(full)}), *span)


def _times(text: str, taken: list[tuple[int, int]]) -> Iterator[Fact]:
    for match in _TIME.finditer(text):
        half = (match["half"] or "").lower().replace(".", "")
        clock = match["sep"] in {":", "h"} and match["minute"] is not None
        if not (half or clock) or any(match.start() < b and match.end() > a for a, b in taken):
            continue
        hour, minute = int(match["hour"]), int(match["minute"] or 0)
        if half in {"am", "pm"}:
            readings = {(hour % 12 + (12 if half == "pm" else 0)) * 60 + minute}
        elif half == "uhr" or hour > 12 or match["hour"].startswith("0") or match["sep"] == "h":
            readings = {hour % 24 * 60 + minute}
        else:
            readings = {hour * 60 + minute, (hour + 12) % 24 * 60 + minute}
        yield Fact("time", frozenset(float(r) for r in readings), *match.span())
