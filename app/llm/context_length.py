"""How much text a model endpoint holds, asked of the endpoint: a prompt that does not fit would be refused or cut.

OpenAI's protocol has no word for it. llama.cpp says `meta.n_ctx` in its list of models or `n_ctx` in /props, vLLM
`max_model_len`; others say nothing, and then the setting counts or nothing is known.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2

from app.settings import Settings

# A model's tokens for one of the embedder's, in which passages are counted: measured 1.3 for SmolLM2 on English text.
TOKENS_FOR_ONE = 1.3
# The prompt's own words, the fences with titles and headings, and a question of usual length.
FRAME_TOKENS = 500
# An endpoint's answer about itself: no longer, and no later.
MAX_BYTES, MAX_SECONDS = 1 << 20, 5.0
PROPS_OF_A_SLOT = "default_generation_settings"


class ContextTooShort(ValueError):
    """The endpoint holds less than what the settings would send; the message says what to lower."""


def needed_context(settings: Settings) -> int:
    """The tokens that a prompt and its answer may take with these settings, as the model counts."""
    answer, model = settings.answer, settings.model
    shown = min(answer.context_tokens, model.context_tokens) + answer.history_tokens
    return round(TOKENS_FOR_ONE * shown) + FRAME_TOKENS + model.max_tokens


def endpoint_context(settings: Settings) -> int | None:
    """The tokens that the endpoint holds for a question and its answer: as set, else as it says; None if unknown."""
    if settings.model.context_length is not None:
        return settings.model.context_length
    model = settings.model
    headers = {"Authorization": f"Bearer {model.api_key.get_secret_value()}"}
    timeout = httpx2.Timeout(model.connect_seconds)
    # As for the questions themselves: no proxy of the environment and no redirect gets the key.
    with httpx2.Client(headers=headers, timeout=timeout, trust_env=False, follow_redirects=False) as client:
        base = model.base_url.rstrip("/")
        lengths = [*_listed(_get(client, f"{base}/models"), model.name)]
        lengths = lengths or [*_slot(_get(client, f"{base.removesuffix('/v1')}/props"))]
    return min(lengths, default=None)


def require_context(settings: Settings) -> int | None:
    """What the endpoint holds, None if that is unknown; raises ContextTooShort if the settings would send more."""
    holds, needed = endpoint_context(settings), needed_context(settings)
    if holds is not None and holds < needed:
        raise ContextTooShort(
            f"the model {settings.model.name!r} holds {holds:,} tokens, and a prompt with its answer may take"
            f" {needed:,}: lower CLEARANCE_MODEL__CONTEXT_TOKENS ({settings.model.context_tokens}),"
            f" CLEARANCE_ANSWER__HISTORY_TOKENS ({settings.answer.history_tokens}) or"
            f" CLEARANCE_MODEL__MAX_TOKENS ({settings.model.max_tokens}), or start the model with a longer context"
        )
    return holds


def _get(client: httpx2.Client, url: str) -> Any:
    """The JSON there, or None: whether the endpoint answers at all is not asked here.

    An answer that is too long, or comes too slowly, is none: the service waits for it before it starts.
    """
    deadline, content = time.monotonic() + MAX_SECONDS, b""
    try:
        with client.stream("GET", url) as response:
            for piece in response.iter_bytes():
                content += piece
                if len(content) > MAX_BYTES or time.monotonic() > deadline:
                    return None
            return json.loads(content) if response.is_success else None
    except (httpx2.HTTPError, ValueError):
        return None


def _listed(models: Any, name: str) -> Iterator[int]:
    entries = models.get("data") if isinstance(models, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("id") == name:
            meta = entry.get("meta")
            yield from _positive(entry.get("max_model_len"), meta.get("n_ctx") if isinstance(meta, dict) else None)


def _slot(props: Any) -> Iterator[int]:
    slot = props.get(PROPS_OF_A_SLOT) if isinstance(props, dict) else None
    yield from _positive(slot.get("n_ctx") if isinstance(slot, dict) else None)


def _positive(*values: Any) -> Iterator[int]:
    return (value for value in values if isinstance(value, int) and value > 0)
