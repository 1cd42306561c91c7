"""services.yaml: its shape, and that a key of each format in it is found and called by the service's name."""

import re
from importlib.resources import files

import pytest
import yaml

from app.guardrail.check import BEFORE, WORD
from app.guardrail.checks import api_key, credential_checks, service_key
from app.guardrail.checks.service_formats import FORMATS, find_names, fold_name, parse_format
from app.guardrail.gate import redact
from tests.unit.guardrail.service_keys import make_key

TOLD = yaml.safe_load((files("app.guardrail.checks") / "services.yaml").read_text("utf-8"))
NAMED = [one for service in TOLD["named"] for one in FORMATS.named[fold_name(service)]]
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
CHECKS = credential_checks()


def reason(check: api_key.ApiKeyCheck | service_key.ServiceKeyCheck, before: str, key: str) -> str:
    """What the check calls a key that stands behind a text and before a full stop."""
    window = before[-BEFORE:] + (key + ". ")[: WORD.extent + 1]
    found = check.at(window, len(before[-BEFORE:]))
    return "" if found is None else found.reason


def shown(text: str) -> str:
    return redact(text, CHECKS).text.replace("[redacted: credential]", "#")


def test_the_file_names_each_service_once() -> None:
    assert set(TOLD) == {"prefixed", "beginnings", "named", "others", "aliases", "words"}
    for part in ("prefixed", "named", "others", "words", "beginnings"):
        folded = [name if part == "beginnings" else fold_name(name) for name in TOLD[part]]
        assert sorted(set(folded)) == sorted(folded), part
    assert not {*map(fold_name, TOLD["others"])} & {*map(fold_name, [*TOLD["named"], *TOLD["prefixed"]])}
    assert set(TOLD["words"]) <= {*TOLD["named"], *TOLD["others"], *TOLD["prefixed"]}
    assert set(TOLD["aliases"]) <= {*TOLD["named"], *TOLD["others"], *TOLD["prefixed"]}
    assert len({*TOLD["prefixed"], *TOLD["named"]}) >= 400


@pytest.mark.parametrize("part", ["prefixed", "named"])
def test_each_format_is_long_enough_to_be_a_secret(part: str) -> None:
    for service, formats in TOLD[part].items():
        assert len(set(formats)) == len(formats), service
        for written in formats:
            one = parse_format(service, written)
            assert sum(part.least for part in one.parts) >= 8, (service, written)
            assert part == "named" or one.mark or len(one.begins[0]) >= 1, (service, written)


def test_an_exact_count_says_the_length() -> None:
    assert parse_format("x", "gh{p,o}_ alnum*36").length == 40
    assert parse_format("x", "uuid :fx").length == 39
    assert parse_format("x", "a{,bc} hex*8").length is None
    assert parse_format("x", "sk- word*20+").length is None


@pytest.mark.slow
def test_a_key_that_announces_itself_is_called_by_its_service() -> None:
    for one in FORMATS.prefixed:
        others = {other.service for other in FORMATS.prefixed if {*other.begins} & {*one.begins}} | {one.service}
        # Some services issue keys of one form; the name of any is right.
        wider = {other.service for other in FORMATS.prefixed if other.pattern.match(make_key(one))} | others
        for seed in range(3):
            key = make_key(one, seed)
            assert reason(api_key.CHECK, "Use ", key).removesuffix(" key") in wider, key
            assert shown(f'"{key}" and') == '"#" and', key


def test_a_key_one_character_short_is_not_called_by_its_service() -> None:
    looked_at = 0
    for one in FORMATS.prefixed:
        siblings = [other.pattern for other in FORMATS.prefixed if other.service == one.service and other is not one]
        key = make_key(one)[:-1]
        # Else another format of the service is shorter, or the end is not looked at.
        told = one.length and one.length <= 110 and len(one.begins[0]) >= 4 and not one.parts[-1].texts
        if told and not any(pattern.match(key) for pattern in siblings):
            looked_at += 1
            assert reason(api_key.CHECK, "Use ", key) != f"{one.service} key", one.service
    assert looked_at > 100


def test_a_key_beside_its_service_is_called_by_it() -> None:
    for one in NAMED:
        key, name = make_key(one), re.sub(r"\W+", "_", one.service.upper())
        for before in (f"our {one.service} API key is ", f"{name}_API_KEY=", f'{one.service} token: "', f"{name} = '"):
            if fold_name(one.service) in FORMATS.words and " = " in before:
                continue
            assert reason(service_key.CHECK, before, key) == f"{one.service} key", before


def test_a_random_value_that_is_given_to_a_service_is_masked() -> None:
    for service in TOLD["others"]:
        if service not in TOLD["words"]:
            assert shown(f"{service}('aB3dE6gH9jK2mN5pQ8sT')") == f"{service}('#')"


def test_a_random_value_that_is_called_a_services_key_is_masked() -> None:
    for service in TOLD["others"]:
        for name in (service, service.upper().replace(" ", "_") + "_API_KEY"):
            assert shown(f"{name} key: aB3dE6gH9jK2mN5pQ8sT").endswith("#"), name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("DATADOG_API_KEY=", ["datadog"]),
        ("datadogApiKey: ", ["datadog"]),
        ("the New Relic key", ["newrelic"]),
        ("NewRelicKey", ["newrelic"]),
        ("sendgridapikey", ["sendgrid"]),
        ("datadogs", []),
        ("new. relic", []),
    ],
)
def test_names_are_found_in_prose_and_identifiers(text: str, names: list[str]) -> None:
    assert [name for _, _, name in find_names(text, FORMATS.services)] == names


@pytest.mark.parametrize(
    "text",
    [
        f"Datadog shows commit {HEX}01234567",
        f"the Twilio docs, md5 {HEX}",
        f"https://datadog.example.com/x/{HEX}",
        "GitHub run 550e8400-e29b-41d4-a716-446655440000",
        "Heroku app 550e8400-e29b-41d4-a716-446655440000",
        f"sha256:{HEX}{HEX} of the Docker image",
        "Mailchimp and campaign-2024-03-launch-plan",
        "Slack channel team-platform-infra-2024",
        "Zendesk ETag 33a64df551425fcc55e4d42a148795d9f25f89d4",
        "Snyk found CVE-2024-12345-and-67890 in lodash-4.17.20",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx is how it looks",
        "Algolia: your_algolia_admin_api_key_1",
        "ISBN 978-3-16-148410-0 at Amazon, part 0A1B2C3D-4E5F",
        "Postmark key: none, see production-servers-2024-v2",
    ],
)
def test_what_stands_beside_a_name_without_being_its_key_is_left(text: str) -> None:
    assert redact(text, CHECKS).text == text
