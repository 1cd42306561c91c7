"""Nine kinds of values in every disguise, layout and encoding: nothing of them can be read back.

What is not found is listed, and the list is held: what is found one day must leave it.
"""

import pytest

from app.guardrail.checks import default_checks
from app.guardrail.gate import redact
from tests.support.disguised import ENCODED, LAID_OUT, PAINTED, Way

CHECKS = default_checks()
VALUES = {
    "card": ("We charged {} for the renewal.", "5555 5555 5555 4444"),
    "IBAN": ("Please pay {} by Friday.", "GB29 NWBK 6016 1331 9268 19"),
    "phone": ("You reach them on {} after nine.", "+49 30 901820 44"),
    "SSN": ("His social security number is {}, says the form.", "219-09-9999"),
    "e-mail": ("Send it to {} tonight.", "johanna.vester@post.example.org"),
    "IP": ("It runs on {} at night.", "10.84.113.27"),
    "token": ("The shop pays with {} in production.", "ghp_" + "Q7w" * 12),
    "key id": ("It is written with {} from the build.", "AKIA" + "QW3ERT7YUP2LKJ5H"),
    "password": ("The password is {} and nobody else has it.", "Nebel?Kran-2206"),
}
WAYS: dict[str, Way] = {**PAINTED, **LAID_OUT, **ENCODED}
_LONG = {"decimal entities", "hexadecimal entities", "\\u"}  # more characters than a reading looks at
_SAID = {"said in English", "said in German"}  # with pieces of letters that stand as they are, and without a name
_BROKEN = {"<br/>", "a line break", "a line break in a quote", "two cells", "two items", "a citation"}
OPEN = {
    *(("token", way) for way in (*_LONG, "half in underscores", "said by radio", *_SAID)),
    # What stands before the break is a password by itself, and what follows it may be anything.
    *(("password", way) for way in _BROKEN),
    # Neither a form of their own nor a name: no more than any number or word in an address.
    *((kind, "in a query") for kind in ("phone", "SSN", "password")),
    *((kind, way) for kind in ("IBAN", "e-mail", "key id") for way in _SAID),
}  # fmt: skip
MIN_READABLE = 4  # characters of the disguised value, one after another


def readable(kind: str, way: str) -> str:
    """The first stretch of the disguised value that is left, which nothing but the value has."""
    sentence, value = VALUES[kind]
    text, around = WAYS[way](value), sentence + WAYS[way]("xx")
    released = redact(sentence.format(text), CHECKS).text
    stretches = (text[at : at + MIN_READABLE] for at in range(len(text) - MIN_READABLE + 1))
    return next((one for one in stretches if one in released and one not in around), "")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_a_value_can_be_read_back(way: str) -> None:
    assert {kind for kind in VALUES if readable(kind, way)} == {kind for kind, other in OPEN if other == way}


def test_all_that_only_changes_characters_is_undone() -> None:
    assert not {way for _, way in OPEN} & set(PAINTED)
    assert (len(PAINTED), len(LAID_OUT), len(ENCODED)) == (17, 17, 17)


def test_the_plain_values_are_hidden_and_what_is_around_them_stays() -> None:
    for sentence, value in VALUES.values():
        before, after = sentence.split("{}")
        released = redact(sentence.format(value), CHECKS).text
        assert released.startswith(f"{before}[redacted: ")
        assert released.endswith(f"]{after}")


@pytest.mark.parametrize("way", WAYS)
def test_a_harmless_text_in_the_same_way_stays(way: str) -> None:
    text = WAYS[way]("no more than 12 pages")
    assert redact(f"It says so in {text} of the handbook.", CHECKS).counts == {}
