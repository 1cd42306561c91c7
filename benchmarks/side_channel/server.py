"""One world's API for `benchmarks.side_channel`, in a process of its own: the real wiring, with a scripted model."""

import dataclasses

import uvicorn

from app.llm.scripted import ScriptedChat
from app.main import create
from app.settings import Settings
from app.wiring import build

SAID = ("It is said ", "in the first of them [1], ", "and again ", "in the second [2].")

if __name__ == "__main__":
    settings = Settings()
    parts = build(settings)
    served = create(dataclasses.replace(parts, chat=ScriptedChat(parts.chat.endpoint, lambda _: SAID)))
    # A connection is not closed while the other worlds are asked.
    uvicorn.run(served, port=settings.api.port, log_config=None, access_log=False, timeout_keep_alive=3_600)
