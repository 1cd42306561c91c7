"""`policy.yaml`: what it says, and what is refused with its line."""

import hashlib
from pathlib import Path

import pytest

from app.guardrail.check import KINDS
from app.guardrail.gate import redact
from app.guardrail.policy.document import PolicyFileError, parse_policy, read_policy
from app.guardrail.policy.model import PolicyRule
from app.identity.subject import Label

WHOLE = """\
version: 2026-11
look_for: [pay]
rules:
  - kinds: [phone, email]
    roles: [hr, "okta:people"]
    max_label: internal
    action: keep
  - kinds: [card]
    action: last_four
    origin: anywhere
  - kinds: [medical id]
    roles: [everyone]
    min_label: confidential
    action: refuse
allow: ["+49 30 901820", "*@press.example.com"]
deny: [Operation Nightfall]
patterns:
  - name: project number
    pattern: "PRJ-[0-9]{5}"
    after: [project]
    any_case: true
"""


def test_a_policy_is_read() -> None:
    policy = parse_policy(WHOLE.encode())
    assert policy.version == "2026-11"
    assert policy.digest == hashlib.sha256(WHOLE.encode()).hexdigest()
    assert policy.look_for == {"pay"}
    assert policy.rules == (
        PolicyRule(frozenset(("phone", "email")), "keep", frozenset(("hr", "okta:people")), max_label=Label.INTERNAL),
        PolicyRule(frozenset(("card",)), "last_four", origin="anywhere"),
        PolicyRule(frozenset(("medical id",)), "refuse", min_label=Label.CONFIDENTIAL, origin="anywhere"),
    )
    assert policy.roles == {"hr", "okta:people"}
    assert policy.contacts.values == {"4930901820", "30901820"}
    assert policy.contacts.domains == {"press.example.com"}
    found = redact("PRJ-12345: project prj-12345, operation\n> nightfall", policy.checks)
    assert found.text == "PRJ-12345: project [redacted: company term], [redacted: company term]"


def rule(lines: str) -> str:
    return "version: 1\nrules:\n  - " + lines.replace("\n", "\n    ")


def pattern(lines: str) -> str:
    return "version: 1\npatterns:\n  - name: x\n    " + lines


WRONG = (
    ("", "the file is empty"),
    ("rules: []", "line 1: `version` is missing"),
    ("version: 'a b'", "line 1: `version` must be"),
    ("version: 1\nrule: []", "line 2: unknown key 'rule'"),
    ("version: 1\nrules:\n  - kinds: [phone", "not valid YAML"),
    ("version: 1\nversion: 2", "line 2: 'version' stands twice"),
    ("version: 1\nlook_for: [phone]", "line 2: `look_for` is for kinds that are off otherwise"),
    (rule("action: keep"), "line 3: entry 1 of `rules` has no `kinds`"),
    (rule("kinds: [phone]"), "line 3: entry 1 of `rules` has no `action`"),
    (rule("kinds: [phone]\naction: show"), "line 4: `action` of entry 1 of `rules` must be one of keep"),
    (rule("kinds: [telephone]\naction: keep"), "line 3: `kinds` of entry 1 of `rules`: 'telephone' is no kind"),
    (rule("kinds: phone\naction: keep"), "line 3: `kinds` of entry 1 of `rules` must be a list: write [phone]"),
    (rule("kinds: [phone, credential]\naction: keep"), "line 3: `kinds` of entry 1 of `rules`: a credential is never"),
    (rule("kinds: [credential]\naction: last_four"), "a credential is never shown"),
    (rule("kinds: [credential]\naction: pseudonym"), "a credential is never shown"),
    (rule("kinds: [phone]\naction: keep\nroles: []"), "line 5: `roles` of entry 1 of `rules` is empty"),
    (rule("kinds: [phone]\naction: keep\nroles: [hr, everyone]"), "line 5: `roles` of entry 1 of `rules` names every"),
    (rule("kinds: [phone]\naction: keep\nmax_label: secret"), "line 5: `max_label` of entry 1 of `rules` must be one"),
    (rule("kinds: [phone]\naction: keep\nmin_label: restricted\nmax_label: public"), "line 5: `min_label` of entry 1"),
    (rule("kinds: [phone]\naction: keep\norigin: model"), "line 5: `origin` of entry 1 of `rules` must be one of pass"),
    (rule("kinds: [phone]\naction: pseudonym\norigin: anywhere"), "line 5: `origin` of entry 1 of `rules`: a pseudon"),
    ("version: 1\nallow:\n  - a1", "line 3: entry 1 of `allow` must be a value with three"),
    ("version: 1\nallow:\n  - '*@*.com'", "line 3: entry 1 of `allow` must be"),
    ("version: 1\ndeny:\n  - ok\n  - a", "line 3: entry 1 of `deny` must have three"),
    ("version: 1\ndeny:\n  - 12345", "line 3: entry 1 of `deny` reads as something other than text"),
    (
        pattern("pattern: '[0-9]+'"),
        "line 4: `pattern` of entry 1 of `patterns`: what it accepts may be longer than 128",
    ),
    (
        pattern("pattern: '(a|aa){1,60}b'"),
        "line 4: `pattern` of entry 1 of `patterns`: on the wrong text it takes more",
    ),
    (pattern("pattern: 'a(?=b)'"), "line 4: `pattern` of entry 1 of `patterns`: it has a lookahead"),
    (pattern("pattern: 'a'\n    kind: number"), "line 5: `kind` of entry 1 of `patterns` must be one of email"),
    (pattern("regex: 'a'"), "line 4: unknown key 'regex'"),
)


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse_policy(text.encode())
    assert message in str(refused.value)


def test_a_term_is_in_no_error() -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse_policy(b"version: 1\ndeny:\n  - [Operation Nightfall]")
    assert "Nightfall" not in str(refused.value)


def test_a_file_that_is_no_text_or_too_long_or_absent_is_refused(tmp_path: Path) -> None:
    for content in (b"version: \xff", b"#" * 1_000_001):
        with pytest.raises(PolicyFileError):
            parse_policy(content)
    with pytest.raises(PolicyFileError, match="No such file"):
        read_policy(tmp_path / "policy.yaml")


def test_every_kind_but_credentials_may_be_kept() -> None:
    kinds = ", ".join(sorted(KINDS.keys() - {"credential"}))
    [kept] = parse_policy(rule(f"kinds: [{kinds}]\naction: keep").encode()).rules
    assert kept.kinds == KINDS.keys() - {"credential"}
