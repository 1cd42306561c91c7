"""Any OpenAI-compatible endpoint, through the openai client."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import httpx2
import openai
from openai.types.chat import ChatCompletionMessageParam

from app.errors import ModelUnavailable
from app.llm.protocol import Endpoint, Message

# The client does not check what it parses: a broken stream shows as JSON that is none, or as a missing attribute.
NOT_AN_ANSWER = (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True)
class Sampling:
    """How the model is to write: longest answer in tokens, and a penalty (0 to 2) on repeating itself."""

    max_tokens: int
    frequency_penalty: float = 0.0


class OpenAIChat:
    """Streams from `endpoint`. The key goes out with each request, nowhere else; nothing is retried or redirected."""

    def __init__(self, endpoint: Endpoint, *, api_key: str, sampling: Sampling, timeout: httpx2.Timeout) -> None:
        self.endpoint = endpoint
        self._sampling = sampling
        # trust_env=False: a proxy in the environment would carry the text elsewhere. A redirect would too.
        self._http = httpx2.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.base_url, api_key=api_key, http_client=self._http, max_retries=0, timeout=timeout
        )

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer, piece by piece; deterministic as far as the endpoint honours a temperature of 0 and a seed.

        An endpoint that sends anything else than a stream of text, or none at all, is one that does not answer.
        """
        said = False
        try:
            async with aclosing(self._pieces(messages)) as pieces:
                async for piece in pieces:
                    said = True
                    yield piece
        except NOT_AN_ANSWER as error:
            raise self._unavailable() from error
        if not said:
            raise self._unavailable()

    async def _pieces(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        asked: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": m.content} if m.role == "system" else {"role": "user", "content": m.content}
            for m in messages
        ]
        answer = await self._client.chat.completions.create(
            model=self.endpoint.model,
            messages=asked,
            stream=True,
            temperature=0,
            seed=1,
            max_tokens=self._sampling.max_tokens,
            # Left out at 0: not every endpoint knows it.
            frequency_penalty=self._sampling.frequency_penalty or openai.omit,
        )
        async with answer:
            async for event in answer:
                for choice in event.choices:
                    if choice.delta.content:
                        yield choice.delta.content

    def _unavailable(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"The language model '{self.endpoint.model}' at {self.endpoint.address} does not answer. "
            "Ask with mode 'quote', or see 'clearance doctor'."
        )

    async def close(self) -> None:
        await self._client.close()
