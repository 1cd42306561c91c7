"""A language model whose client is made with the first question for it, since its library takes long to import."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import anyio

from app.llm.protocol import ChatModel, Endpoint, Message


class LateChat:
    """The model at `endpoint`, whose client `make` gives; made in a thread, so that other requests go on meanwhile."""

    def __init__(self, endpoint: Endpoint, make: Callable[[], ChatModel]) -> None:
        self.endpoint = endpoint
        self._make = make
        self._chat: ChatModel | None = None
        self._making = anyio.Lock()

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer, piece by piece."""
        async with self._making:
            if self._chat is None:
                self._chat = await anyio.to_thread.run_sync(self._make)
        async with aclosing(self._chat.stream(messages)) as pieces:
            async for piece in pieces:
                yield piece
