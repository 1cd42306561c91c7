"""Asks a guard model over HTTP, within its time. Nothing is retried, redirected or kept."""

import json

import anyio
import httpx2

from app.refusals.guards.forms import GUARD_FORMS
from app.refusals.guards.protocol import GuardVerdict, NoVerdict
from app.refusals.rules import GuardModel

MAX_ANSWER = 65_536  # bytes


class GuardOut(Exception):
    """The model gives no verdict; `cause` says why in a word, for the log, the metrics and the record."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


async def ask(model: GuardModel, question: str) -> GuardVerdict:
    """What the model says of the question. Raises GuardOut whatever goes wrong, also when the time is over."""
    form = GUARD_FORMS[model.form]
    try:
        with anyio.fail_after(model.seconds):
            answer = await _post(model, *form.request(model.endpoint.base_url, model.endpoint.model, question))
        return form.verdict(answer)
    except TimeoutError:
        cause = "TimeLimit"
    except httpx2.TimeoutException:
        cause = "TimeLimit"
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
        cause = "NoConnection"
    except NoVerdict:
        cause = "NoVerdict"
    except (ValueError, RecursionError):
        cause = "NoJson"
    raise GuardOut(cause)  # not within the handler: what was raised may hold the question


async def _post(model: GuardModel, url: str, body: object) -> object:
    headers = {"Authorization": f"Bearer {model.key}"} if model.key else {}
    # trust_env=False: a proxy in the environment would carry the question elsewhere. A redirect would too.
    async with (
        httpx2.AsyncClient(timeout=model.seconds, trust_env=False, follow_redirects=False) as client,
        client.stream("POST", url, json=body, headers=headers) as answer,
    ):
        if answer.status_code != 200:
            raise GuardOut(f"Status{answer.status_code}")
        content = b""
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > MAX_ANSWER:
                raise GuardOut("TooLong")
    parsed: object = json.loads(content)
    return parsed
