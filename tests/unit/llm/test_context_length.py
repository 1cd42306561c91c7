"""What an endpoint says of its context, against a real HTTP server on loopback, and what follows from it."""

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from app.admin.health.model import check_model_context
from app.llm.context_length import ContextTooShort, endpoint_context, needed_context, require_context
from app.main import create
from app.settings import AnswerSettings, AuditSettings, DatabaseSettings, IdentitySettings, ModelSettings, Settings
from tests.support.http_stub import Request, http_stub, status

VLLM = {"/v1/models": {"data": [{"id": "tiny", "max_model_len": 8192}, {"id": "other", "max_model_len": 512}]}}
LLAMA = {"/v1/models": {"data": [{"id": "tiny", "meta": {"n_ctx": 4096, "n_ctx_train": 131072}}]}}
PROPS = {"/v1/models": {"data": [{"id": "tiny"}]}, "/props": {"default_generation_settings": {"n_ctx": 2048}}}


def settings(url: str, **model: Any) -> Settings:
    return Settings(
        database=DatabaseSettings(),
        identity=IdentitySettings(key=SecretStr("00")),
        audit=AuditSettings(key=SecretStr("00")),
        model=ModelSettings(base_url=f"{url}/v1", name="tiny", api_key=SecretStr("sk-test"), **model),
        answer=AnswerSettings(),
    )


def asked(pages: Mapping[str, Any], **model: Any) -> int | None:
    """What an endpoint with these pages is found to hold; it answers nobody without the key."""

    def answer(request: Request) -> None:
        known = request.headers["Authorization"] == "Bearer sk-test" and request.path in pages
        status(200 if known else 404, json.dumps(pages.get(request.path)).encode())(request)

    with http_stub(answer) as url:
        return endpoint_context(settings(url, **model))


@pytest.mark.parametrize(("pages", "holds"), [(VLLM, 8192), (LLAMA, 4096), (PROPS, 2048)])
def test_servers_say_it_in_their_own_words(pages: Mapping[str, Any], holds: int) -> None:
    """Of the model that is named, and never what it was trained for: the server may hold less."""
    assert asked(pages) == holds


@pytest.mark.parametrize(
    "pages",
    [
        {},
        {"/v1/models": []},
        {"/v1/models": {"data": None}},
        {"/v1/models": {"data": [None, {"id": "tiny", "max_model_len": "8192"}]}},
        {"/v1/models": {"data": [{"id": "other", "max_model_len": 512}]}, "/props": []},
        {"/props": {"default_generation_settings": {"n_ctx": 0}}},
    ],
)
def test_who_does_not_say_it_is_not_guessed_at(pages: Mapping[str, Any]) -> None:
    assert asked(pages) is None


def test_an_endpoint_that_never_ends_its_answer_does_not_hold_up_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece comes in time, so no time-out of the connection ends it."""
    monkeypatch.setattr("app.llm.context_length.MAX_SECONDS", 0.1)

    def drip(request: Request) -> None:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100):
                request.wfile.write(b" ")
                time.sleep(0.02)

    began = time.monotonic()
    with http_stub(drip) as url:
        assert endpoint_context(settings(url)) is None
        assert time.monotonic() - began < 1.5


def test_what_is_set_counts_and_nobody_is_asked() -> None:
    assert asked(VLLM, context_length=1000) == 1000
    assert endpoint_context(settings("http://127.0.0.1:9")) is None, "nobody listens there"


def test_what_is_needed_grows_with_every_setting_that_sends_more() -> None:
    base = needed_context(settings("http://127.0.0.1:9"))
    assert base == round(1.3 * (1600 + 400)) + 500 + 400
    assert needed_context(settings("http://127.0.0.1:9", max_tokens=500)) == base + 100
    assert needed_context(settings("http://127.0.0.1:9", context_tokens=600)) == base - 1300


def test_settings_that_send_more_than_it_holds_are_refused() -> None:
    fits = settings("http://127.0.0.1:9", context_length=3500)
    assert require_context(fits) == needed_context(fits) == 3500
    with pytest.raises(ContextTooShort, match=r"holds 3,499 tokens, and .* may take 3,500: lower CLEARANCE_MODEL__CON"):
        require_context(settings("http://127.0.0.1:9", context_length=3499))


def test_the_service_does_not_start_on_a_model_that_holds_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.main.forbid_inspection", lambda: None)  # of this process, which runs other tests
    monkeypatch.setattr("app.main.forget_settings", lambda: None)
    for name, value in {
        "DATABASE__APP_URL": "x", "IDENTITY__KEY": "00", "AUDIT__KEY": "00", "MODEL__CONTEXT_LENGTH": "2000",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"CLEARANCE_{name}", value)
    with pytest.raises(SystemExit, match=r"clearance api: the model .* holds 2,000 tokens"):
        create()


@pytest.mark.parametrize(
    ("length", "state", "says"),
    [(3500, "ok", "3,500 tokens, as set; 3,500 are needed"), (100, "fail", "holds 100 tokens"),
     (None, "warn", "does not say what it holds; 3,500 tokens are needed")],
)  # fmt: skip
def test_the_doctor_looks_at_it(length: int | None, state: str, says: str) -> None:
    (finding,) = check_model_context(settings("http://127.0.0.1:9", context_length=length))
    assert (finding.state, says in finding.says, bool(finding.mend)) == (state, True, state != "ok")
