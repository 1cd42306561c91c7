"""The key that signs the log's heads of a local installation: made at the first run, one file for each half."""

import secrets
from pathlib import Path

from app.client.errors import UserError
from app.evidence.signed_note import BadKey, SigningKey
from app.local.secrets import read_private, write_new, write_private

FILE, PUBLIC_FILE = "audit-signing.key", "audit-signing.pub"


def open_signing_key(folder: Path) -> SigningKey:
    """Read `folder/audit-signing.key`, or create it; raises SecretsUnusable. Its public half lies beside it."""
    path = folder / FILE
    if not path.is_symlink() and not path.exists():
        # Unlike those of other installations, so that a witness takes no two logs for one.
        write_new(path, SigningKey.generate(f"clearance.local/{secrets.token_hex(6)}").secret() + "\n")
    try:
        key = SigningKey.parse(read_private(path))
    except BadKey as error:
        raise UserError(f"{path} is damaged ({error}): restore it from a backup") from error
    write_private(folder / PUBLIC_FILE, f"{key.verifier}\n")
    return key
