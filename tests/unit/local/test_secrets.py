"""Local secrets: made once, private, never half written, never shown."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from app.local.secrets import FILE, LocalSecrets, SecretsUnusable, write_private


def test_they_are_made_once_and_read_again(tmp_path: Path) -> None:
    first = LocalSecrets.open(tmp_path / "home")
    assert LocalSecrets.open(tmp_path / "home") == first
    values = list(asdict(first).values())
    assert len(values) == len(set(values)) == 12
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values)
    assert LocalSecrets.open(tmp_path / "other") != first


def test_file_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    LocalSecrets.open(home)
    assert home.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in home.iterdir()] == ["secrets.json"]
    assert (home / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    LocalSecrets.open(tmp_path)
    (tmp_path / "secrets.json").chmod(mode)
    with pytest.raises(SecretsUnusable, match="others can read"):
        LocalSecrets.open(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"identity_key": "00"}', "an empty secret"])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    made = LocalSecrets.open(tmp_path)
    if text == "an empty secret":
        text = json.dumps(asdict(made) | {"audit_key": ""})
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(SecretsUnusable):
        LocalSecrets.open(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == text


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_refused(tmp_path: Path, exists: bool) -> None:
    target = tmp_path / "elsewhere.json"
    if exists:
        LocalSecrets.open(tmp_path / "a")
        (tmp_path / "a" / "secrets.json").rename(target)
    home = tmp_path / "home"
    home.mkdir()
    (home / "secrets.json").symlink_to(target)
    with pytest.raises(SecretsUnusable):
        LocalSecrets.open(home)
    assert target.exists() == exists


def test_two_that_make_them_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: LocalSecrets.open(tmp_path / "home"), range(32)))
    assert len({secrets.identity_key for secrets in found}) == 1
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("later", [{"search_password", "delivery_password"}, {"delivery_password"}])
def test_a_file_of_an_earlier_version_serves_on(tmp_path: Path, later: set[str]) -> None:
    """The later passwords come from what is there: the same for every process, and the file stays as it is."""
    made = LocalSecrets.open(tmp_path)
    path = tmp_path / FILE
    kept = {name: value for name, value in asdict(made).items() if name not in later}
    write_private(path, json.dumps(kept))
    opened = LocalSecrets.open(tmp_path)
    assert opened == LocalSecrets.open(tmp_path)
    drawn = {getattr(opened, name) for name in later}
    assert len(drawn) == len(later)
    assert not drawn & {"", made.owner_password, *(getattr(made, name) for name in later)}
    assert opened.owner_password == made.owner_password
    assert json.loads(path.read_text("utf-8")) == kept


def test_they_are_hidden_from_repr(tmp_path: Path) -> None:
    secrets = LocalSecrets.open(tmp_path)
    assert repr(secrets) == "LocalSecrets()"
    assert set(secrets.role_passwords().values()) < set(asdict(secrets).values())
    assert secrets.superuser_password not in secrets.role_passwords().values()


def test_a_private_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
