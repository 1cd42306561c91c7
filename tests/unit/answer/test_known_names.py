"""The list of names: read at the start or not at all, kept up to date afterwards, and never in the log."""

import os
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.answer.known_names import KnownNames, NamesUnreadable, read_names
from app.guardrail.checks import checks_with
from app.guardrail.gate import redact
from app.guardrail.policy.model import DEFAULT_POLICY
from app.settings import GuardrailSettings
from app.wiring import build_checks, require_files

FILE = 'name,staff,also\nAda Byron,1,Ada Lovelace;Augusta Ada King\n"Müller, Anna",2,\n'


def _file(folder: Path, text: str = FILE) -> Path:
    path = folder / "names.csv"
    path.write_text(text, "utf-8")
    return path


def _later(path: Path, text: str) -> None:
    """Write the file anew, with another time of change whatever the clock of the disk."""
    path.write_text(text, "utf-8")
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 1_000_000))


def _hidden(names: KnownNames, text: str) -> str:
    return redact(text, checks_with(names.check)).text.replace("[redacted: name]", "#")


def test_a_file_has_names_and_other_names(tmp_path: Path) -> None:
    names = KnownNames(_file(tmp_path), None, seconds=60)
    assert _hidden(names, "Ada Byron or Ada Lovelace or A. King or Anna Mueller or Ada") == "# or # or # or # or Ada"


@pytest.mark.parametrize("text", [None, "", "person\nAda Byron\n", 'name\n"Ada', "name\nM\udce4x\n"])
def test_what_is_no_such_file_stops_the_start(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "names.csv"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(NamesUnreadable, match="the file of names"):
        KnownNames(path, None, seconds=60)
    with pytest.raises(NamesUnreadable, match="the file of names") as refused:
        require_files(GuardrailSettings(names_file=path))
    assert "Ada" not in str(refused.value)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert read_names(_file(tmp_path, "\ufeffname\r\nAda Byron\r\n")) == ["Ada Byron", ""]


def test_a_changed_file_is_read_again_and_a_broken_one_is_not(tmp_path: Path) -> None:
    path = _file(tmp_path)
    names = KnownNames(path, None, seconds=60)
    _later(path, "name\nGrace Hopper\n")
    names.refresh()
    assert _hidden(names, "Ada Byron, Grace Hopper") == "Ada Byron, #"
    for broken in ("nothing\nAda Byron\n", ""):
        if broken:
            _later(path, broken)
        else:
            path.unlink()
        with capture_logs() as logged:
            names.refresh()
        assert [line["event"] for line in logged] == ["names.not_read"]
        assert _hidden(names, "Grace Hopper") == "#"
    _later(path, "name\nAda Byron\n")
    with capture_logs() as logged:
        names.refresh()
    assert _hidden(names, "Ada Byron") == "#"
    assert not any("Ada" in str(line) for line in logged)


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = KnownNames(_file(tmp_path), None, seconds=60)
    before = names.check.names
    monkeypatch.setattr("app.answer.known_names.read_names", lambda path: pytest.fail("read again"))
    names.refresh()
    assert names.check.names is before


def test_people_come_and_a_database_that_is_away_takes_none_away() -> None:
    people = ["Ada Byron"]

    def read() -> list[str]:
        if not people:
            raise ConnectionError("Ada Byron")
        return list(people)

    names = KnownNames(None, read, seconds=0.01)
    people.append("Grace Hopper")
    names.start()
    deadline = time.monotonic() + 10
    while _hidden(names, "Grace Hopper") != "#" and time.monotonic() < deadline:
        time.sleep(0.01)
    names.close()
    assert _hidden(names, "Ada Byron and Grace Hopper") == "# and #"
    people.clear()
    with capture_logs() as logged:
        names.refresh()
    assert _hidden(names, "Ada Byron and Grace Hopper") == "# and #"
    assert logged
    assert not any("Byron" in str(line) for line in logged)


def test_people_who_cannot_be_read_stop_the_start() -> None:
    def away() -> list[str]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        KnownNames(None, away, seconds=60)


def test_names_are_off_by_default() -> None:
    require_files(GuardrailSettings())
    *checks, repeated = build_checks(GuardrailSettings(), None, DEFAULT_POLICY)
    assert tuple(checks) == checks_with()
    assert repeated.kind == "", "what repeats the model's instructions is always looked for"


def test_a_model_that_is_not_installed_stops_the_start() -> None:
    options = GuardrailSettings(names="model", names_model="no_such_model")
    with pytest.raises(ValueError, match=r"neither installed nor a folder|is not installed: pip install"):
        require_files(options)
    with pytest.raises(ValueError, match=r"neither installed nor a folder|is not installed: pip install"):
        build_checks(options, None, DEFAULT_POLICY)
