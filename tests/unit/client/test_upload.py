"""What of a folder is uploaded, under which tags; and how an upload is followed."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.cli.ingest import print_outcomes
from app.client import upload as module
from app.client.access_file import AccessFile, Tags
from app.client.api import ApiError, Client
from app.client.sync import hash_manifest
from app.client.upload import (
    NestedRules,
    Stalled,
    TwoFiles,
    UnreadableFolder,
    UploadOutcome,
    scan_folder,
    stage_shares,
    upload,
)
from tests.support.clock import Clock

STAFF = Tags(roles=("staff",))


def staff(_path: str) -> Tags:
    return STAFF


def written(folder: Path, *names: str) -> None:
    """A file of each name, with its folder."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")


def test_files_are_found_with_their_tags(tmp_path: Path) -> None:
    written(tmp_path, "b.md", "pay/a.md", "pay/.secret", ".git/config", "access.yaml", "left.out")
    (tmp_path / "link.md").symlink_to("/etc/hostname")
    (tmp_path / "linked").symlink_to("/etc")
    rules = AccessFile.parse('rules:\n  - {path: "pay/**", roles: [hr]}\n  - {path: "*.md", roles: [everyone]}\n')
    found = scan_folder(tmp_path, "collection", rules.tags_for)
    assert [(i.path, i.tags.roles, i.collection) for i in found.items] == [
        ("b.md", ("everyone",), "collection"),
        ("pay/a.md", ("hr",), "collection"),
    ]
    assert found.untagged == ("left.out",)


def test_rules_that_would_not_be_read_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "deep/access.yaml")
    with pytest.raises(NestedRules, match=r"deep/access\.yaml"):
        scan_folder(tmp_path, "collection", staff)


def test_an_access_file_of_another_name_is_no_document(tmp_path: Path) -> None:
    written(tmp_path, "tags.yaml", "a.md")
    found = scan_folder(tmp_path, "collection", staff, access=tmp_path / "tags.yaml")
    assert [item.path for item in found.items] == ["a.md"]


def test_paths_are_in_normal_form_and_match_rules_so(tmp_path: Path) -> None:
    """As macOS writes names, with blanks around; rules and the place in the collection go by the normal form."""
    written(tmp_path, "bu\u0308ro /a.md")
    rules = AccessFile.parse('rules:\n  - {path: "büro/*", roles: [hr]}\n')
    found = scan_folder(tmp_path, "collection", rules.tags_for)
    assert [(i.path, i.tags.roles) for i in found.items] == [("büro/a.md", ("hr",))]
    assert found.items[0].file.read_text() == "x"


def test_a_name_that_is_no_path_is_refused_alone(tmp_path: Path) -> None:
    """A mark of direction, and bytes that are no UTF-8: each with its reason, shown as a terminal may have it."""
    written(tmp_path, "good.md", "mark\u200f.md", os.fsdecode(b"latin\xe9.md"))
    found = scan_folder(tmp_path, "collection", staff)
    assert [i.path for i in found.items] == ["good.md"]
    assert [name for name, _ in found.refused] == ["latin\\udce9.md", "mark\\u200f.md"]
    assert "not UTF-8" in found.refused[0][1]
    assert "U+200F" in found.refused[1][1]


def test_two_files_of_one_place_stop_everything(tmp_path: Path) -> None:
    """One would replace the other, and which of them would be chance."""
    written(tmp_path, "ö.md", "o\u0308.md")
    with pytest.raises(TwoFiles, match=r"ö\.md"):
        scan_folder(tmp_path, "collection", staff)


def test_what_is_there_and_not_uploaded_is_not_gone(tmp_path: Path) -> None:
    """Links, what is hidden, what no rule tags, a file that cannot be read: listed without a hash."""
    (tmp_path / "link").symlink_to("/etc")
    written(tmp_path, ".hidden", "untagged.md", "locked.md", "a.md")
    found = scan_folder(tmp_path, "collection", lambda p: None if p == "untagged.md" else STAFF)
    (tmp_path / "locked.md").unlink()
    lines = hash_manifest(found, found.items).decode().splitlines()
    assert sorted(lines) == ["-  .hidden", "-  link", "-  locked.md", "-  untagged.md",
                             f"{hashlib.sha256(b'x').hexdigest()}  a.md"]  # fmt: skip


def test_a_folder_that_cannot_be_read_stops_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files must not be taken for gone. By a failing call, since a test as root may read everything."""
    written(tmp_path, "locked/b.md", "a.md")
    plain = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        if self.name == "locked":
            raise PermissionError(13, "Permission denied")
        return plain(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(UnreadableFolder, match=r"locked cannot be read \(Permission denied\)"):
        scan_folder(tmp_path, "collection", staff)


# Not three hexadecimal digits: the random boundary of a form can hold those.
SPOILED = "spoiled text"


class Service:
    """Stands in for the API: takes uploads, ends them at the second look, and lists none of the `hidden` ones."""

    def __init__(self, *, hidden: bool = False, ends: bool = True, refuse: int | None = None) -> None:
        self.jobs: dict[str, int] = {}
        self.fields: list[bytes] = []
        self.hidden, self.ends, self.refuse = hidden, ends, refuse

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            body = request.read()
            if self.refuse and SPOILED.encode() in body:
                return httpx2.Response(self.refuse, json={"code": "C", "title": "T", "detail": "no good"})
            self.fields.append(body)
            name = f"j{len(self.jobs)}"
            self.jobs[name] = -1
            return httpx2.Response(202, json=self._job(name))
        if request.url.path == "/api/v1/jobs":
            return httpx2.Response(200, json=[] if self.hidden else [self._job(name) for name in self.jobs])
        return httpx2.Response(200, json=self._job(request.url.path.rsplit("/", 1)[-1]))

    def _job(self, name: str) -> dict[str, Any]:
        self.jobs[name] += 1
        ended = self.ends and self.jobs[name] > 1
        return {
            "id": name,
            "state": "indexed" if ended else "running",
            "reason": None,
            "stages_us": {"embed": 3, "write": 1},
            "hidden": {"rows": 2} if ended else None,
            "warnings": [],
        }


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "time", Clock())


def run(service: Service, folder: Path, tags: Tags = STAFF) -> tuple[list[UploadOutcome], list[UploadOutcome]]:
    told: list[UploadOutcome] = []
    with Client("http://service.example", "k", transport=httpx2.MockTransport(service)) as client:
        found = scan_folder(folder, "collection", lambda _path: tags)
        return upload(client, found.items, on_end=told.append), told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path, *(f"{number}.md" for number in range(6)))
    return tmp_path


@pytest.mark.parametrize("hidden", [False, True])
def test_each_file_is_followed_to_its_end(folder: Path, hidden: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """And what it hides is listed then."""
    outcomes, told = run(Service(hidden=hidden), folder)
    assert sorted(o.item.path for o in outcomes) == [f"{n}.md" for n in range(6)]
    assert {o.state for o in outcomes} == {"indexed"}
    assert told == outcomes
    assert stage_shares(outcomes) == {"embed": 0.75, "write": 0.25}
    print_outcomes(sorted(outcomes, key=lambda o: o.item.path), 1.0)
    counted = "".join(f"{n}.md\trows 2\n" for n in range(6))
    assert f"not indexed, since hidden\t\n{counted}" in capsys.readouterr().out


def test_the_label_of_the_collection_is_left_to_the_service(folder: Path) -> None:
    labelled, unlabelled = Service(), Service()
    run(labelled, folder)
    run(unlabelled, folder, Tags(roles=("staff",), label=""))
    assert all(b'name="label"\r\n\r\ninternal' in body for body in labelled.fields)
    assert not any(b'name="label"' in body for body in unlabelled.fields)


def test_a_bad_file_ends_alone_and_a_bad_key_ends_all(folder: Path) -> None:
    (folder / "7.md").write_text(SPOILED)
    outcomes, _ = run(Service(refuse=422), folder)
    assert [(o.item.path, o.reason) for o in outcomes if o.state == "failed"] == [("7.md", "no good")]
    assert len(outcomes) == 7
    with pytest.raises(ApiError, match="no good"):
        run(Service(refuse=401), folder)


def test_a_worker_that_does_nothing_is_not_waited_for_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALL_SECONDS", 0.5)
    with pytest.raises(Stalled, match="6 wait"):
        run(Service(ends=False), folder)


def test_no_more_are_underway_than_one_page_shows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_JOBS", 2)
    monkeypatch.setattr(module, "MAX_REQUESTS", 1)
    service = Service()
    most = 0
    answer = service.__call__

    def watch(request: httpx2.Request) -> httpx2.Response:
        nonlocal most
        response = answer(request)
        most = max(most, sum(looks < 2 for looks in service.jobs.values()))
        return response

    with Client("http://service.example", "k", transport=httpx2.MockTransport(watch)) as client:
        found = scan_folder(folder, "collection", staff)
        assert len(upload(client, found.items, on_end=lambda _outcome: None)) == 6
    assert most <= 2
    assert sorted(service.jobs) == [f"j{n}" for n in range(6)]
