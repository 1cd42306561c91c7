"""`make`'s installer behind a company's proxy: an index on loopback whose certificate only a private CA has signed.

Real pip, the pinned uv, real TLS; as root and as a user. What is missing is named with its cure, in one line.
"""

import functools
import hashlib
import http.server
import io
import os
import shutil
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.certificates import certified
from tests.support.environment import REPOSITORY

NOBODY = 65534
INSTALL = REPOSITORY / "deploy" / "install.py"
BACKEND = """
import os, shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    return os.path.basename(shutil.copy("project-1.0-py3-none-any.whl", folder))
"""
PROJECT = """
[project]
name = "project"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def wheel(name: str) -> bytes:
    """A package of one empty module."""
    files = {
        f"{name}.py": "",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in (files | {f"{name}-1.0.dist-info/RECORD": "".join(f"{path},,\n" for path in files)}).items():
            archive.writestr(path, text)
    return content.getvalue()


WHEELS = {name: wheel(name) for name in ("first", "second")}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of the index, and the file with its CA."""
    folder, pages = tmp_path_factory.mktemp("certificates"), tmp_path_factory.mktemp("index")
    authority = certified(name="Company CA")
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(certified(name="index", issuer=authority, host="localhost").pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    for name, content in WHEELS.items():
        page = pages / "simple" / name
        page.mkdir(parents=True)
        file = page / f"{name}-1.0-py3-none-any.whl"
        file.write_bytes(content)
        (page / "index.html").write_text(f'<!DOCTYPE html><a href="{file.name}">{file.name}</a>')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(pages))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/simple", folder / "ca.pem"
    server.shutdown()
    server.server_close()


@pytest.fixture
def project() -> Iterator[Path]:
    """A project as ours is laid out, with two packages pinned; in a folder that every user can reach."""
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    folder.chmod(0o755)
    (folder / "deploy").mkdir()
    shutil.copy(INSTALL, folder / "deploy" / "install.py")
    for name, lock in (("first", "requirements-boot.lock"), ("second", "requirements.lock")):
        digest = hashlib.sha256(WHEELS[name]).hexdigest()
        (folder / lock).write_text(f"{name}==1.0 --hash=sha256:{digest}\n")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "project-1.0-py3-none-any.whl").write_bytes(wheel("project"))
    yield folder
    shutil.rmtree(folder)


def as_user(user: int) -> list[str]:
    """What goes before a command that this user is to run."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []


@functools.cache
def python_of(user: int) -> str:
    """A Python outside of our own .venv that this user can start, and that can make a .venv."""
    own = str(Path(sys._base_executable).resolve())  # type: ignore[attr-defined]  # undocumented, and what venv uses
    for python in (own, *(f"/usr/bin/python3.{minor}" for minor in (14, 13, 12, 11))):
        probe = [*as_user(user), python, "-c", "import ensurepip, os, sys; os.execv(sys.executable, ['python', '-V'])"]
        try:
            if subprocess.run(probe, capture_output=True, check=False, cwd="/").returncode == 0:
                return python
        except OSError:
            continue
    return pytest.skip(f"user {user} can start no Python 3.11 or newer that has venv")


def install(project: Path, step: str, user: int, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """One step, with nothing of this machine's own settings."""
    python = python_of(user)
    base = {"PATH": os.environ["PATH"], "HOME": str(project), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CACHE": "1"}
    argv = [*as_user(user), python, "deploy/install.py", step]
    return subprocess.run(
        argv, cwd=project, env={**base, **environ}, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    ("user", "index_variable", "certificate_variable"),
    [(0, "UV_DEFAULT_INDEX", "REQUESTS_CA_BUNDLE"), (NOBODY, "PIP_INDEX_URL", "SSL_CERT_FILE")],
)
def test_both_tools_take_index_and_certificate_from_either_variable(
    index: tuple[str, Path], project: Path, user: int, index_variable: str, certificate_variable: str
) -> None:
    """pip reads none of uv's variables, uv none of pip's, and an old pip not SSL_CERT_FILE: each step fails without."""
    if os.geteuid() != 0 and user == 0:
        pytest.skip("root alone can be root")
    if user and os.geteuid() == 0:
        os.chown(project, user, user)
    url, ca = index
    readable = project / "ca.pem"
    shutil.copy(ca, readable)
    readable.chmod(0o644)
    environ = {index_variable: url, certificate_variable: str(readable)}
    ended = install(project, "uv", user if os.geteuid() == 0 else 0, environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shutil.copy(Path(sys.prefix) / "bin" / "uv", project / ".venv" / "bin" / "uv")
    ended = install(project, "run", user if os.geteuid() == 0 else 0, environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    packages = next((project / ".venv" / "lib").iterdir()) / "site-packages"
    assert (packages / "first.py").exists()
    assert (packages / "second.py").exists()
    assert (packages / "second.py").stat().st_uid == (user or os.geteuid())


def test_a_certificate_that_nothing_trusts_is_named_with_its_cure(index: tuple[str, Path], project: Path) -> None:
    ended = install(project, "uv", 0, {"PIP_INDEX_URL": index[0], "PIP_RETRIES": "1"})
    assert ended.returncode == 1
    assert "SSL_CERT_FILE=/path/to/ca.pem make run" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can be another user")
def test_a_folder_of_somebody_else_is_refused_before_anything_is_made(index: tuple[str, Path], project: Path) -> None:
    ended = install(project, "uv", NOBODY, {"PIP_INDEX_URL": index[0]})
    assert ended.returncode == 1
    assert "is not yours to write to" in ended.stderr
    assert not (project / ".venv").exists()
