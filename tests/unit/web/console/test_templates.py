"""Every template, by rules that its author could forget: nothing inline, nothing from elsewhere, nothing unescaped."""

import re
from pathlib import Path

import pytest

from app.web.console.assets import STATIC

FOLDER = STATIC.parent / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
TAG = re.compile(r"<[a-zA-Z](?:\{\{.*?\}\}|\{%.*?%\}|[^<>])*>", re.DOTALL)
FORM = re.compile(r'<form[^>]*method="post".*?</form>', re.DOTALL)


def name(template: Path) -> str:
    return str(template.relative_to(FOLDER))


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_nothing_inline_and_nothing_from_elsewhere(template: Path) -> None:
    text = template.read_text()
    assert "|safe" not in text.replace(" ", "")
    assert "autoescape" not in text
    for tag in TAG.findall(text):
        assert not re.search(r"\sstyle=|\son[a-z]+=", tag), tag
        assert not re.search(r'(src|href|action)="(https?:)?//', tag), tag
        if re.search(r"\shx-(?!nonce)", tag) and "hx-swap-oob" not in tag:
            assert "{{ hx() }}" in tag, f"without a nonce its attributes are taken off: {tag}"
        if tag.startswith("<script"):
            assert 'nonce="{{ nonce }}"' in tag
            assert " src=" in tag


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_every_form_that_changes_something_carries_the_token(template: Path) -> None:
    for form in FORM.findall(template.read_text()):
        assert "{{ csrf() }}" in form or "data-without-session" in form, form[:200]
