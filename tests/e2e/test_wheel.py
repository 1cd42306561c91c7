"""The wheel holds what it must and nothing else, and runs where the repository is not."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from app.cli.database_setup import ADMIN_URL
from app.db.bootstrap import alembic_config
from tests.support.environment import REPOSITORY

NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "docs", "shared", "*.egg-info")
# What a package needs beside its modules: statements, prompts, templates, the marks of typed packages.
SHIPPED = ("*.py", "*.sql", "*.md", "*.mako", "py.typed")
LOOK = """
import app
from app.client.access_file import AccessFile
from app.client.upload import ACCESS_FILE, scan_folder
from app.local.sample import Company
from app.local.sample_people import SAMPLE_FOLDER

folders = [SAMPLE_FOLDER / "company" / collection.name for collection in Company.read(SAMPLE_FOLDER).collections]
rules = [AccessFile.read(folder / ACCESS_FILE) for folder in folders]
print(app.__file__, sum(len(scan_folder(f, f.name, r.tags_for).items) for f, r in zip(folders, rules)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since setuptools takes what an earlier build left lying in its tree."""
    source, built = tmp_path_factory.mktemp("source") / "clearance", tmp_path_factory.mktemp("built")
    shutil.copytree(REPOSITORY, source, ignore=NOT_COPIED)
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    run(sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", str(built), str(source))
    [path] = built.iterdir()
    return path


@pytest.fixture(scope="module")
def outside(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, and with our environment's packages but for the editable repository."""
    place = tmp_path_factory.mktemp("outside")
    run(sys.executable, "-m", "venv", "--without-pip", str(place))
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    # A path file that is reached by way of another one is not followed, and ours leads to the repository.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    return place


def run(*command: str, cwd: Path | None = None, **settings: str) -> str:
    """What it prints. Nothing of our own environment reaches it but where programs are."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ} | settings
    ended = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=240)
    assert ended.returncode == 0, ended.stderr or ended.stdout
    return ended.stdout


def shipped() -> set[str]:
    """What the wheel must hold, as it lies in the repository."""
    found = {
        path for folder in ("app", "ingest", "migrations") for of in SHIPPED for path in (REPOSITORY / folder).rglob(of)
    }
    found |= {path for path in (REPOSITORY / "sample" / "company").rglob("*") if path.is_file()}
    found |= {REPOSITORY / "sample" / name for name in ("company.yaml", "questions.yaml")}
    return {path.relative_to(REPOSITORY).as_posix() for path in found}


def test_the_wheel_holds_what_runs_and_its_licence_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    information = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    assert shipped() - names == set()
    assert {f"{information}/licenses/{name}" for name in ("LICENSE", "NOTICE")} <= names
    assert {name.split("/")[0] for name in names} == {"app", "ingest", "migrations", "sample", information}
    assert not {name for name in names if name.startswith("sample/sources/")}


def test_the_wheel_runs_outside_the_tree(outside: Path, installation: dict[str, str], tmp_path: Path) -> None:
    """Commands, the migrations to the newest revision by `clearance init`, and the sample company."""
    clearance = str(outside / "bin" / "clearance")
    assert "Ask your company's documents" in run(clearance, "--help", cwd=tmp_path)
    place, documents = run(str(outside / "bin" / "python"), "-c", LOOK, cwd=tmp_path).split()
    assert Path(place).is_relative_to(outside)
    assert int(documents) == 83
    run(clearance, "init", cwd=tmp_path, **installation)
    engine = create_engine(installation[ADMIN_URL])
    with engine.connect() as connection:
        revision = connection.execute(text("select version_num from alembic_version")).scalar_one()
    engine.dispose()
    assert revision == ScriptDirectory.from_config(alembic_config("")).get_current_head()
