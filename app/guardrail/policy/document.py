"""`policy.yaml`: what callers are shown of what the guardrail finds; pure.

    version: 3                      # what its author calls it; in the log beside the digest of the file
    look_for: [pay]                 # kinds that are off otherwise
    rules:                          # the first that is about a value counts; what none is about is removed
      - kinds: [phone, email]
        roles: [hr]                 # callers with one of these roles; without the line: everyone
        max_label: internal         # values of documents up to this label, or from `min_label` on
        action: keep                # keep, last_four, pseudonym, remove or refuse
      - kinds: [card]
        action: last_four
        origin: anywhere            # also what stands in no passage that the caller may read
    allow:                          # public contacts: shown to everybody
      - "+49 30 901820"
      - "*@press.example.com"
    deny:                           # never shown to anybody
      - Operation Nightfall
    patterns:                       # the company's own
      - name: project number
        pattern: "PRJ-[0-9]{5}"
        after: [project, Projekt]   # one of these words stands before it; without the line: anywhere
        any_case: true

Everything unknown is an error with its line, since a rule that is misread would show a value to the wrong people.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from app.guardrail.check import KINDS, NEVER_SHOWN, Check
from app.guardrail.policy.model import (
    ACTIONS,
    OPTIONAL_KINDS,
    ORIGINS,
    OWN_KIND,
    Contacts,
    GuardrailPolicy,
    Origin,
    PolicyRule,
)
from app.guardrail.policy.patterns import PatternRefused, pattern_check
from app.guardrail.policy.values import contacts_of
from app.guardrail.terms import ListedTerms, UnusableTerm
from app.identity.subject import Label
from app.yaml_nodes import YamlFileError, YamlNodes

MAX_BYTES = 1_000_000
EVERYONE = "everyone"
_LABELS = tuple(label.text for label in Label)
_FILE_KEYS = ("version", "look_for", "rules", "allow", "deny", "patterns")
_RULE_KEYS = ("kinds", "roles", "min_label", "max_label", "origin", "action")
_PATTERN_KEYS = ("name", "kind", "pattern", "after", "any_case")
_DENIED = "denied by the policy"
_MIN_TERM = 3  # characters
T = TypeVar("T")


class PolicyFileError(YamlFileError):
    """The policy is invalid; the message has the line and says what to write. No term or contact is in it."""


def read_policy(path: Path) -> GuardrailPolicy:
    """Read a file. Raises PolicyFileError, also if it does not exist, is not UTF-8 or has more than a megabyte."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyFileError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_policy(content, name=path.name)


def parse_policy(content: bytes, *, name: str = "policy.yaml") -> GuardrailPolicy:
    """The policy in the content of a file called `name`. Raises PolicyFileError."""
    if len(content) > MAX_BYTES:
        raise PolicyFileError(f"{name}: a policy has at most {MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyFileError(f"{name}: it is no text in UTF-8") from None
    return _PolicyParser(name).parse(text, hashlib.sha256(content).hexdigest())


class _PolicyParser(YamlNodes):
    error = PolicyFileError

    def parse(self, text: str, digest: str) -> GuardrailPolicy:
        root = self.compose(text)
        if root is None:
            raise PolicyFileError(f"{self._name}: the file is empty; write at least `version: 1`")
        fields = self.mapping(root, _FILE_KEYS, "the file")
        if "version" not in fields:
            raise self.wrong(root, "`version` is missing: write `version: 1`, and count it up with each change")

        def each(key: str, parse: Callable[[Any, str], T]) -> tuple[T, ...]:
            entries = self.sequence(fields[key], f"`{key}`") if key in fields else []
            return tuple(parse(node, f"entry {number} of `{key}`") for number, node in enumerate(entries, start=1))

        look_for = self._optional_kinds(fields["look_for"]) if "look_for" in fields else ()
        denied = each("deny", self._term)
        terms = [ListedTerms([(term, OWN_KIND, _DENIED) for term in denied])] if denied else []
        allowed = each("allow", self._contact)
        return GuardrailPolicy(
            digest,
            self._version(fields["version"]),
            each("rules", self._rule),
            frozenset(look_for),
            Contacts.all_of(allowed),
            (*terms, *each("patterns", self._pattern)),
        )

    def _version(self, node: Any) -> str:
        value = str(getattr(node, "value", ""))
        if not re.fullmatch(r"[\w.\-]{1,40}", value, re.ASCII):
            raise self.wrong(node, "`version` must be a number or a word of up to 40 letters, digits, dots and dashes")
        return value

    def _optional_kinds(self, node: Any) -> tuple[str, ...]:
        kinds = self.names(node, "`look_for`", "leave the line out")
        for kind in kinds:
            if kind not in OPTIONAL_KINDS:
                raise self.wrong(
                    node, f"`look_for` is for kinds that are off otherwise: {', '.join(OPTIONAL_KINDS)}, not {kind!r}"
                )
        return kinds

    def _rule(self, node: Any, where: str) -> PolicyRule:
        fields = self.mapping(node, _RULE_KEYS, where, needed=("kinds", "action"))
        action = self.one_of(fields["action"], ACTIONS, f"`action` of {where}")
        shows = action not in ("remove", "refuse")
        kinds = self._kinds(fields["kinds"], f"`kinds` of {where}", shows=shows)
        origin: Origin = "passage" if shows else "anywhere"
        if "origin" in fields:
            origin = self.one_of(fields["origin"], ORIGINS, f"`origin` of {where}")
            if action == "pseudonym" and origin == "anywhere":
                raise self.wrong(
                    fields["origin"],
                    f"`origin` of {where}: a pseudonym can be taken back by who may read the passage that its value"
                    " stands in, so there must be one: leave the line out",
                )
        roles = self._roles(fields["roles"], f"`roles` of {where}") if "roles" in fields else frozenset()
        lowest, highest = (
            Label.parse(self.one_of(fields[key], _LABELS, f"`{key}` of {where}")) if key in fields else label
            for key, label in (("min_label", Label.PUBLIC), ("max_label", Label.RESTRICTED))
        )
        if lowest > highest:
            raise self.wrong(fields["min_label"], f"`min_label` of {where} is above its `max_label`")
        return PolicyRule(kinds, action, roles, lowest, highest, origin)

    def _kinds(self, node: Any, where: str, *, shows: bool) -> frozenset[str]:
        kinds = self.names(node, where, "name a kind, such as phone")
        for kind in kinds:
            if kind not in KINDS:
                raise self.wrong(node, f"{where}: {kind!r} is no kind; there are {', '.join(KINDS)}")
            if shows and kind in NEVER_SHOWN:
                raise self.wrong(node, f"{where}: a {kind} is never shown: `action` may be remove or refuse")
        return frozenset(kinds)

    def _roles(self, node: Any, where: str) -> frozenset[str]:
        roles = self.names(node, where, f"name a role, or [{EVERYONE}] for every signed-in person")
        if EVERYONE in roles:
            if len(roles) > 1:
                raise self.wrong(node, f"{where} names everyone, and others: leave one out")
            return frozenset()
        return frozenset(roles)

    def _contact(self, node: Any, where: str) -> Contacts:
        contacts = contacts_of(self.string(node, where))
        if contacts is None:
            raise self.wrong(node, f"{where} must be a value with three letters or digits, or *@ and a domain")
        return contacts

    def _term(self, node: Any, where: str) -> str:
        term = self.string(node, where)
        if sum(map(str.isalnum, term)) < _MIN_TERM:
            raise self.wrong(node, f"{where} must have three letters or digits: a shorter one stands everywhere")
        try:
            ListedTerms([(term, OWN_KIND, _DENIED)])
        except UnusableTerm as error:
            raise self.wrong(node, f"{where}: {error}") from None
        return term

    def _pattern(self, node: Any, where: str) -> Check:
        fields = self.mapping(node, _PATTERN_KEYS, where, needed=("name", "pattern"))
        kind = self.one_of(fields["kind"], tuple(KINDS), f"`kind` of {where}") if "kind" in fields else OWN_KIND
        after = self.names(fields["after"], f"`after` of {where}", "leave the line out") if "after" in fields else ()
        any_case = "any_case" in fields and self.one_of(fields["any_case"], ("true", "false"), f"`any_case` of {where}")
        name = self.string(fields["name"], f"`name` of {where}")
        pattern = self.string(fields["pattern"], f"`pattern` of {where}")
        try:
            return pattern_check(name, kind, pattern, after=after, any_case=any_case == "true")
        except PatternRefused as error:
            raise self.wrong(fields["pattern"], f"`pattern` of {where}: {error}") from None
