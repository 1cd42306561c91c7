"""Guard models behind a real HTTP server: each form, and all that may go wrong, which is never `safe`."""

import time
from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from app.identity.subject import Label
from app.llm.protocol import Endpoint
from app.refusals.guards.client import MAX_ANSWER, GuardOut, ask
from app.refusals.guards.protocol import GuardVerdict
from app.refusals.rules import FORMS, Form, GuardModel
from tests.support.http_stub import http_stub
from tests.support.refusals import Guard, llama, standing

QUESTION = "Wo ist der grüne Tresor?"
SAFE: Mapping[Form, Any] = {
    "llama-guard": llama("safe"),
    "classifier": {"unsafe": False},
    "guardrails-ai": {"callId": "1", "rawLlmOutput": QUESTION, "validatedOutput": QUESTION, "validationPassed": True},
    "nemo-guardrails": {"status": "success", "rails_status": {"self check input": {"status": "success"}}},
}
UNSAFE: Mapping[Form, tuple[Any, set[str]]] = {
    "llama-guard": (llama("\n\nunsafe\nS1,S14"), {"S1", "S14"}),
    "classifier": ({"unsafe": True, "categories": ["safes", "money"]}, {"safes", "money"}),
    "guardrails-ai": ({"callId": "1", "validationPassed": False, "error": "no safes"}, set()),
    "nemo-guardrails": (
        {"status": "blocked", "rails_status": {"topics": {"status": "blocked"}, "input": {"status": "success"}}},
        {"topics"},
    ),
}
SENT: Mapping[Form, tuple[str, dict[str, Any]]] = {
    "llama-guard": (
        "/v1/chat/completions",
        {
            "model": "tiny one",
            "messages": [{"role": "user", "content": QUESTION}],
            "temperature": 0,
            "max_tokens": 100,
            "stream": False,
        },
    ),
    "classifier": ("/v1", {"text": QUESTION, "model": "tiny one"}),
    "guardrails-ai": ("/v1/guards/tiny%20one/validate", {"llmOutput": QUESTION}),
    "nemo-guardrails": (
        "/v1",
        {
            "model": "tiny one",
            "messages": [{"role": "user", "content": QUESTION}],
            "guardrails": {"config_id": "tiny one"},
        },
    ),
}
NO_JSON: list[Any] = [b"", b"safe", b"[]", {}, None, b'{"a":' * 9000, [True]]
NOT_SAFE = ("", "Safe", "safe.", "I think it is safe", "safe\nunsafe", "unsafe\nfor work", "unsafe\nS1\nS2")
GARBAGE: list[tuple[Form, Any]] = [
    *((form, says) for form in FORMS for says in NO_JSON),
    *(("llama-guard", llama(text)) for text in NOT_SAFE),
    ("llama-guard", {"choices": []}),
    ("llama-guard", {"choices": [{"message": {"content": None}}]}),
    ("llama-guard", {"choices": [*llama("safe")["choices"], *llama("unsafe")["choices"]]}),
    ("classifier", {"unsafe": "no"}),
    ("classifier", {"unsafe": 0}),
    ("classifier", {"unsafe": True, "categories": "safes"}),
    ("guardrails-ai", {"validationPassed": None}),
    ("guardrails-ai", {"validationPassed": "true"}),
    ("nemo-guardrails", {"status": "unknown"}),
    ("nemo-guardrails", {"status": ["success"]}),
]


def model(form: Form, url: str, *, key: str | None = None, seconds: float = 5.0) -> GuardModel:
    return GuardModel("guard", form, Endpoint(f"{url}/v1", "tiny one", True, Label.RESTRICTED), seconds, key)


def said_by(guard: Guard, form: Form, *, key: str | None = None, seconds: float = 5.0) -> GuardVerdict:
    with standing(guard):
        return anyio.run(ask, model(form, guard.url, key=key, seconds=seconds), QUESTION)


@pytest.mark.parametrize("form", FORMS)
def test_a_safe_question(form: Form) -> None:
    guard = Guard(SAFE[form])
    assert said_by(guard, form, key="sk-1") == GuardVerdict(unsafe=False)
    [(path, body, authorization)] = guard.asked
    assert (path, body) == SENT[form]
    assert authorization == "Bearer sk-1"


@pytest.mark.parametrize("form", FORMS)
def test_an_unsafe_question(form: Form) -> None:
    says, codes = UNSAFE[form]
    guard = Guard(says)
    assert said_by(guard, form) == GuardVerdict(unsafe=True, codes=frozenset(codes))
    assert guard.asked[0][2] is None, "without a key none is sent"


def test_llama_guard_may_leave_the_codes_out() -> None:
    assert said_by(Guard(llama("unsafe")), "llama-guard") == GuardVerdict(unsafe=True)


def test_a_rail_that_would_change_the_question_blocks_it() -> None:
    assert said_by(Guard({"status": "modified"}), "nemo-guardrails").unsafe


@pytest.mark.parametrize(("form", "says"), GARBAGE)
def test_garbage_is_no_verdict(form: Form, says: Any) -> None:
    with pytest.raises(GuardOut) as error:
        said_by(Guard(says), form)
    assert error.value.cause in {"NoVerdict", "NoJson"}
    assert error.value.__context__ is None, "what was raised may hold the question"


@pytest.mark.parametrize("code", [201, 302, 400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("form", FORMS)
def test_another_status_is_no_verdict(form: Form, code: int) -> None:
    guard = Guard(SAFE[form], code=code)
    with pytest.raises(GuardOut, match=f"Status{code}"):
        said_by(guard, form)
    assert len(guard.asked) == 1, "nothing is tried again or redirected"


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_the_time_ends_a_model_that_hangs_or_drips(how: str) -> None:
    begun = time.monotonic()
    with pytest.raises(GuardOut, match="TimeLimit"):
        said_by(Guard(SAFE["classifier"], **{how: True}), "classifier", seconds=0.3)
    assert time.monotonic() - begun < 5


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(GuardOut, match="TooLong"):
        said_by(Guard(b" " * (MAX_ANSWER + 1) + b'{"unsafe": false}'), "classifier")


def test_nobody_there() -> None:
    with http_stub(lambda _: None) as url:
        gone = url
    with pytest.raises(GuardOut, match="NoConnection"):
        anyio.run(ask, model("classifier", gone), QUESTION)


def test_a_connection_that_breaks_off() -> None:
    with http_stub(lambda request: request.connection.close()) as url, pytest.raises(GuardOut, match="NoConnection"):
        anyio.run(ask, model("classifier", url), QUESTION)


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Guard({"unsafe": False})
    with standing(elsewhere):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, elsewhere.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert said_by(Guard(UNSAFE["classifier"][0]), "classifier").unsafe
    assert elsewhere.asked == []
