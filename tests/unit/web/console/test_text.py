"""Text of documents and models on a page: never HTML of theirs, marks and sources of ours."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from app.web.console.text import TextSegment, markdown, segments

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/a.png)",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>1</script>)",
    "[x](vbscript:x)",
    "<a href='javascript:1'>x</a>",
    "<iframe src=//evil.example>",
    "<style>*{display:none}</style>",
    "<https://evil.example/>",
    "<form action=/me/keys><button>",
    "<div hx-get=/me hx-trigger=load>x</div>",
    "&lt;script&gt;1&lt;/script&gt;",
    "[1](//evil.example)",
    "<base href=//evil.example>",
    "```html\n<script>1</script>\n```",
    "<meta http-equiv=refresh content=0>",
    "[x]: //evil.example\n[x]",
    '[a"onmouseover=1](/x)',
]
FORBIDDEN = (
    "<script",
    "<img",
    "<svg",
    "<iframe",
    "<style",
    "<form",
    "<button",
    "<base",
    "<meta",
    "<link",
)


def rendered(text: str) -> str:
    return str(markdown(text, [(1, "/documents/a?passage=b"), (2, "/documents/c")], "{} hidden".format))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_a_model_runs_or_loads(attack: str) -> None:
    html = rendered(f"Before {attack} after.")
    tags = "".join(part.split(">")[0] for part in html.split("<")[1:]).lower()
    assert not [word for word in FORBIDDEN if word in html.lower()]
    assert not any(
        word in tags for word in ("javascript:", "data:", "vbscript:", "onerror", "onload", "onmouse", "hx-", "srcset")
    )


@given(st.text(max_size=200))
def test_whatever_a_model_writes_has_tags_of_the_list_alone(text: str) -> None:
    html = rendered(text)
    names = {part.lstrip("/").split()[0].split(">")[0] for part in html.split("<")[1:] if part.strip("/ \n")}
    assert names <= {
        *(
            "p",
            "ul",
            "ol",
            "li",
            "strong",
            "em",
            "code",
            "pre",
            "blockquote",
            "br",
            "hr",
            "a",
            "span",
            "table",
            "thead",
        ),
        *("tbody", "tr", "th", "td", "h3", "h4"),
    }


def test_numbers_in_brackets_are_sources() -> None:
    html = rendered("It is so [1], and [2]; not [3] or `[1]`.")
    assert html.count('data-cites="1"') >= 1
    assert 'href="/documents/c" data-cites="2"' in html
    assert "[3]" in html


def test_an_address_that_the_guardrail_left_is_a_link_that_tells_nothing_of_us() -> None:
    assert 'rel="noopener noreferrer nofollow"' in rendered("[the form](https://intranet.example/form)")


def test_what_was_hidden_is_a_mark() -> None:
    assert '<span class="redacted">phone hidden</span>' in rendered("Call [redacted: phone].")
    assert segments("Call [redacted: phone] now", [(0, 4), (23, 26)]) == [
        TextSegment("Call", marked=True),
        TextSegment(" "),
        TextSegment("[redacted: phone]", hidden="phone"),
        TextSegment(" "),
        TextSegment("now", marked=True),
    ]


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=6))
def test_pieces_are_the_whole_text(text: str, marks: list[tuple[int, int]]) -> None:
    assert "".join(piece.text for piece in segments(text, marks)) == text
