"""Paths have one normal form: laws over every spelling that a disk, a person or an attacker may send."""

import re
import unicodedata

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.client.access_file import AccessFile, AccessFileError
from app.errors import InvalidInput
from app.paths import MAX_BYTES, MAX_NAME, folder_path, folders_of, is_below, look_alike, normal_path, skeleton
from app.retrieval.filters import SearchFilter
from tests.support.path_text import ANYTHING, BLANKS, LETTERS

NAMES = st.text(LETTERS + BLANKS, min_size=1, max_size=12)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)

# Most of anything is refused, and says nothing about what is accepted.
MANY_ARE_REFUSED = [HealthCheck.filter_too_much]


def accepted(text: str) -> str | None:
    """The normal form; None for what is refused."""
    try:
        return normal_path(text)
    except InvalidInput:
        return None


@settings(suppress_health_check=MANY_ARE_REFUSED)
@given(ANYTHING)
def test_what_is_accepted_is_its_own_normal_form_and_holds_nothing_invisible(text: str) -> None:
    path = accepted(text)
    assume(path is not None)
    assert path is not None
    assert normal_path(path) == path == folder_path(path)
    assert unicodedata.is_normalized("NFC", path)
    assert not any(unicodedata.category(c).startswith("C") or c in "\u2028\u2029\\\u034f\u3164\ufe0f" for c in path)
    assert not re.search(r"(^|/)(\s|\.{0,2}(/|$))|\s(/|$)", path)


@given(PATHS, st.sampled_from(["NFC", "NFD"]), st.sampled_from(BLANKS), st.integers(0, 3))
def test_every_spelling_of_a_path_is_one_path(text: str, form: str, blank: str, number: int) -> None:
    """Composed or not, with any kind of blank, and with blanks around each name."""
    path = accepted(text)
    assume(path is not None)
    around = blank * number
    other = "/".join(f"{around}{name}{around}" for name in unicodedata.normalize(form, text).split("/"))  # type: ignore[arg-type]  # one of the two
    assert normal_path(other.replace(" ", blank)) == path


@given(PATHS, NAMES, st.sampled_from(["NFC", "NFD"]), st.sampled_from(["", "/"]))
def test_a_rule_applies_to_an_upload_at_any_spelling(folder: str, name: str, form: str, slash: str) -> None:
    """The folder's path as it is ruled, and the upload's as it is sent, each in its own spelling."""
    assume(accepted(folder) is not None and accepted(name) is not None)
    ruled = folder_path(slash + unicodedata.normalize("NFD", folder) + slash)
    sent = normal_path(unicodedata.normalize(form, f"{folder} /{name}"))  # type: ignore[arg-type]  # one of the two
    assert is_below(sent, ruled)
    assert ruled in folders_of(sent)


@settings(suppress_health_check=MANY_ARE_REFUSED)
@given(ANYTHING)
def test_what_is_refused_is_refused_on_every_surface(text: str) -> None:
    """Uploads and moves, rules and filters, and access.yaml: none of them goes on with a path of its own."""
    assume(accepted(text) is None and accepted(text.strip("/")) is None and text)
    for surface in (normal_path, folder_path, lambda t: SearchFilter(folder=t), AccessFile((), ()).tags_for):  # type: ignore[arg-type]  # no rule
        with pytest.raises(InvalidInput):
            surface(text)
    if re.fullmatch(r'[^"\\\n\r\u0085\u2028\u2029]+', text) and text.isprintable():
        with pytest.raises(AccessFileError):
            AccessFile.parse(f'rules: [{{path: "{text}", roles: [hr]}}]')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty name"),
        ("/etc/passwd", "empty name"),
        ("a//b", "empty name"),
        ("a/ /b", "empty name"),
        ("a/../b", "'..'"),
        ("a/ .. /b", "'..'"),
        ("./a", "'.'"),
        ("a\\b", "backslash"),
        ("a\u202eb", r"cannot be seen \(U\+202E\)"),
        ("pay\u200f/a.md", r"U\+200F"),
        ("a\u2028b", r"line separator in it \(U\+2028\)"),
        ("a\x00b", r"control character.*U\+0000"),
        ("caf\udce9.md", "not UTF-8"),
        ("a" * 256, "more than 255"),
        ("/".join(["ab"] * 400), "at most 1000"),
        ("/".join(["の" * 100] * 9), f"{MAX_BYTES} bytes"),
        ("a" * 5000, "at most 1000"),
    ],
)
def test_the_error_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        normal_path(text)


def test_names_may_be_long_and_of_any_script() -> None:
    assert normal_path("a" * MAX_NAME) == "a" * MAX_NAME
    assert normal_path("人事/給与 2026.xlsx") == "人事/給与 2026.xlsx"
    assert normal_path("Screenshot 09.00.00\u202fAM.png") == "Screenshot 09.00.00 AM.png"


@pytest.mark.parametrize(
    ("one", "other"),
    [("HR", "hr"), ("pay.", "pay"), ("ｐａｙ", "pay"), ("рау", "pay"), ("buro", "büro"), ("pay roll", "pay_roll")],
)
def test_paths_that_look_alike_are_two_and_have_one_skeleton(one: str, other: str) -> None:
    """Case counts, and so do other scripts: what is told apart by a machine alone earns a warning."""
    assert normal_path(one) != normal_path(other)
    assert skeleton(one) == skeleton(other)
    assert skeleton("pay/2026") != skeleton("pay/2027")


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("Pay", "pay", True),
        ("payroll", "payrol", True),
        ("payroll", "payrall", True),
        ("payroll", "xpayroll", True),
        ("pay-roll", "pay roll", True),
        ("payroll", "payroll", False),
        ("payroll", "paylor", False),
        ("payroll", "pay", False),
        # Short names, and numbers, are told apart by one character.
        ("hr", "it", False),
        ("law", "lab", False),
        ("2026", "2027", False),
        ("report1", "report", False),
    ],
)
def test_names_of_folders_that_are_taken_for_each_other(name: str, other: str, alike: bool) -> None:
    """A warning at an upload into a new folder; in either order."""
    assert look_alike(name, other) == look_alike(other, name) == alike
