"""docker-compose.yml as a file: only the API is published, nothing runs as root of ours, secrets come from outside."""

from typing import Any

import pytest
import yaml

from app.retrieval.lists.remote.address import parse
from app.settings import SearchProcessSettings
from tests.conftest import REPOSITORY

OURS = ("api", "worker", "sequencer", "search", "init")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, with its anchors resolved."""
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))
    return loaded


def test_only_the_api_is_published_and_on_loopback_alone(compose: dict[str, Any]) -> None:
    """No other service has a port on the host."""
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8700:8700"]}


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_without_privileges(compose: dict[str, Any], name: str) -> None:
    """Not root, nothing to write to, no capability."""
    service = compose["services"][name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_but_the_api_reaches_the_outside(compose: dict[str, Any]) -> None:
    """The inner network has no way out, and only the API stands in another one too."""
    assert compose["networks"]["inside"] == {"internal": True}
    outside = [n for n, service in compose["services"].items() if set(service["networks"]) - {"inside"}]
    assert outside == ["api"]


def test_secrets_come_from_the_environment(compose: dict[str, Any]) -> None:
    """Every password and key is a reference, and .env.example names each of them without a value."""
    example = (REPOSITORY / ".env.example").read_text("utf-8").splitlines()
    empty = {line.removesuffix("=") for line in example if line.endswith("=")}
    text = (REPOSITORY / "docker-compose.yml").read_text("utf-8")
    for name in empty:
        assert f"${{{name}:?" in text, f"{name} is not asked for"
    for service in compose["services"].values():
        for variable, value in (service.get("environment") or {}).items():
            if any(word in variable for word in ("PASSWORD", "KEY", "URL")) and "MODEL" not in variable:
                assert "${" in value, f"{variable} stands in the file"


@pytest.mark.parametrize("name", ["worker", "sequencer"])
def test_each_process_gets_its_own_secrets_only(compose: dict[str, Any], name: str) -> None:
    """Neither the worker, which opens hostile files, nor the sequencer has a key or another one's database role."""
    assert len(compose["services"][name]["environment"]) == 1


def test_a_search_process_gets_the_codes_and_its_key_only(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there for who asks for it, its settings are settings, and the API is told where it listens."""
    service = compose["services"]["search"]
    assert service["profiles"] == ["search"]
    assert "ports" not in service
    given = service["environment"]
    assert set(given) == {"CLEARANCE_DATABASE__SEARCH_URL", "CLEARANCE_LISTS__LISTEN", "CLEARANCE_LISTS__KEY"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = SearchProcessSettings()
    _, where = parse(settings.lists.listen)
    assert f"LISTS_SERVERS=search:{where[1]}." in (REPOSITORY / ".env.example").read_text("utf-8")
    api = compose["services"]["api"]["environment"]
    assert (api["CLEARANCE_LISTS__SERVERS"], api["CLEARANCE_LISTS__KEY"]) == (
        "${LISTS_SERVERS:-}",
        given["CLEARANCE_LISTS__KEY"],
    )
