"""docker-compose.yml as a file: only the API is published, nothing runs as root of ours, secrets come from outside."""

import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.identity.subject import Label
from app.llm.endpoint import PublicModelHost, endpoint
from app.scope_index.remote.address import parse
from app.settings import ModelSettings, SearchProcessSettings
from tests.support.environment import REPOSITORY

OURS = ("api", "worker", "sequencer", "delivery", "search", "directory", "init")
PULLS = ("pull-ollama", "pull-vllm")
PIN = REPOSITORY / "deploy" / "pin-images.sh"
MODEL = "CLEARANCE_MODEL__"
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))
EXAMPLE = (REPOSITORY / ".env.example").read_text("utf-8").splitlines()


def test_only_the_api_is_published_and_on_loopback_alone() -> None:
    """No other service has a port on the host."""
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8700:8700"]}


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_without_privileges(name: str) -> None:
    """Not root, nothing to write to, no capability."""
    service = COMPOSE["services"][name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_nothing_but_the_api_the_directory_and_the_delivery_reaches_the_outside() -> None:
    """The inner network has no way out. A directory server is outside of it, and so is
    whoever the log is delivered to. What fetches a model by hand does, and
    stands in no other, without a secret.
    """
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    services = COMPOSE["services"]
    outside = {n: s["networks"] for n, s in services.items() if set(s["networks"]) - {"inside"}}
    front = ["inside", "front"]
    assert outside == {"api": front, "directory": front, "delivery": front, **{name: ["outside"] for name in PULLS}}
    for name in PULLS:
        assert services[name]["profiles"] == ["pull"]
        assert set(services[name]["environment"]) == {"MODEL_NAME"}
        assert services[name]["volumes"] == services[name.removeprefix("pull-")]["volumes"]
        assert "depends_on" not in services[name]


def test_secrets_come_from_the_environment() -> None:
    """Every password and key is a reference, and .env.example names each of them without a value."""
    empty = {line.removesuffix("=") for line in EXAMPLE if line.endswith("=")}
    text = (REPOSITORY / "docker-compose.yml").read_text("utf-8")
    for name in empty:
        assert f"${{{name}:?" in text, f"{name} is not asked for"
    for service in COMPOSE["services"].values():
        for variable, value in (service.get("environment") or {}).items():
            if any(word in variable for word in ("PASSWORD", "KEY", "URL")) and "MODEL" not in variable:
                assert "${" in value, f"{variable} stands in the file"


def test_each_process_gets_its_own_secrets_only() -> None:
    """The worker, which opens hostile files, has no key, and neither it nor the sequencer another's database role. The
    key that signs the log is the sequencer's, and nobody else's.
    """
    environments = {name: set(service.get("environment") or {}) for name, service in COMPOSE["services"].items()}
    assert environments["worker"] == {"CLEARANCE_DATABASE__INGEST_URL"}
    assert environments["sequencer"] == {"CLEARANCE_DATABASE__SEQUENCER_URL", "CLEARANCE_AUDIT__SIGNING_KEY"}
    assert environments["delivery"] == {"CLEARANCE_DATABASE__DELIVERY_URL"}
    assert [name for name, names in environments.items() if "CLEARANCE_AUDIT__SIGNING_KEY" in names] == ["sequencer"]


def test_a_search_process_gets_the_codes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there for who asks for it, its settings are settings, and the API is told where it listens."""
    service = COMPOSE["services"]["search"]
    assert service["profiles"] == ["search"]
    assert "ports" not in service
    given = service["environment"]
    assert set(given) == {"CLEARANCE_DATABASE__SEARCH_URL", "CLEARANCE_LISTS__LISTEN"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = SearchProcessSettings()
    assert any(line.endswith(f"LISTS_SERVERS={settings.lists.listen}") for line in EXAMPLE)
    assert COMPOSE["services"]["api"]["environment"]["CLEARANCE_LISTS__SERVERS"] == "${LISTS_SERVERS:-}"
    family, path = parse(settings.lists.listen)
    assert family == socket.AF_UNIX
    mounted = f"search-socket:{Path(str(path)).parent}"
    assert [name for name, s in COMPOSE["services"].items() if mounted in s.get("volumes", ())] == ["api", "search"]
    # As the process demands of its folder, which a volume would otherwise leave to root.
    options = COMPOSE["volumes"]["search-socket"]["driver_opts"]["o"].split(",")
    assert {"mode=0700", "uid=10001"} <= set(options)


def test_every_service_is_bounded_in_memory_and_processes() -> None:
    """One that runs wild ends alone. No swap: text of documents would lie on a disk in the clear."""
    for name, service in COMPOSE["services"].items():
        assert service["mem_limit"], name
        assert service["memswap_limit"] == service["mem_limit"], name
        assert service["pids_limit"] > 0, name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_every_image_comes_with_its_digest() -> None:
    """Named by a variable that only the pinned list sets; a missing one ends the start. Ours is built on such a one."""
    listed = [line.split("=")[0] for line in (PIN.parent / "images.txt").read_text("utf-8").splitlines()]
    wanted = {f"${{{name}:?run deploy/pin-images.sh >> .env}}": name for name in listed}
    used = {service["image"] for name, service in COMPOSE["services"].items() if name not in OURS}
    assert used == {image for image, name in wanted.items() if name != "PYTHON_IMAGE"}
    for name in OURS:
        assert wanted[COMPOSE["services"][name]["build"]["args"]["PYTHON_IMAGE"]] == "PYTHON_IMAGE"
    dockerfile = (PIN.parent / "Dockerfile").read_text("utf-8").splitlines()
    assert [line for line in dockerfile if line.startswith("ARG")] == ["ARG PYTHON_IMAGE"]
    assert {line.split()[1] for line in dockerfile if line.startswith("FROM")} == {"${PYTHON_IMAGE}"}


@pytest.mark.parametrize("said", ["sha256:" + "5a" * 32, "sha256:5a", "", "sha256:" + "5A" * 32])
def test_the_list_is_pinned_whole_or_not_at_all(said: str, tmp_path: Path) -> None:
    """With a stand-in for docker, which no test machine needs: what it says is a digest, or nothing is printed."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n[ \"$1 $2 $3\" = 'buildx imagetools inspect' ] && echo '{said}'\n")
    docker.chmod(0o755)
    path = f"{tmp_path}:{os.defpath}"
    done = subprocess.run([PIN], env={"PATH": path}, capture_output=True, text=True, check=False, timeout=30)
    listed = (PIN.parent / "images.txt").read_text("utf-8").splitlines()
    if said == "sha256:" + "5a" * 32:
        assert done.stdout.splitlines() == [f"{line}@{said}" for line in listed]
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert "no digest for pgvector/pgvector" in done.stderr


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({}, Label.RESTRICTED),
        ({"MODEL_BASE_URL": "http://vllm:8000/v1"}, Label.RESTRICTED),
        ({"MODEL_BASE_URL": "https://api.example.com/v1"}, Label.PUBLIC),
        ({"MODEL_BASE_URL": "http://gateway:8000/v1"}, Label.PUBLIC),
        ({"MODEL_BASE_URL": "http://gateway:8000/v1", "MODEL_INTERNAL": "true"}, Label.RESTRICTED),
        ({"MODEL_BASE_URL": "https://api.example.com/v1", "MODEL_INTERNAL": "true"}, None),
    ],
)
def test_restricted_text_stays_inside(given: dict[str, str], label: Label | None) -> None:
    """As the API reads what compose gives it: only the file's own model servers are internal, whatever URL is set."""
    settings = {
        name.removeprefix(MODEL).lower(): re.sub(
            r"\$\{(\w+):-(.*?)\}", lambda found: given.get(found[1]) or found[2], value
        )
        for name, value in COMPOSE["services"]["api"]["environment"].items()
        if name.startswith(MODEL)
    }
    assert not any("${" in value for value in settings.values())
    model = ModelSettings.model_validate(settings)
    if label is None:
        with pytest.raises(PublicModelHost):
            endpoint(model)
    else:
        assert endpoint(model).max_label is label
    assert set(settings["internal_hosts"].split(",")) <= set(COMPOSE["services"])
    # Whoever fills the example in with an endpoint elsewhere would take a declaration along.
    assert [line for line in EXAMPLE if line.startswith(("MODEL_INTERNAL", "ALLOW_"))] == []
