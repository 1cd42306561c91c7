"""Nothing that the command line shows can act on a terminal: text comes from files, documents and other people."""

import io
from pathlib import Path

import pytest
from rich.text import Text
from typer.testing import CliRunner

from app.cli import screen
from app.cli.app import app
from app.cli.visible import visible
from tests.unit.audit_log import entry, write

ACTING = {
    "title": "\x1b]0;owned\x07",
    "clear": "\x1b[2J",
    "one byte": "\x9b2J",
    "back": "a\rb\b",
    "bidi": "\u202e\u2066",
    "line": "\u2028",
    "delete": "\x7f",
    "surrogate": "\udc9b",
}


@pytest.mark.parametrize("text", ACTING.values(), ids=ACTING)
def test_what_acts_is_written_out(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert "\\" in shown
    assert visible(shown) == shown


def test_what_is_read_stays() -> None:
    plain = "Zoë’s café — 数据 ✓ [bold] back\\slash"
    assert visible(plain) == plain
    assert visible("two\nlines", keep="\n") == "two\nlines"


@pytest.mark.parametrize("text", ACTING.values(), ids=ACTING)
def test_no_way_onto_the_screen_lets_it_through(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Texts, tables, notes and errors; markup of rich's is text as well."""
    written = io.StringIO()
    for name in ("out", "err"):
        monkeypatch.setattr(screen, name, screen.Screen(file=written, highlight=False, width=60))
    screen.table(("a", "b"), [(text, f"[red]{text}[/red]\\"), ("[link=http://evil]x[/link]", "[/]")])
    screen.note(text)
    screen.done(text)
    screen.trouble(ValueError(text))
    screen.out.print(Text(text))
    shown = written.getvalue()
    assert not [c for c in shown if not c.isprintable() and c != "\n"]
    assert "[red]" in shown
    assert "[link=http://evil]" in shown.replace("\n", "")


def test_verify_prints_no_escape_of_a_file(tmp_path: Path) -> None:
    """Of its name, of a key, of a format."""
    lines = [entry(n, f"question {n}") for n in range(2)]
    path = write(tmp_path / "log\x1b[2J.jsonl", lines)
    text = path.read_text().replace('"seq": 0,', '"seq": 0, "\\u001b]0;owned\\u0007": 1,')
    path.write_text(text.replace('"clearance-audit"', '"clear\\u001b[2J"'))
    shown = CliRunner().invoke(app, ["audit", "verify", str(path)])
    assert shown.exit_code == 1
    assert "\x1b" not in shown.output
    assert "\\x1b]0;owned" in shown.output
