"""The local model server: streams to the OpenAI client, wants its key, keeps prompts to itself."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from app.client.api import Client
from app.local.bundled_model import CONTEXT_TOKENS, MODEL_NAME
from app.local.model_server import KEY_VARIABLE, WeightsWrong, verify, weights
from tests.support.environment import free_port
from tests.support.processes import Process, process
from tests.support.waiting import wait_for

KEY = "a-test-key"
CANARY = "zanzibar-quokka-4711"


@dataclass(frozen=True)
class Running:
    process: Process
    url: str


def launch(port: int, folder: Path, *, key: str = KEY) -> AbstractContextManager[Process]:
    return process(folder, ["app.local.model_server", "--port", str(port)], {KEY_VARIABLE: key})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with launch(port, tmp_path_factory.mktemp("model")) as made, Client(url, None) as client:
        wait_for(lambda: client.healthy("/health"), seconds=60, message=lambda: made.said, child=made.child)
        yield Running(made, url)
    assert made.child.returncode == 0
    assert "model_server.stopped" in made.said


async def ask(url: str, text: str) -> list[str]:
    """The pieces of a streamed answer."""
    messages: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "Answer from the text. Be brief."},
        {"role": "user", "content": text},
    ]
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model=MODEL_NAME, messages=messages, stream=True, temperature=0, max_tokens=24
        )
        return [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]


def test_it_streams_two_answers_at_a_time(running: Running) -> None:
    questions = ["What is the capital of France?", "What is the capital of Italy?"]

    async def together() -> list[list[str]]:
        return await asyncio.gather(*(ask(running.url, question) for question in questions))

    first, second = asyncio.run(together())
    assert "Paris" in "".join(first)
    assert "Rome" in "".join(second)
    assert len([piece for piece in first if piece]) > 3


@pytest.mark.parametrize("path", ["/v1/models", "/v1/completions", "/slots", "/props", "/metrics", "/lora-adapters"])
def test_nothing_but_health_answers_without_the_key(running: Running, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert httpx2.get(f"{running.url}{path}", headers=headers).status_code == 401
        assert httpx2.post(f"{running.url}/v1/chat/completions", json={}, headers=headers).status_code == 401


def test_there_is_no_page_and_no_look_into_other_requests(running: Running) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert httpx2.get(f"{running.url}/", headers=headers).status_code == 404
    assert httpx2.get(f"{running.url}/slots", headers=headers).status_code == 501
    answer = httpx2.get(f"{running.url}/v1/models", headers=headers | {"Origin": "http://elsewhere.example"})
    assert answer.headers.get("access-control-allow-origin", "") == ""


def test_it_listens_on_one_loopback_address_alone(running: Running) -> None:
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(running.url.replace("127.0.0.1", "127.0.0.2"))


def test_prompts_and_the_key_are_not_logged_and_the_key_is_on_no_command_line(running: Running) -> None:
    asyncio.run(ask(running.url, f"Say {CANARY}"))
    said = running.process.said
    assert CANARY not in said
    assert KEY not in said
    assert [json.loads(line)["event"] for line in said.splitlines()] == ["model_server.ready"]  # the library is silent
    assert KEY.encode() not in Path(f"/proc/{running.process.child.pid}/cmdline").read_bytes()


def test_a_prompt_seen_before_is_read_anew(running: Running) -> None:
    """A kept prompt would tell by its speed what somebody else was just shown."""
    text = f"{CANARY} " + "The harbour is closed in winter. " * 20

    def read_tokens() -> tuple[int, int]:
        body = {"messages": [{"role": "user", "content": text}], "max_tokens": 1, "temperature": 0}
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = httpx2.post(f"{running.url}/v1/chat/completions", json=body, headers=headers, timeout=60).json()
        return answer["timings"]["prompt_n"], answer["timings"].get("cache_n", 0)

    first, second = read_tokens(), read_tokens()
    assert first[0] > 140
    assert second == (first[0], 0)


def test_each_answer_has_the_whole_context(running: Running) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    (model,) = httpx2.get(f"{running.url}/v1/models", headers=headers).json()["data"]
    assert model["id"] == MODEL_NAME
    assert model["meta"]["n_ctx"] == CONTEXT_TOKENS


@pytest.mark.parametrize(("key", "says"), [("", KEY_VARIABLE), (KEY, "model_server.failed")])
def test_without_a_key_and_on_a_taken_port_it_does_not_start(
    running: Running, tmp_path: Path, key: str, says: str
) -> None:
    with launch(int(running.url.rpartition(":")[2]), tmp_path, key=key) as made:
        assert made.child.wait(30) == 2
    assert says in made.said


def test_other_weights_are_refused(tmp_path: Path) -> None:
    changed = tmp_path / "model.gguf"
    data = bytearray(weights().read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    with pytest.raises(WeightsWrong, match="SHA-256"):
        verify(changed, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
    with pytest.raises(WeightsWrong, match="cannot read"):
        verify(tmp_path / "absent", "00")
