"""What names a place: the same for any cutting, with bounded memory."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.guardrail.outline import LabelOutline

PIECES = st.lists(
    st.sampled_from(
        ("Password", ":", "\n", "\n\n", "| ", "|", "---", "a,b\n", "name;pin\n", ";", ",", "# ", "- ", "1. ", "> ",
         "<td>", "</th>", "<tr>", "x" * 150, "The end. ", "**", "`", '"', " ", "é", "4711")
    ),
    max_size=16,
).map("".join)  # fmt: skip


def label(text: str) -> str:
    outline = LabelOutline()
    outline.feed(text)
    return outline.label()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Password:\n", "Password: "),
        ("**Password:**\n\n", "Password: "),
        ("## Wi-Fi password\n\n", "Wi-Fi password => "),
        ("Wi-Fi password\n", "Wi-Fi password => "),
        ("It is long.\n", ""),
        ("Passwords:\n- one\n- ", "Passwords: "),
        ("Passwords:\n1. one\n2. ", "Passwords: "),
        ("> Password:\n> ", "Password: "),
        ("Password:\n\nOther words here. ", ""),
        ("| For | PIN |\n|---|---|\n| door | ", "PIN: "),
        ("| For | PIN |\n|---|---|\n| ", "For: "),
        ("| For | PIN |\n|---|---|\n| door | 1 | ", ""),
        ("For,PIN\ndoor,", "PIN:  "),
        ("For;PIN\ndoor;", "PIN:  "),
        ("For,PIN\n", "For:  "),
        ("<tr><th>For</th><th>PIN</th></tr>\n<tr><td>door</td><td>", "PIN: "),
        ("| For | PIN |\n|---|---|\n\nPassword:\n", "Password: "),
        ("x" * 500 + ":\n", ""),
        ("Password:\n" + "x" * 500 + "\n", ""),
        ("| For | PIN |\n|---|---|\n\n| door | ", ""),
        ("", ""),
    ],
)
def test_labels(text: str, expected: str) -> None:
    assert label(text).lstrip() == expected


@given(PIECES, st.data())
def test_any_cutting_gives_the_same_label(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=9) | st.just(list(range(len(text))))))
    outline = LabelOutline()
    for a, b in itertools.pairwise([0, *cuts, len(text)]):
        outline.feed(text[a:b])
    assert outline.label() == label(text)
    middle = len(text) // 2
    begun = LabelOutline()
    begun.feed(text[:middle])
    before = begun.label()
    assert begun.after(text[middle:]).label() == label(text)
    assert begun.label() == before


def test_its_memory_is_bounded() -> None:
    outline = LabelOutline()
    for piece in ("x" * 10_000, "\n", "| a " * 5_000, "\n", "password," * 5_000, "\n", "- " * 9_000, "Long:\n" * 900):
        outline.feed(piece)
        kept = [outline._line, outline._label, outline._delimiter, *outline._header]
        assert sum(map(len, kept)) < 1_000
