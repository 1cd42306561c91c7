"""Which text may go to which endpoint: by the highest label, above it an error, never a fallback."""

import itertools

import pytest
from pydantic import SecretStr

from app.acl.rules import Label
from app.errors import LabelTooHigh
from app.llm.endpoint import endpoint
from app.llm.protocol import Endpoint, is_loopback, route
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


@pytest.mark.parametrize("url", LOOPBACK)
def test_loopback_is_internal(url: str) -> None:
    assert is_loopback(url)
    assert endpoint(ModelSettings(base_url=url)).max_label is Label.RESTRICTED


@pytest.mark.parametrize("url", OUTSIDE)
def test_all_else_is_not_and_sees_public_text_alone(url: str) -> None:
    assert not is_loopback(url)
    made = endpoint(ModelSettings(base_url=url))
    assert (made.internal, made.max_label) == (False, Label.PUBLIC)


def test_what_is_declared_counts() -> None:
    outside = "https://models.example.com/v1"
    assert endpoint(ModelSettings(base_url=outside, internal=True)).max_label is Label.RESTRICTED
    assert endpoint(ModelSettings(base_url=outside, internal=True, max_label="internal")).max_label is Label.INTERNAL
    assert endpoint(ModelSettings(base_url="http://127.0.0.1/v1", internal=False)).max_label is Label.PUBLIC


def test_the_address_for_the_log_holds_no_secret() -> None:
    made = endpoint(ModelSettings(base_url="https://user:hunter2@models.example.com:8443/v1?key=abc"))
    assert made.address == "models.example.com:8443"
    assert endpoint(ModelSettings(base_url="nonsense")).address == "unknown"
    assert "sk-1" not in repr(ModelSettings(api_key=SecretStr("sk-1")))
