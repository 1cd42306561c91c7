"""The secrets of a local installation, generated at the first run and kept in a file that only its owner can read."""

import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Self

from app.client.errors import UserError

FILE = "secrets.json"
# Missing in files of earlier installations, and then derived from another secret, so that all readers agree.
DERIVED = ("search_password", "delivery_password")


class SecretsUnusable(UserError):
    """The secrets file cannot be trusted or read; the message says what to do."""


def _secret() -> str:
    return field(repr=False, default_factory=lambda: secrets.token_hex(32))


@dataclass(frozen=True, kw_only=True)
class LocalSecrets:
    """Each is 32 random bytes in hex, and hidden from repr. Passwords are those of database roles."""

    superuser_password: str = _secret()
    owner_password: str = _secret()
    app_password: str = _secret()
    ingest_password: str = _secret()
    sequencer_password: str = _secret()
    backup_password: str = _secret()
    search_password: str = _secret()
    delivery_password: str = _secret()
    identity_key: str = _secret()
    audit_key: str = _secret()
    model_api_key: str = _secret()
    metrics_key: str = _secret()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read `folder/secrets.json`, or create it; raises SecretsUnusable.

        The folder gets mode 0700. If two processes create the file at once, both get the secrets of the first.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        path = folder / FILE
        if not path.is_symlink() and not path.exists():
            write_new(path, json.dumps(asdict(cls()), indent=2))
        return cls(**_read(path, {item.name for item in fields(cls)}))

    def role_passwords(self) -> dict[str, str]:
        return {
            "clearance_owner": self.owner_password,
            "clearance_app": self.app_password,
            "clearance_ingest": self.ingest_password,
            "clearance_sequencer": self.sequencer_password,
            "clearance_backup": self.backup_password,
            "clearance_search": self.search_password,
            "clearance_delivery": self.delivery_password,
        }


def write_private(path: Path, text: str) -> None:
    """Replace `path` atomically by a file with mode 0600."""
    _write_beside(path, text).replace(path)


def write_new(path: Path, text: str) -> None:
    """Create `path` with mode 0600; where it is there already, it stays as it is."""
    work = _write_beside(path, text)
    try:
        os.link(work, path)  # unlike a rename, this never replaces a file of another process
    except FileExistsError:
        pass
    finally:
        work.unlink()


def _write_beside(path: Path, text: str) -> Path:
    work = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return work


def read_private(path: Path) -> str:
    """The text of a file that nobody else can read; raises SecretsUnusable for any other one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise SecretsUnusable(f"cannot read {path}: {error.strerror}") from error
    with os.fdopen(descriptor, encoding="utf-8") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            raise SecretsUnusable(f"others can read {path}: make new secrets, or run chmod 600 if nobody did")
        if status.st_uid not in (os.geteuid(), 0):
            raise SecretsUnusable(f"{path} belongs to another user")
        return file.read()


def _read(path: Path, names: set[str]) -> dict[str, str]:
    text = read_private(path)
    try:
        data = json.loads(text)
    except ValueError as error:
        raise SecretsUnusable(f"{path} is damaged: restore it from a backup") from error
    if isinstance(data, dict) and isinstance(data.get("owner_password"), str):
        for name in set(DERIVED) - set(data):
            data[name] = hmac.new(data["owner_password"].encode(), name.encode(), hashlib.sha256).hexdigest()
    if not isinstance(data, dict) or set(data) != names or not all(isinstance(v, str) and v for v in data.values()):
        raise SecretsUnusable(f"{path} does not hold exactly {', '.join(sorted(names))}")
    return data
