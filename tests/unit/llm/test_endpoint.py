"""Which text may go to which endpoint: by the highest label, above it an error, never a fallback."""

import itertools
from typing import Any

import pytest
from pydantic import SecretStr

from app.errors import LabelTooHigh
from app.identity.subject import Label
from app.llm.endpoint import CONFIRM, PublicModelHost, endpoint, is_public
from app.llm.protocol import Endpoint, is_loopback, route
from app.main import create, read_settings
from app.settings import ModelSettings


@pytest.mark.parametrize(("label", "most"), list(itertools.product(Label, Label)))
def test_text_goes_up_to_the_label_of_the_endpoint(label: Label, most: Label) -> None:
    where = Endpoint("http://127.0.0.1:1/v1", "m", internal=True, max_label=most)
    if label > most:
        with pytest.raises(LabelTooHigh) as refused:
            route(where, label)
        assert label.text in refused.value.detail
        assert most.text in refused.value.detail
    else:
        assert route(where, label) == f"internal endpoint, {label.text} within {most.text}"


LOOPBACK = [
    "http://127.0.0.1:8737/v1",
    "http://localhost/v1",
    "http://LOCALHOST:1",
    "http://[::1]:80/v1",
    "http://127.9.9.9",
]
OUTSIDE = [
    "https://api.example.com/v1",
    "http://10.0.0.5:8000/v1",
    "http://192.168.1.2/v1",
    "http://localhost.example.com/v1",
    "http://127.0.0.1.example.com/v1",
    "http://127.0.0.1@example.com/v1",
    "http://0.0.0.0:8000/v1",
    "http://[::ffff:10.0.0.1]/v1",
    "http:///v1",
    "not a url",
]


@pytest.mark.parametrize("url", [*LOOPBACK, *OUTSIDE])
def test_loopback_is_internal_and_all_else_sees_public_text_alone(url: str) -> None:
    inside = url in LOOPBACK
    made = endpoint(ModelSettings(base_url=url))
    assert is_loopback(url) is inside
    assert (made.internal, made.max_label) == (inside, Label.RESTRICTED if inside else Label.PUBLIC)


def test_what_is_declared_counts() -> None:
    inside = "https://models.internal/v1"
    assert endpoint(ModelSettings(base_url=inside, internal=True)).max_label is Label.RESTRICTED
    assert endpoint(ModelSettings(base_url=inside, internal=True, max_label="internal")).max_label is Label.INTERNAL
    assert endpoint(ModelSettings(base_url="http://127.0.0.1/v1", internal=False)).max_label is Label.PUBLIC


def test_the_address_for_the_log_holds_no_secret() -> None:
    made = endpoint(ModelSettings(base_url="https://user:hunter2@models.example.com:8443/v1?key=abc"))
    assert made.address == "models.example.com:8443"
    assert endpoint(ModelSettings(base_url="nonsense")).address == "unknown"
    assert "sk-1" not in repr(ModelSettings(api_key=SecretStr("sk-1")))


PUBLIC = [
    "https://api.example.com/v1", "https://api.example.com./v1", "https://API.EXAMPLE.COM/v1", "http://8.8.8.8/v1",
    "http://[2001:4860:4860::8888]/v1", "http://[::ffff:8.8.8.8]/v1", "http://134744072/v1", "http://0x8.0x8.0x8.0x8/v1",
    "http://10.0.0.5.example.com/v1", "http://10.0.0.5@example.com/v1", "http://ollama.example.com/v1",
    "http://internal.example.com/v1", "http://a..internal/v1", "http:///v1", "not a url",
]  # fmt: skip
PRIVATE = [
    "http://ollama:11434/v1", "http://10.0.0.5:8000/v1", "http://192.168.1.2/v1", "http://127.0.0.1/v1",
    "http://127.1/v1", "http://localhost./v1", "http://models.internal/v1", "http://vllm.ns.svc.cluster.local/v1",
    "http://box.home.arpa/v1", "http://[fd00::1]/v1", "http://[::ffff:10.0.0.1]/v1", "http://100.64.0.1/v1",
]  # fmt: skip


@pytest.mark.parametrize("url", PUBLIC)
@pytest.mark.parametrize(
    "declared", [{"internal": True}, {"max_label": "internal"}, {"internal": False, "max_label": "restricted"}]
)
def test_a_public_host_sees_more_than_public_text_only_by_a_second_setting(url: str, declared: dict[str, Any]) -> None:
    """Whichever setting raises the label; the error names the host, the way out, and the setting."""
    assert is_public(url)
    with pytest.raises(PublicModelHost, match=CONFIRM):
        endpoint(ModelSettings(base_url=url, **declared))
    made = endpoint(ModelSettings(base_url=url, allow_restricted_text_on_public_host=True, **declared))
    assert made.max_label > Label.PUBLIC
    assert endpoint(ModelSettings(base_url=url)).max_label is Label.PUBLIC


@pytest.mark.parametrize("url", PRIVATE)
def test_a_private_host_needs_no_confirmation(url: str) -> None:
    """Judged by name and address alone; nothing is resolved."""
    assert not is_public(url)
    assert endpoint(ModelSettings(base_url=url, internal=True)).max_label is Label.RESTRICTED


def test_hosts_are_internal_by_their_exact_name() -> None:
    """So that whoever changes the URL does not take the declaration along."""
    hosts = {"internal_hosts": "ollama, VLLM"}
    for url, label in (
        ("http://ollama:11434/v1", Label.RESTRICTED),
        ("http://vllm:8000/v1", Label.RESTRICTED),
        ("https://api.example.com/v1", Label.PUBLIC),
        ("http://ollama.example.com/v1", Label.PUBLIC),
        ("http://ollama2/v1", Label.PUBLIC),
        ("http://ollama@example.com/v1", Label.PUBLIC),
    ):
        assert endpoint(ModelSettings(base_url=url, **hosts)).max_label is label, url
    assert not endpoint(ModelSettings(base_url="http://ollama/v1", internal=False, **hosts)).internal


def test_the_service_does_not_start_on_an_unconfirmed_public_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an empty variable, which is all that a compose file can pass on, is an unset one."""
    monkeypatch.setattr("app.main.forbid_inspection", lambda: None)  # of this process, which runs other tests
    monkeypatch.setattr("app.main.forget_settings", lambda: None)
    for name, value in {
        "DATABASE__APP_URL": "x", "IDENTITY__KEY": "00", "AUDIT__KEY": "00", "MODEL__INTERNAL": "",
        "MODEL__BASE_URL": "https://api.example.com/v1", "MODEL__CONTEXT_LENGTH": "8192",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"CLEARANCE_{name}", value)
    assert read_settings().model.internal is None
    monkeypatch.setenv("CLEARANCE_MODEL__INTERNAL", "true")
    with pytest.raises(SystemExit, match=r"api\.example\.com, which looks like one on the public internet"):
        create()
