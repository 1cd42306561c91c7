"""The access rules as pure values and functions: the oracle that the SQL must equal.

Deny beats allow; nothing granted means nobody; a label above the clearance hides whatever the grants say.
"""

import datetime as dt
import hashlib
import json
import uuid
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from app.identity.subject import Label, Principal, Subject

# Bytes of a digest.
_SIZE = hashlib.sha256().digest_size

Effect = Literal["allow", "deny"]


@dataclass(frozen=True)
class Grant:
    """Allow or deny one principal, from `starts_at` (included) to `ends_at` (excluded)."""

    effect: Effect
    principal: Principal
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None

    def in_time(self, at: dt.datetime) -> bool:
        """Whether the grant counts at that moment."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)

    def to_json(self) -> dict[str, Any]:
        """The canonical form, of which digests are made."""
        return {
            "effect": self.effect,
            "ends_at": _moment(self.ends_at),
            "kind": self.principal.kind,
            "principal": str(self.principal.id),
            "starts_at": _moment(self.starts_at),
        }

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of its parts in a fixed form."""
        starts, ends = _moment(self.starts_at) or "", _moment(self.ends_at) or ""
        return _sha256(f"{self.effect}|{self.principal.kind}|{self.principal.id}|{starts}|{ends}".encode())

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Grant":
        return cls(
            value["effect"],
            Principal(value["kind"], uuid.UUID(value["principal"])),
            _parse_moment(value["starts_at"]),
            _parse_moment(value["ends_at"]),
        )


@dataclass(frozen=True)
class Rule:
    """What decides for a scope: a label and grants, own and inherited."""

    label: Label
    grants: frozenset[Grant]

    def canonical(self) -> list[dict[str, Any]]:
        """The grants in a fixed order."""
        return sorted((g.to_json() for g in self.grants), key=lambda g: json.dumps(g, sort_keys=True))

    @property
    def digest(self) -> bytes:
        """Equal rules have equal digests, whatever parts they were put together from."""
        return rule_digest(self.label, joined_digests(self.grants))


@dataclass(frozen=True)
class OwnRule:
    """What a document or a collection says for itself. Plain inheritance is `OwnRule()`."""

    grants: frozenset[Grant] = frozenset()
    inherits: bool = True
    label: Label | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "grants": Rule(Label.PUBLIC, self.grants).canonical(),
            "inherits": self.inherits,
            "label": None if self.label is None else self.label.text,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "OwnRule":
        """The inverse of `to_json`; raises KeyError or ValueError on anything else, so that it can mean nobody."""
        label = value["label"]
        return cls(
            frozenset(Grant.from_json(g) for g in value["grants"]),
            bool(value["inherits"]),
            None if label is None else Label.parse(label),
        )

    @property
    def digest(self) -> bytes:
        """SHA-256 of the stored form: it names the scope within a collection."""
        return _digest(self.to_json())


def joined_digests(grants: Iterable[Grant]) -> bytes:
    """The digests of these grants behind one another, ascending."""
    return b"".join(sorted(g.digest for g in grants))


def rule_digest(label: int, grant_digests: bytes) -> bytes:
    """SHA-256 over the label and the sorted digests of the grants: canonical, and made without the grants at hand."""
    return _sha256(b"%d|" % label + grant_digests)


def united(own: bytes, above: bytes) -> bytes:
    """The sorted digests of the grants that are in either of two sets, from the sorted digests of each.

    `above` is looked up in `own`, so it costs little where a few inherited grants meet many own ones.
    """
    places = range(len(own) // _SIZE)
    parts, done = [], 0
    for start in range(0, len(above), _SIZE):
        digest = above[start : start + _SIZE]
        at = _SIZE * bisect_left(places, digest, key=lambda n: own[_SIZE * n : _SIZE * (n + 1)])
        if own[at : at + _SIZE] != digest:
            parts += [own[done:at], digest]
            done = at
    return b"".join([*parts, own[done:]])


def effective(collection: OwnRule, *below: OwnRule) -> Rule:
    """The rule that decides for documents of this collection, below these folders, with this own rule, outermost first.

    Each adds its grants to those from above, or breaks with them. The innermost label holds. A collection always has
    one; if it had none, the highest would hold.
    """
    label, grants = collection.label, collection.grants
    for own in below:
        label = own.label if own.label is not None else label
        grants = own.grants | (grants if own.inherits else frozenset())
    return Rule(Label.RESTRICTED if label is None else label, grants)


@dataclass(frozen=True)
class Decision:
    """May the subject read what stands under the rule, and which part of it decided."""

    allowed: bool
    reason: Literal["granted", "denied", "label above clearance", "nothing granted", "not in time"]
    grant: Grant | None = None


def decide(subject: Subject, rule: Rule, at: dt.datetime) -> Decision:
    """The oracle: visible = some allow, no deny, label within clearance, all in time."""
    about = sorted((g for g in rule.grants if subject.is_named_by(g.principal)), key=lambda g: str(g.to_json()))
    counting = [g for g in about if g.in_time(at)]
    for grant in counting:
        if grant.effect == "deny":
            return Decision(False, "denied", grant)
    allows = [g for g in counting if g.effect == "allow"]
    if not allows:
        late = next((g for g in about if g.effect == "allow"), None)
        return Decision(False, "nothing granted" if late is None else "not in time", late)
    if rule.label > subject.clearance:
        return Decision(False, "label above clearance", allows[0])
    return Decision(True, "granted", allows[0])


def next_change(grants: Iterable[Grant], at: dt.datetime) -> dt.datetime | None:
    """The next moment at which the clock alone changes what these grants say."""
    moments = (m for g in grants for m in (g.starts_at, g.ends_at) if m is not None and m > at)
    return min(moments, default=None)


def _digest(value: dict[str, Any]) -> bytes:
    return _sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def _sha256(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _moment(value: dt.datetime | None) -> str | None:
    return None if value is None else value.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _parse_moment(value: str | None) -> dt.datetime | None:
    return None if value is None else dt.datetime.fromisoformat(value)
