"""The forms that guard models speak. Whatever is not wholly understood is no verdict, and so never `safe`."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from app.refusals.guards.protocol import GuardForm, GuardVerdict, NoVerdict
from app.refusals.rules import Form

# "S1", "S1,S14", "O3": one line of codes, as the model cards of Llama Guard 1 to 4 have it.
_CODES = re.compile(r"[A-Za-z]{1,3}\d{1,3}(?:[ ]?,[ ]?[A-Za-z]{1,3}\d{1,3}){0,40}")


class LlamaGuard:
    """Llama Guard behind an OpenAI-compatible API, whose chat template asks the question: `safe`, or `unsafe` and a
    line with codes.
    """

    def request(self, url: str, model: str, question: str) -> tuple[str, Mapping[str, Any]]:
        messages = [{"role": "user", "content": question}]
        body = {"model": model, "messages": messages, "temperature": 0, "max_tokens": 100, "stream": False}
        return f"{url.rstrip('/')}/chat/completions", body

    def verdict(self, answer: object) -> GuardVerdict:
        choices = _field(answer, "choices", list)
        if len(choices) != 1:
            raise NoVerdict
        lines = _field(_field(choices[0], "message", dict), "content", str).strip().splitlines()
        if lines == ["safe"]:
            return GuardVerdict(unsafe=False)
        if not lines or lines[0] != "unsafe" or len(lines) > 2:
            raise NoVerdict
        if len(lines) == 1:
            return GuardVerdict(unsafe=True)
        if not _CODES.fullmatch(lines[1].strip()):
            raise NoVerdict
        return GuardVerdict(unsafe=True, codes=frozenset(code.strip() for code in lines[1].split(",")))


class PlainClassifier:
    """A service of one's own: `{"text": …}` to its URL gives `{"unsafe": true, "categories": ["…"]}`."""

    def request(self, url: str, model: str, question: str) -> tuple[str, Mapping[str, Any]]:
        return url, {"text": question} | ({"model": model} if model else {})

    def verdict(self, answer: object) -> GuardVerdict:
        unsafe = _field(answer, "unsafe", bool)
        named = answer.get("categories", []) if isinstance(answer, dict) else None
        return GuardVerdict(unsafe, _texts(named) if unsafe else frozenset())


class GuardrailsAi:
    """A server of Guardrails AI: a guard validates the text; `validationPassed` is the verdict, there are no codes."""

    def request(self, url: str, model: str, question: str) -> tuple[str, Mapping[str, Any]]:
        return f"{url.rstrip('/')}/guards/{quote(model, safe='')}/validate", {"llmOutput": question}

    def verdict(self, answer: object) -> GuardVerdict:
        return GuardVerdict(unsafe=not _field(answer, "validationPassed", bool))


class NemoGuardrails:
    """A server of NeMo Guardrails that checks without generating (`…/v1/guardrail/checks`, `…/v1/checks`); the rails
    that block are the codes. A rail that would change the text has not let it pass.
    """

    def request(self, url: str, model: str, question: str) -> tuple[str, Mapping[str, Any]]:
        messages = [{"role": "user", "content": question}]
        return url, {"model": model, "messages": messages, "guardrails": {"config_id": model}}

    def verdict(self, answer: object) -> GuardVerdict:
        status = _field(answer, "status", str)
        if status in {"success", "passed"}:
            return GuardVerdict(unsafe=False)
        if status not in {"blocked", "modified"}:
            raise NoVerdict
        rails = answer.get("rails_status") if isinstance(answer, dict) else None
        blocking = (
            {str(name) for name, rail in rails.items() if isinstance(rail, dict) and rail.get("status") == "blocked"}
            if isinstance(rails, dict)
            else set()
        )
        return GuardVerdict(unsafe=True, codes=frozenset(blocking))


GUARD_FORMS: Mapping[Form, GuardForm] = {
    "llama-guard": LlamaGuard(),
    "classifier": PlainClassifier(),
    "guardrails-ai": GuardrailsAi(),
    "nemo-guardrails": NemoGuardrails(),
}


def _field(answer: object, name: str, kind: type[Any]) -> Any:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind):
        raise NoVerdict
    return value


def _texts(values: object) -> frozenset[str]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise NoVerdict
    return frozenset(values)
