"""What a caller is shown of what the guardrail finds, by the rules of a policy."""

import uuid
from collections.abc import Iterable

import pytest

from app.errors import AnswerWithheld
from app.guardrail.check import KINDS
from app.guardrail.checks import default_checks
from app.guardrail.explain import explain
from app.guardrail.gate import Gate, redact
from app.guardrail.policy.document import parse_policy
from app.guardrail.policy.model import Contacts, GuardrailPolicy, PolicyRule
from app.guardrail.policy.patterns import pattern_check
from app.guardrail.policy.rendering import PolicyRenderer
from app.guardrail.policy.values import ReadableText, ValueOrigins, is_contact
from app.identity.subject import Label

CHECKS = default_checks()
INTERNAL, SECRET = uuid.UUID(int=1), uuid.UUID(int=2)
PASSAGES = ValueOrigins((
    (Label.INTERNAL, ["Anna: 0171 2345678, anna@example.org"], INTERNAL),
    (Label.RESTRICTED, ["Ben: ben@example.org", "0171-2345678; 0172 8765432"], SECRET),
))  # fmt: skip
CARD, IBAN = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"


def renderer(
    rules: str, roles: Iterable[str] = (), origins: ValueOrigins = PASSAGES, *, answers: bool = True
) -> PolicyRenderer:
    policy = parse_policy(f"version: 1\n{rules}".encode())
    return PolicyRenderer(policy, frozenset(roles), origins, answers=answers)


def shown(text: str, by: PolicyRenderer) -> str:
    return redact(text, CHECKS, by).text


KEEP_PHONES = "rules: [{kinds: [phone], roles: [hr], max_label: internal, action: keep}]"


def test_a_value_is_kept_for_a_role_and_for_no_other() -> None:
    text = "Ring Anna: 0171/2345678."
    assert shown(text, renderer(KEEP_PHONES, ["hr"])) == text
    assert shown(text, renderer(KEEP_PHONES, ["sales"])) == "Ring Anna: [redacted: phone]."
    assert shown(text, renderer(KEEP_PHONES)) == "Ring Anna: [redacted: phone]."


@pytest.mark.parametrize(
    "text",
    [
        "Ring him: 0172 8765432.",  # in a restricted passage alone
        "Ring her: 0171 9999999.",  # in none
        "Ring her: 0171 234567.",  # only a part of one
        "Mail: anna@example.org.",  # another kind
    ],
)
def test_a_rule_keeps_no_more_than_it_says(text: str) -> None:
    assert "[redacted: " in shown(text, renderer(KEEP_PHONES, ["hr"]))


def test_a_value_of_several_passages_has_the_lowest_label_of_them() -> None:
    assert PASSAGES.label_of("0171 2345678") == Label.INTERNAL
    assert PASSAGES.passages_with("0171 2345678") == {INTERNAL, SECRET}
    assert PASSAGES.label_of("ben@example.org") == Label.RESTRICTED
    assert PASSAGES.label_of("en@example.org") is None
    assert PASSAGES.label_of("71 2345678") is None
    assert PASSAGES.label_of("...") is None


def test_the_first_rule_that_is_about_a_value_counts() -> None:
    rules = """rules:
  - {kinds: [email], roles: [interns], action: remove}
  - {kinds: [email], action: keep}"""
    assert shown("anna@example.org", renderer(rules)) == "anna@example.org"
    assert shown("anna@example.org", renderer(rules, ["interns"])) == "[redacted: email]"


def test_the_last_four_of_a_long_value_are_shown() -> None:
    by = renderer("rules: [{kinds: [card, iban, phone], origin: anywhere, action: last_four}]")
    assert (
        shown(f"Card {CARD}, IBAN {IBAN}", by) == "Card [redacted: card ending 1111], IBAN [redacted: iban ending 3000]"
    )
    assert shown("call 8765432", by) == "call [redacted: phone]"


def test_a_pseudonym_tells_values_apart() -> None:
    by = renderer("rules: [{kinds: [email, phone], action: pseudonym}]")
    text = "anna@example.org, ben@example.org; ANNA@example.org, call 0171 2345678, eve@example.org"
    assert shown(text, by) == (
        "[redacted: email 1], [redacted: email 2]; [redacted: email 1], call [redacted: phone 1], [redacted: email]"
    )
    assert [(one.kind, one.number, one.value, set(one.chunks)) for one in by.pseudonyms] == [
        ("email", 1, "anna@example.org", {INTERNAL}),
        ("email", 2, "ben@example.org", {SECRET}),
        ("phone", 1, "0171 2345678", {INTERNAL, SECRET}),
    ]
    assert shown("ben@example.org", by.beside()) == "[redacted: email 2]"


def test_beside_an_answer_no_pseudonym_is_given_and_nothing_refused() -> None:
    rules = "rules: [{kinds: [email], action: pseudonym}, {kinds: [iban], action: refuse}]"
    by = renderer(rules, answers=False)
    assert shown(f"anna@example.org, {IBAN}", by) == "[redacted: email], [redacted: iban]"
    with pytest.raises(AnswerWithheld):
        shown(IBAN, renderer(rules))
    assert shown(IBAN, renderer(rules).beside()) == "[redacted: iban]"


def test_a_refused_value_closes_the_gate_before_it() -> None:
    gate = Gate(CHECKS, renderer("rules: [{kinds: [iban], action: refuse}]"))
    assert gate.feed("The account is this one, and no other: ").startswith("The account")
    with pytest.raises(AnswerWithheld) as withheld:
        for piece in (f"{IBAN[:9]}", f"{IBAN[9:]}", ", which is", " the one of the company and not", " of a person."):
            assert gate.feed(piece) == ""
    assert withheld.value.kind == "iban"
    assert IBAN not in str(withheld.value)
    assert IBAN not in withheld.value.detail
    with pytest.raises(RuntimeError):
        gate.flush()


def test_public_contacts_are_shown_to_everybody_however_they_are_written() -> None:
    by = renderer('allow: ["+49 30 901820", "info@example.com", "*@press.example.com", "192.168.7.9"]')
    for text in (
        "At the weekend call 030 / 901 820.",
        "Call +49 (0)30 901820 or 0049 30 901820",
        "Write to INFO@example.com or anybody@press.example.com",
        "Look at 192.168.7.9",
    ):
        assert shown(text.replace("(0)", ""), by) == text.replace("(0)", "")
    for text in (
        "call 030 901821",
        "mail me@example.com",
        "mail x@evil.press.example.com",
        "a@b.org,b@press.example.com",
    ):
        assert "[redacted: " in shown(text, by)


def test_a_credential_is_shown_to_nobody_whatever_it_looks_like_besides() -> None:
    rules = """allow: ["0171 2345678", "hunter2hunter2"]
rules: [{kinds: [phone, national id, bank account], origin: anywhere, action: keep}]"""
    by = renderer(rules)
    for text in ("password: hunter2hunter2", "Passwort: 0171 2345678", "my PIN is 0171 2345678"):
        assert "2345678" not in (found := shown(text, by)), found
        assert "hunter2" not in found
    encoded = "Y2FsbCAwMTcxIDIzNDU2NzggcGFzc3dvcmQ6IGh1bnRlcjJodW50ZXIy"  # call 0171 2345678 password: hunter2hunter2
    assert encoded not in shown(f"see {encoded}", by)


def test_a_denied_term_is_kept_by_no_list() -> None:
    policy = parse_policy(b'version: 1\nallow: ["Operation Nightfall"]\ndeny: ["Operation Nightfall"]')
    by = PolicyRenderer(policy, frozenset(), PASSAGES)
    assert redact("On Operation Nightfall.", policy.checks, by).text == "On [redacted: company term]."


def test_an_explanation_says_what_the_policy_does() -> None:
    found = explain(f"0171 2345678, {CARD}", CHECKS, renderer(KEEP_PHONES, ["hr"], ReadableText(Label.PUBLIC)))
    assert [(span.kind, span.action) for span in found.spans] == [("phone", "keep"), ("card", "remove")]


def test_what_is_kept_is_counted_apart() -> None:
    by = renderer(KEEP_PHONES, ["hr"])
    found = redact(f"0171 2345678, {CARD}", CHECKS, by)
    assert found.counts == {"card": 1}
    assert by.shown == {"phone": 1}


def test_the_strictest_action_counts_where_findings_of_several_kinds_overlap() -> None:
    checks = [pattern_check("a", "pay", "[A-Z]{3}-[0-9]{4}"), pattern_check("b", "health", "[0-9]{4}-[A-Z]")]
    for pay, health, expected in (
        ("keep", "keep", "see ABC-1234-X, ABC-1234"),
        ("keep", "remove", "see [redacted: pay], ABC-1234"),
        ("remove", "keep", "see [redacted: pay], [redacted: pay]"),
        ("keep", "last_four", "see [redacted: pay], ABC-1234"),
    ):
        rules = f"""rules:
  - {{kinds: [pay], origin: anywhere, action: {pay}}}
  - {{kinds: [health], origin: anywhere, action: {health}}}"""
        assert redact("see ABC-1234-X, ABC-1234", checks, renderer(rules)).text == expected


def test_a_rule_that_no_file_may_have_shows_no_credential_either() -> None:
    policy = GuardrailPolicy(rules=(PolicyRule(frozenset(KINDS), "keep", origin="anywhere"),))
    by = PolicyRenderer(policy, frozenset(), PASSAGES, answers=True)
    assert shown("password: hunter2hunter2, 0171 2345678", by) == "password: [redacted: credential], 0171 2345678"


def test_a_value_that_stands_in_no_passage_is_kept_by_a_rule_for_anywhere_alone() -> None:
    text = "Ring 0171 9999999."
    assert shown(text, renderer("rules: [{kinds: [phone], action: keep}]")) == "Ring [redacted: phone]."
    assert shown(text, renderer("rules: [{kinds: [phone], origin: anywhere, action: keep}]")) == text
    internal = "rules: [{kinds: [phone], origin: anywhere, max_label: internal, action: keep}]"
    assert shown(text, renderer(internal)) == "Ring [redacted: phone].", "it counts as restricted"


def test_of_two_addresses_in_one_value_both_must_be_contacts() -> None:
    contacts = Contacts(domains=frozenset(("press.example.com",)))
    assert is_contact(contacts, "mailto:b@press.example.com")
    assert not is_contact(contacts, "a@b.org;b@press.example.com")
    assert not is_contact(contacts, "a@b.org b@press.example.com")
