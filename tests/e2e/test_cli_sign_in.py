"""The commands around signing in, against the real service."""

import json

import httpx2
import pytest

from tests.e2e.command_runs import Run
from tests.e2e.sample_site import SampleSite

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def follow(site: SampleSite, link: str) -> httpx2.Response:
    """Press the button of a link at the service itself, which in the tests has no name of its own."""
    place, _, token = link.strip().partition("?token=")
    with httpx2.Client(trust_env=False) as browser:
        return browser.post(f"{site.base_url}/{place.split('/', 3)[3]}", data={"token": token}, headers=SAME_ORIGIN)


def test_invited_listed_and_signed_out(run: Run, sample: SampleSite) -> None:
    """The link alone goes to standard output, so that it can be piped into a message."""
    made = run("people", "invite", "wren", "--loopback", who="ada")
    assert made.out.startswith("http")
    assert made.out.count("\n") == 1
    assert "Signs wren in, once, from the service's own machine alone, until 20" in made.err
    assert "cll_" not in made.err
    assert follow(sample, made.out).status_code == 303
    listed = run("sessions", "list", "--user", "wren", who="ada").out.split("\t")
    assert listed[0].startswith("cls_")
    assert listed[1:4] == ["wren", "link", "127.0.0.1"]
    assert run("sessions", "list", who="ada").err.strip() == "Nothing."
    shown = run("people", "show", "wren", who="ada").out
    assert "last_sign_in\t20" in shown
    assert "held\tno" in shown
    assert "source\tlocal" in shown
    assert run("sessions", "end", listed[0], who="ada").status == 1
    assert run("sessions", "end", listed[0], "--user", "wren", who="ada").status == 0
    assert run("sessions", "list", "--user", "wren", who="ada").err.strip() == "Nothing."
    assert follow(sample, run("people", "invite", "wren", who="ada").out).status_code == 303
    assert "sessions ended: 1" in run("people", "sign-out", "wren", who="ada").err


def test_a_link_is_taken_back(run: Run, sample: SampleSite) -> None:
    made = json.loads(run("people", "invite", "wren", "--json", who="ada").out)
    assert run("people", "uninvite", made["id"], who="ada").status == 0
    assert follow(sample, made["url"]).status_code == 403
    assert run("people", "uninvite", made["id"], who="ada").status == 1


@pytest.mark.parametrize(
    "command",
    [("people", "invite", "ada"), ("people", "sign-out", "ada"), ("sessions", "list", "--user", "ada"),
     ("passkeys", "list", "--user", "ada"), ("people", "show", "ada")],
    ids=" ".join,
)  # fmt: skip
def test_what_is_for_administrators(run: Run, command: tuple[str, ...]) -> None:
    refused = run(*command, who="wren")
    assert refused.status == 1
    assert "MissingCapability" in run(*command, "--json", who="wren").err


def test_nobody_is_told_as_nobody(run: Run) -> None:
    assert "No user is named 'nemo'" in run("people", "show", "nemo", who="ada").err
    assert run("people", "invite", "nemo", who="ada").status == 1
    assert run("passkeys", "list", who="ada").err.strip() == "Nothing."
    assert run("passkeys", "revoke", "11111111-2222-4333-8444-555555555555", who="ada").status == 1
