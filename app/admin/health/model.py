"""Checks the language model: whether it answers, what it holds, and where text may be sent."""

import fcntl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2

from app.admin.health.check_result import CheckResult
from app.identity.subject import Label
from app.llm.context_length import ContextTooShort, needed_context, require_context
from app.llm.endpoint import CONFIRM, PublicModelHost, endpoint, is_public
from app.llm.protocol import is_loopback
from app.settings import ModelSettings, Settings

ROUTE, CONTEXT = "model route", "model context"


def check_model(options: ModelSettings, *, seconds: float | None = None) -> Iterator[CheckResult]:
    """The language model answers with one token, within these seconds or those of the settings."""
    if not is_started(options):
        yield CheckResult("model", "ok", f"{options.name} has not started yet: the first question for it starts it")
        return
    headers = {"Authorization": f"Bearer {options.api_key.get_secret_value()}"}
    body = {"model": options.name, "messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 1}
    begin, shown = time.monotonic(), without_password(options.base_url)
    url = f"{options.base_url.rstrip('/')}/chat/completions"
    mend = "CLEARANCE_MODEL__BASE_URL, __NAME and __API_KEY name it; until it answers, answers are quotes"
    wait = options.first_token_seconds if seconds is None else min(seconds, options.first_token_seconds)
    try:
        timeout = httpx2.Timeout(wait, connect=min(wait, options.connect_seconds))
        # As for the questions themselves: no proxy of the environment gets the key.
        response = httpx2.post(url, json=body, headers=headers, timeout=timeout, trust_env=False)
    except httpx2.TransportError as error:
        yield CheckResult("model", "fail", f"{shown}: {error or type(error).__name__}", mend)
        return
    if response.is_success:
        took = time.monotonic() - begin
        yield CheckResult("model", "ok", f"{options.name} at {shown}, {took:.1f} s for a word")
    else:
        yield CheckResult("model", "fail", f"{shown} answers with HTTP status {response.status_code}", mend)


def is_started(options: ModelSettings) -> bool:
    """Whether the server runs; true as well of one that is not started on demand, which nobody here can know."""
    if options.lock is None:
        return True
    try:
        with options.lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # locked; or not to be seen: then it is asked
        return True
    return False


def check_model_route(model: ModelSettings) -> Iterator[CheckResult]:
    """The model's address and highest label; a warning if more than public text goes to the public internet."""
    try:
        target = endpoint(model)
    except PublicModelHost as error:
        yield CheckResult(ROUTE, "fail", str(error), "the service does not start so")
        return
    route = f"text up to '{target.max_label.text}' goes to {target.address}"
    if target.max_label > Label.PUBLIC and is_public(model.base_url):
        mend = "leave it unset unless the model is yours: what is sent there is out of your hands"
        yield CheckResult(ROUTE, "warn", f"{route}, on the public internet; confirmed by {CONFIRM}", mend)
    elif is_loopback(model.base_url):
        yield CheckResult(ROUTE, "ok", f"{route}, this machine")
    elif target.internal:
        by = "CLEARANCE_MODEL__INTERNAL" if model.internal else "CLEARANCE_MODEL__INTERNAL_HOSTS"
        yield CheckResult(ROUTE, "ok", f"{route}, declared internal by {by}")
    else:
        yield CheckResult(
            ROUTE, "ok", f"{route}, which is not in the house; what is above that is answered by quote alone"
        )


def check_model_context(settings: Settings) -> Iterator[CheckResult]:
    """The endpoint's context is as long as the longest prompt with its answer; a warning if it does not say."""
    needed = needed_context(settings)
    try:
        holds = require_context(settings)
    except ContextTooShort as error:
        yield CheckResult(CONTEXT, "fail", str(error), "the service does not start so")
        return
    if holds is None:
        mend = "CLEARANCE_MODEL__CONTEXT_LENGTH says it, if you know it"
        yield CheckResult(
            CONTEXT, "warn", f"the endpoint does not say what it holds; {needed:,} tokens are needed", mend
        )
    else:
        by = "as set" if settings.model.context_length is not None else "as the endpoint says"
        yield CheckResult(CONTEXT, "ok", f"{holds:,} tokens, {by}; {needed:,} are needed")


def without_password(url: str) -> str:
    """An address as it may be shown: scheme, host, port and path."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
