"""A rule in one sentence, for people: "finance and legal, not contractors; confidential; inherits". Pure."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from app.acl.rules import Grant, OwnRule
from app.identity.subject import EVERYONE

# So many of those whom a grant names are listed; the rest are counted.
MAX_NAMED = 6
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def english_date(moment: dt.datetime) -> str:
    """A moment as a day, with the time of day (UTC) unless that is midnight: "3 March 2027"."""
    moment = moment.astimezone(dt.UTC)
    day = f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"
    return day if moment.time() == dt.time() else f"{day}, {moment:%H:%M} UTC"


@dataclass(frozen=True)
class RuleWords:
    """How a surface says it in another language: a translation of the words, and of moments."""

    gettext: Callable[[str], str] = str
    date: Callable[[dt.datetime], str] = english_date


ENGLISH = RuleWords()
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def rule_sentence(
    own: OwnRule,
    names: Mapping[uuid.UUID, str],
    at: dt.datetime,
    words: RuleWords = ENGLISH,
    *,
    outermost: bool = False,
) -> str:
    """What a collection, a folder or a document says for itself; who is not among the names shows their id.

    `at`: past ends are marked by it. `outermost`: a collection's rule, above which there is nothing to inherit.
    """
    gettext = words.gettext
    allowed = _groups([g for g in own.grants if g.effect == "allow"], names, at, words, gettext("and"))
    denied = _groups([g for g in own.grants if g.effect == "deny"], names, at, words, gettext("or"))
    refused = [gettext("not {names}").format(names=some) for some in denied]
    who = ", ".join(part for part in ("; ".join(allowed), *refused) if part)
    if not allowed and not own.inherits:
        who = gettext("nobody")
    label = None if own.label is None else gettext(own.label.text)
    above = None if outermost else gettext("inherits") if own.inherits else gettext("inherits nothing")
    return "; ".join(part for part in (who, label, above) if part)


def _groups(
    grants: Collection[Grant], names: Mapping[uuid.UUID, str], at: dt.datetime, words: RuleWords, last: str
) -> list[str]:
    """Those named together for each start and end, the boundless first."""
    groups: dict[tuple[dt.datetime | None, dt.datetime | None], list[Grant]] = {}
    for grant in grants:
        groups.setdefault((grant.starts_at, grant.ends_at), []).append(grant)
    ordered = sorted(groups, key=lambda bounds: [_NEVER if moment is None else moment for moment in bounds])
    return [_who(groups[bounds], names, words, last) + _when(*bounds, at, words) for bounds in ordered]


def _who(grants: Collection[Grant], names: Mapping[uuid.UUID, str], words: RuleWords, last: str) -> str:
    gettext = words.gettext
    roles = sorted(names.get(g.principal.id, str(g.principal.id)) for g in grants if g.principal.kind == "role")
    people = sorted(names.get(g.principal.id, str(g.principal.id)) for g in grants if g.principal.kind == "user")
    everyone = [gettext("everyone")] if any(g.principal == EVERYONE for g in grants) else []
    named = [*everyone, *roles, *people]
    if len(named) > MAX_NAMED:
        more = gettext("{number} more").format(number=len(named) - MAX_NAMED)
        named = [*named[:MAX_NAMED], more]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} {last} {named[-1]}"


def _when(starts: dt.datetime | None, ends: dt.datetime | None, at: dt.datetime, words: RuleWords) -> str:
    gettext = words.gettext
    bounds = [
        *([gettext("from {date}").format(date=words.date(starts))] if starts is not None else []),
        *([gettext("until {date}").format(date=words.date(ends))] if ends is not None else []),
        *([gettext("(over)")] if ends is not None and ends <= at else []),
    ]
    return "".join(f" {bound}" for bound in bounds)
