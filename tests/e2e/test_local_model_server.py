"""The local model server: streams to the OpenAI client, wants its key, keeps prompts to itself."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI, AuthenticationError
from openai.types.chat import ChatCompletionMessageParam

from app.local import launcher
from app.local.model_server import CONTEXT_TOKENS, KEY_VARIABLE, MODEL_NAME, WeightsWrong, verify, weights
from tests.support.environment import REPOSITORY, free_port
from tests.support.waiting import alive, wait_for

KEY = "a-test-key"
CANARY = "zanzibar-quokka-4711"


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[bytes]
    url: str
    log: Path


def launch(port: int, log: Path, *, key: str = KEY) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "app.local.model_server", "--port", str(port)]
    with log.open("wb") as file:
        return subprocess.Popen(
            launcher.launch_command(argv),
            cwd=REPOSITORY,
            stdout=file,
            stderr=file,
            env={"PATH": "/usr/bin:/bin", KEY_VARIABLE: key},
        )


def healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health", timeout=1).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port, log = free_port(), tmp_path_factory.mktemp("model") / "log"
    process = launch(port, log)
    try:
        wait_for(lambda: healthy(f"http://127.0.0.1:{port}"), seconds=60, message=log.read_text, child=process)
        yield Running(process, f"http://127.0.0.1:{port}", log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert "model_server.stopped" in log.read_text()
    finally:
        process.kill()
        process.wait()


async def ask(url: str, text: str, *, key: str = KEY, tokens: int = 24) -> list[str]:
    """The pieces of a streamed answer."""
    messages: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "Answer from the text. Be brief."},
        {"role": "user", "content": text},
    ]
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model=MODEL_NAME, messages=messages, stream=True, temperature=0, max_tokens=tokens
        )
        return [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]


def test_it_streams_an_answer(running: Running) -> None:
    pieces = asyncio.run(ask(running.url, "What is the capital of France?"))
    assert "Paris" in "".join(pieces)
    assert len([piece for piece in pieces if piece]) > 3


def test_two_answers_at_a_time_are_those_of_one_alone(running: Running) -> None:
    questions = ["What is the capital of France?", "What is the capital of Italy?"]

    async def together() -> list[list[str]]:
        return await asyncio.gather(*(ask(running.url, question) for question in questions))

    first, second = asyncio.run(together())
    assert "Paris" in "".join(first)
    assert "Rome" in "".join(second)


def test_a_wrong_key_is_refused(running: Running) -> None:
    with pytest.raises(AuthenticationError):
        asyncio.run(ask(running.url, "Hello", key="wrong"))


@pytest.mark.parametrize("path", ["/v1/models", "/v1/completions", "/slots", "/props", "/metrics", "/lora-adapters"])
def test_nothing_but_health_answers_without_the_key(running: Running, path: str) -> None:
    assert httpx2.get(f"{running.url}{path}").status_code == 401


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
    assert CANARY not in running.log.read_text()
    assert KEY not in running.log.read_text()
    events = [json.loads(line)["event"] for line in running.log.read_text().splitlines()]  # the library says nothing
    assert events == ["model_server.ready"]
    assert KEY.encode() not in Path(f"/proc/{running.process.pid}/cmdline").read_bytes()


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


def test_without_a_key_it_does_not_start(tmp_path: Path) -> None:
    process = launch(free_port(), tmp_path / "log", key="")
    assert process.wait(20) == 2
    assert KEY_VARIABLE in (tmp_path / "log").read_text()


def test_on_a_taken_port_it_does_not_start(running: Running, tmp_path: Path) -> None:
    process = launch(int(running.url.rpartition(":")[2]), tmp_path / "log")
    assert process.wait(30) == 2
    assert "model_server.failed" in (tmp_path / "log").read_text()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    changed = tmp_path / "model.gguf"
    data = bytearray(weights().read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    with pytest.raises(WeightsWrong, match="SHA-256"):
        verify(changed, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
    with pytest.raises(WeightsWrong, match="cannot read"):
        verify(tmp_path / "absent", "00")


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import sys, subprocess, time; from app.local.launcher import launch_command; "
        "argv = [sys.executable, '-m', 'app.local.model_server', '--port', sys.argv[1]]; "
        "print(subprocess.Popen(launch_command(argv)).pid,"
        " flush=True); time.sleep(60)"
    )
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), KEY_VARIABLE: KEY}
    with (tmp_path / "log").open("wb") as log:
        parent = subprocess.Popen(
            [sys.executable, "-c", script, str(port)], env=environment, stdout=subprocess.PIPE, stderr=log
        )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait_for(lambda: healthy(f"http://127.0.0.1:{port}"), seconds=30)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not alive(pid), seconds=30)
    assert not healthy(f"http://127.0.0.1:{port}")
