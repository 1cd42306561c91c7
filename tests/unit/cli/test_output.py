"""What a terminal, a pipe and a program get: text of others acts on nothing, and nothing is cut off."""

import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import output
from app.cli.app import app
from app.cli.ask import print_conflicts
from app.cli.console import SafeConsole
from app.client.api import ApiError

HOSTILE = "a\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r\x00[red]b[/red]"


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard output and error as a terminal of 80 columns. Called in the test: pytest puts its own there before."""
    shown = Terminal()
    monkeypatch.setattr("sys.stdout", shown)
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return shown


def acts(text: str) -> bool:
    """Whether a character in it is not one that a terminal draws."""
    return any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in text)


def test_safe_text_draws_what_would_act() -> None:
    assert not acts(output.safe_text(HOSTILE))
    assert output.safe_text("\x1b[1mé\tß\r\n\ud800") == "␛[1mé\tß\n�"
    assert output.safe_text("शक्‍ति 👩‍🔬") == "शक्‍ति 👩‍🔬"


def test_no_way_to_the_screen_lets_a_control_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function of the screen, and the console of what draws more."""
    terminal = terminal_of(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    output.print_text(HOSTILE, (HOSTILE, "bold red"), wrap=True)
    output.print_chunk(HOSTILE)
    output.print_note(HOSTILE)
    output.print_success(HOSTILE)
    output.print_table((HOSTILE, "b"), [(HOSTILE, [HOSTILE])], empty=HOSTILE)
    output.print_error(ApiError(code="X", title=HOSTILE, detail=HOSTILE, status=400))
    SafeConsole().print(HOSTILE)
    assert "[red]b[/red]" in terminal.getvalue()
    assert not acts(terminal.getvalue())


def test_json_escapes_what_would_act_and_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    output.set_json_output(on=True)
    try:
        output.print_result({"title": HOSTILE, "name": "Zoë"}, lambda: None)
    finally:
        output.set_json_output(on=False)
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"title": HOSTILE, "name": "Zoë"}
    assert not acts(shown)
    assert "Zoë" in shown


def test_colors_are_for_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    output.print_text(("x", "bold red"))
    assert terminal.getvalue() == "\x1b[1;31mx\x1b[0m\n"
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        terminal.seek(0)
        terminal.truncate()
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            output.print_text(("x", "bold red"))
        assert terminal.getvalue() == "x\n"


ROWS = [
    (
        "ea3bbabf-880e-495a-aaf8-0a7b0900d844", "a/very/long/path/to/some/document-of-ours.md\nIts title",
        ["ask", "download", "administer"], True,
    ),
    ("ea3bbabf-880e-495a-aaf8-0a7b0900d845", "", [], None),
]  # fmt: skip


def test_a_table_cuts_nothing_off_at_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    output.print_table(("id", "document", "may", "on"), ROWS)
    plain = terminal.getvalue().replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert max(map(len, plain.splitlines())) <= 80
    assert "ea3bbabf-880e-495a-aaf8-0a7b0900d844" in plain
    for word in ("administer", "download,", "yes", "Its title"):
        assert word in plain


def test_a_pipe_gets_a_line_for_each_row_with_whole_paths(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any width; nothing for nothing, and no heading that a program would take for a row."""
    monkeypatch.setenv("COLUMNS", "20")
    output.print_table(("id", "document", "may", "on"), ROWS)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split("\t")[1:] == [
        "a/very/long/path/to/some/document-of-ours.md Its title", "ask, download, administer", "yes",
    ]  # fmt: skip
    assert second == "ea3bbabf-880e-495a-aaf8-0a7b0900d845\t\t\t"


def test_wide_characters_take_two_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    output.print_table(("a", "b"), [("文書", "x"), ("abcd", "y")])
    assert terminal.getvalue().splitlines()[2:] == ["文書   x", "abcd   y"]


def test_what_a_file_says_that_is_verified_acts_on_no_terminal(tmp_path: Path) -> None:
    """An auditor looks at a file of somebody else: its format's name, and keys that no export writes."""
    header = {"format": HOSTILE, "version": 1, "complete": True, "range": {"first": 0, "size": 0}, "filters": {}}
    file = tmp_path / "log.jsonl"
    file.write_text(json.dumps(header | {HOSTILE: 1}) + "\n")
    shown = CliRunner().invoke(app, ["audit", "verify", str(file)])
    assert shown.exit_code == 1
    assert shown.stdout.count("a␛]0;owned␇") == 2
    assert not set(HOSTILE) & set("\x1b\x07\x9b\u202e\0") & set(shown.output)


def test_sources_that_contradict_each_other_are_shown_with_their_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    sides = {"first": 1, "first_text": "It costs 30 euros.", "second": 3, "second_text": f"It costs 45 {HOSTILE}"}
    print_conflicts([{"kind": "number", **sides}])
    shown = "".join(capsys.readouterr())
    assert "contradict each other" in shown
    assert "[1] It costs 30 euros." in shown
    assert "[3] It costs 45" in shown
    assert not acts(shown)
