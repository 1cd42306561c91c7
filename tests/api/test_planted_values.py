"""A model says secrets in every layout, in splinters: nothing of them is in a byte that leaves, is logged or kept."""

import json
import random
import re
import subprocess
from collections.abc import Callable, Sequence

import pytest

from app.settings import AnswerSettings
from tests.support.company import Company
from tests.support.postgres_programs import program
from tests.support.questions import ON_LEAVE, ask, events, spoken
from tests.support.service import METRICS_KEY, client_of, parts_of, saying

VALUES = {
    "card": "5412 7534 5678 9010",
    "IBAN": "NL91 ABNA 0417 1643 00",
    "phone number": "+44 20 7946 0958",
    "e-mail address": "maria.lindqvist@nordwind.example.org",
    "access key": "AKIA" + "Q4ZX7MNW2PLRT6VB",
    "token": "ghp_" + "x7Kq2Lm9Rt4Vw8Zb3Nc6Hj1Pd5Sg0FyAuEoI",
    "password": "Tulpe#Regen-4471",
}


def _halves(between: str, behind: str = "") -> Callable[[str], str]:
    return lambda value: value[: len(value) // 2] + between + value[len(value) // 2 :] + behind


LAYOUTS: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "escapes": lambda value: re.sub(r"([-_.+@!])", r"\\\1", value),
    "a tag": _halves("<b>", "</b>"),
    "a line break in HTML": _halves("<br>"),
    "a comment": _halves("<!-- x -->"),
    "entities": lambda value: "".join(f"&#{ord(character)};" for character in value),
    "percent signs": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "zero-width": "\u200b".join,
    "full width": lambda value: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
    "bold": _halves("**", "**"),
    "hexadecimal": lambda value: value.encode().hex(),
    "apart": lambda value: " ".join(value.replace(" ", "")),
}


def _core(text: str) -> str:
    """What is left of a text to read: its letters and digits."""
    return "".join(character for character in text if character.isalnum()).lower()


def _said(layout: Callable[[str], str]) -> str:
    return "".join(f"The {name} is {layout(value)} for everybody [1].\n" for name, value in VALUES.items())


def _splinters(text: str, seed: int) -> Sequence[str]:
    rng = random.Random(seed)
    pieces = []
    while text:
        size = rng.choice((1, 1, 2, 3, 5, 17))
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def _leaks(place: str, text: str, layout: Callable[[str], str]) -> list[str]:
    """Each value of which more than half can be read in the text, as it is or in its layout."""
    found = []
    for name, value in VALUES.items():
        for form in (value, layout(value)):
            core = _core(form)
            size = max(len(core) * 6 // 10, 7)
            if any(core[at : at + size] in text for at in range(len(core) - size + 1)):
                found.append(f"{name} in {place}")
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_planted_is_anywhere(
    company: Company, name: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    layout = LAYOUTS[name]
    said = _said(layout)
    marking = AnswerSettings(grounding="mark")
    places: dict[str, str] = {}
    with client_of(parts_of(company.db, chat=saying(*_splinters(said, 1)), answer=marking)) as client:
        whole = ask(client, company, "ben", ON_LEAVE)
        streamed = ask(client, company, "ben", ON_LEAVE, stream=True)
        places["metrics"] = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}).text
    assert spoken(events(streamed.text)) == whole.json()["answer"]
    assert sum(whole.json()["redactions"].values()) >= len(VALUES)
    places |= {"answer": whole.text, "frames": streamed.text, "text": spoken(events(streamed.text))}
    broken = saying(*_splinters(said, 2), "never", fail_after=len(_splinters(said, 2)) - 3)
    with client_of(parts_of(company.db, chat=broken, answer=marking)) as client:
        places["error"] = ask(client, company, "ben", ON_LEAVE, stream=True).text
        places["problem"] = ask(client, company, "ben", ON_LEAVE).text
    assert "error" in dict(events(places["error"]))
    for kind in ("answer.opened", "answer.closed"):
        places[kind] = json.dumps(company.records(kind), ensure_ascii=False)
    logged = capsys.readouterr()
    places["log"] = logged.out + logged.err + caplog.text
    places["database"] = _dumped(company)
    leaks = [leak for place, text in places.items() for leak in _leaks(place, _core(text), layout)]
    assert leaks == []


def _dumped(company: Company) -> str:
    command = [str(program("pg_dump")), f"--dbname={company.db.libpq('admin')}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
