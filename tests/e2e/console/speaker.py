"""A model whose pieces a test lets out one by one, as it watches what the page makes of them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from app.errors import ModelUnavailable
from app.identity.subject import Label
from app.llm.protocol import Message
from tests.support.service import endpoint

LEAVE = ("Every employee gets ", "twenty-six weeks of ", "parental leave after ", "the first year [1].")


class Speaker:
    """Says `pieces`; with `gated`, only as many as `allow` has let out. `down`: it does not answer, or breaks off."""

    def __init__(self) -> None:
        self.endpoint = endpoint(Label.RESTRICTED)
        self.pieces: Sequence[str] = LEAVE
        self.gated = False
        self.down_after: int | None = None
        self.asked = 0
        self._allowed = 0

    def allow(self, number: int = 1) -> None:
        """Let this many more pieces out."""
        self._allowed += number

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The pieces, as they are let out."""
        del messages
        self.asked += 1
        for number, piece in enumerate(self.pieces):
            while self.gated and self._allowed <= number:
                await asyncio.sleep(0.01)
            if self.down_after == number:
                raise ModelUnavailable("The model of the test is down.")
            yield piece
