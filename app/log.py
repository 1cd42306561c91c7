"""Structured logs: an event name and key=values.

Never passage text, prompts, questions or secrets; audit is not logging.
"""

import logging
import sys
import traceback
from pathlib import Path

import structlog


def configure(*, json: bool, level: str = "INFO") -> None:
    """Send all logs of this process to stderr, as JSON lines or for a person at a terminal."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def where(error: BaseException) -> list[str]:
    """The innermost places of an error, without its message: a database puts rows into its messages."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]


def get() -> structlog.typing.FilteringBoundLogger:
    return structlog.get_logger()  # type: ignore[no-any-return]  # structlog types its lazy proxy as Any
