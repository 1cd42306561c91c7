"""A file can kill its own parser and nothing else."""

import io
import os
import re
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from ingest import sandbox as module
from ingest.confinement import Layers, Limits, Unconfined, drop_root
from ingest.extract import extract
from ingest.extractors.errors import FileTooLarge, Malformed, TimedOut
from ingest.preload import samples
from ingest.sandbox import ConfinementMissing, Sandbox, SandboxUnavailable
from tests.support.waiting import wait_for

SLOW = b"# Heading\n\n" + b"Some *words* and [links](http://example.com/x) in a paragraph.\n\n" * 30_000


TEXTS = {
    **dict.fromkeys(("cp1252", "utf-16-le"), "Die Prüfung für Führungskräfte läuft über fünf Wochen, außer im März."),
    **dict.fromkeys(("cp1251", "koi8-r"), "Каждый сотрудник может подать заявление на отпуск в тридцать дней."),
    **dict.fromkeys(("shift_jis", "iso2022_jp"), "従業員は、上司の承認を得て休暇を申請することができます。"),
    "gb18030": "每位员工经主管批准后都可以申请休假，差旅费用将在三十天之内报销。",
    **dict.fromkeys(("cp866", "big5", "iso8859_7", "cp1250", "utf_16"), "plain words"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    box = Sandbox()
    yield box
    box.close()


@pytest.fixture
def limited(sandbox: Sandbox) -> Iterator[Callable[..., Sandbox]]:
    """The shared zygote under other limits: they go with each file."""
    before = sandbox.limits

    def change(**limits: Any) -> Sandbox:
        sandbox.limits = Limits(**limits)
        return sandbox

    yield change
    sandbox.limits = before


def zygote(box: Sandbox) -> psutil.Process:
    assert box._process is not None
    return psutil.Process(box._process.pid)


def a_child(box: Sandbox) -> psutil.Process:
    """The child that is reading a file now."""
    return wait_for(lambda: zygote(box).children(), message="no child was forked")[0]


def test_results_are_those_of_extract(sandbox: Sandbox) -> None:
    for name, content in samples().items():
        assert sandbox.extract(content, filename=name) == extract(content, filename=name)


@pytest.mark.parametrize("encoding", TEXTS)
def test_encodings_are_read_where_nothing_can_be_loaded_late(sandbox: Sandbox, encoding: str) -> None:
    """Codecs and the models of the detection are there before the process is confined."""
    text = TEXTS[encoding]
    pages = [text] if encoding == "utf-16-le" else [f'<meta charset="{encoding}"><p>{text}</p>', text]
    heads = (b"",) if encoding.startswith("utf") else (b"", b"<meta charset=latin1>", b"<meta charset=nonsense>")
    for content in (head + page.encode(encoding) for page in pages for head in heads):
        shown = sandbox.extract(content, filename="a.html")
        assert shown == extract(content, filename="a.html")
        assert text == "plain words" or shown.blocks[0].text == text


def test_wall_clock_and_processor_time_are_bounded(limited: Callable[..., Sandbox]) -> None:
    box = limited(wall_seconds=0.2)
    box.extract(b"start it", filename="a.txt")
    before = zygote(box).pid
    with pytest.raises(TimedOut):
        box.extract(SLOW, filename="slow.md")
    with pytest.raises(TimedOut):
        limited(cpu_seconds=1).extract(SLOW, filename="slow.md")
    assert zygote(box).pid == before


def test_memory_and_size_are_bounded(limited: Callable[..., Sandbox]) -> None:
    with pytest.raises(FileTooLarge):
        limited(memory_bytes=32 * 2**20).extract(b"a,b,c\n" * 400_000, filename="large.csv")
    with pytest.raises(FileTooLarge, match="1 MiB"):
        limited(content_bytes=2**20).extract(b"a" * (2**20 + 1), filename="a.txt")


def test_a_crash_is_the_fault_of_one_file_only(sandbox: Sandbox) -> None:
    sandbox.extract(b"start it", filename="a.txt")
    assert sandbox.level in {"full", "reduced"}  # what hostile code can do then is test_hostile_parser.py
    assert 0 not in zygote(sandbox).uids()
    before = zygote(sandbox).pid
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sandbox.extract, SLOW, filename="slow.md")
        a_child(sandbox).send_signal(signal.SIGSEGV)
        with pytest.raises(Malformed):
            running.result(timeout=60)
    assert sandbox.extract(b"still here", filename="a.txt").blocks[0].text == "still here"
    assert zygote(sandbox).pid == before


def test_a_child_that_ignores_its_alarm_is_ended_with_the_zygote(
    limited: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.5)
    box = limited(wall_seconds=2.0)
    box.extract(b"start it", filename="a.txt")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(box.extract, SLOW, filename="slow.md")
        child = a_child(box)
        child.suspend()  # a stopped process takes no signal but SIGKILL
        with pytest.raises(TimedOut):
            running.result(timeout=60)
    gone, alive = psutil.wait_procs([child], timeout=10)
    assert gone
    assert not alive
    assert box.extract(b"again", filename="a.txt").blocks[0].text == "again"


def test_threads_get_their_own_results(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(sandbox.extract, f"text {n}".encode(), filename=f"{n}.txt") for n in range(24)]
        found = [(future.result().title, future.result().blocks[0].text) for future in futures]
    assert found == [(str(n), f"text {n}") for n in range(24)]


def test_a_lost_zygote_is_replaced_by_one_that_outlives_the_thread_that_started_it(sandbox: Sandbox) -> None:
    sandbox.extract(b"start it", filename="a.txt")
    lost = zygote(sandbox)
    lost.kill()
    lost.wait(10)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(sandbox.extract, b"again", filename="a.txt").result().blocks[0].text == "again"
    pid = zygote(sandbox).pid
    assert pid != lost.pid
    assert sandbox.extract(b"again", filename="a.txt").blocks[0].text == "again"
    assert zygote(sandbox).pid == pid


def test_it_starts_without_the_environment_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def refuse(*_: object, **arguments: Any) -> None:
        seen.update(arguments)
        raise OSError("stop here")

    monkeypatch.setenv("CLEARANCE_DATABASE_PASSWORD", "hunter2")
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(SandboxUnavailable):
        Sandbox().extract(b"x", filename="a.txt")
    assert "PYTHONPATH" in seen["env"]
    assert "hunter2" not in str(seen["env"])


def test_a_user_of_somebody_is_none_for_parsers() -> None:
    """Started by root: an id with a name has files, and root is no user for a parser."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    with pytest.raises(ConfinementMissing, match="PARSER_UID"):
        Sandbox(uid=65534).extract(b"x", filename="a.txt")
    with pytest.raises(Unconfined, match="PARSER_UID"):
        drop_root(0)


def test_an_older_landlock_is_enough_and_none_is_not() -> None:
    """The filter refuses files, sockets and signals alone; without either of the two nothing is read."""
    assert [Layers(True, abi).level for abi in (0, 1, 5, 6, 9)] == ["missing", "reduced", "reduced", "full", "full"]
    assert Layers(False, 7).level == "missing"


def test_what_a_file_needs_late_is_there_already(sandbox: Sandbox) -> None:
    """A confined parser opens nothing: nor Word's template for a missing part."""
    word = samples()["a.docx"]
    bare = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word)) as whole, zipfile.ZipFile(bare, "w") as without:
        for item in whole.infolist():
            data = whole.read(item)
            if item.filename == "word/_rels/document.xml.rels":
                data = re.sub(rb"<Relationship [^>]*(styles|settings)\.xml[^>]*/>", b"", data)
            if item.filename not in ("word/styles.xml", "word/settings.xml"):
                without.writestr(item, data)
    content = bare.getvalue()
    assert sandbox.extract(content, filename="a.docx") == extract(content, filename="a.docx")


def test_what_a_taken_over_child_says_is_not_trusted() -> None:
    good = {"title": "t", "media_type": "m", "blocks": [["x", "paragraph", ["h"], 1]], "hidden": {"rows": 2}}
    assert module._outcome([{"extracted": good}, {"exit": 0}]).blocks[0].heading_path == ("h",)
    assert module._outcome([{"extracted": good}]).hidden == {"rows": 2}
    wrong_counts: list[Any] = [{"spells": 1}, {"rows": "2"}, {"rows": -1}, {"rows": True}, [], None]
    bad: list[Any] = [
        *({**good, "hidden": hidden} for hidden in wrong_counts),
        {key: value for key, value in good.items() if key != "hidden"},
        {**good, "title": 5},
        {**good, "title": "a\0b"},
        {**good, "blocks": [["x", "spell", [], None]]},
        {**good, "blocks": [["x", "paragraph", [], "1"]]},
        {**good, "blocks": [["x", "paragraph", [7], 1]]},
        {**good, "blocks": [["x"]]},
        {**good, "blocks": 3},
        "text",
    ]
    for value in bad:
        with pytest.raises(Malformed):
            module._outcome([{"extracted": value}])
    with pytest.raises(Malformed):
        module._outcome([{"error": "SystemExit", "reason": "x"}])
    assert module._frames(bytearray(b'\0\0\0\x09{"exit": ')) == []


def test_how_a_child_ended_tells_the_error() -> None:
    for status, error in (
        (-signal.SIGALRM, TimedOut),
        (-signal.SIGXCPU, TimedOut),
        (-signal.SIGSEGV, Malformed),
        (1, Malformed),
    ):
        with pytest.raises(error):
            module._outcome([{"exit": int(status)}])
    with pytest.raises(Malformed):
        module._outcome([])


def test_descriptors_are_returned(sandbox: Sandbox) -> None:
    assert sandbox.extract(b"shared", filename="a.txt").blocks[0].text == "shared"
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        sandbox.extract(b"shared", filename="a.txt")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
