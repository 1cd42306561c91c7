"""A model that says what it was told to: ships for tests and load runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from app.errors import ModelUnavailable
from app.llm.protocol import Endpoint, Message


class ScriptedChat:
    """Streams the pieces that `script` gives for the messages, `delay` seconds apart; keeps the prompts it saw."""

    def __init__(
        self,
        endpoint: Endpoint,
        script: Callable[[Sequence[Message]], Sequence[str]],
        *,
        delay: float = 0.0,
        fail_after: int | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.prompts: list[tuple[Message, ...]] = []
        self._script = script
        self._delay = delay
        self._fail_after = fail_after

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The scripted pieces; raises ModelUnavailable after `fail_after` of them, if that is set."""
        self.prompts.append(tuple(messages))
        for number, piece in enumerate(self._script(messages)):
            if number == self._fail_after:
                raise ModelUnavailable("The scripted model fails here.")
            await asyncio.sleep(self._delay)
            yield piece
        if self._fail_after is not None and self._fail_after >= len(self._script(messages)):
            raise ModelUnavailable("The scripted model fails here.")
