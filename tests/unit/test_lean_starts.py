"""What a process does not import at its start: each of these costs its readers a tenth of a second or several MB."""

import subprocess
import sys

import pytest

from tests.support.environment import REPOSITORY

pytestmark = pytest.mark.slow

# A module that a process starts with, and what it may not have imported then.
LEAN = {
    "app.server": ("openai", "alembic", "scim2_models", "scim2_server", "sentence_transformers", "ldap3"),
    "app.local.run": ("sqlalchemy", "alembic", "numpy", "xllamacpp"),
    "app.local.sample": ("sqlalchemy", "alembic", "numpy"),
    "ingest.__main__": ("sqlalchemy", "numpy", "onnxruntime", "docx", "app.db.session", "ingest.pipeline"),
    "app.sequencer_process": ("fastapi", "rfc3161_client"),
    "app.delivery_process": ("fastapi", "obstore", "pyarrow", "rfc3161_client"),
    "app.evidence.verify": ("cryptography", "rfc3161_client"),
    "app.local.bundled_model": ("xllamacpp", "structlog"),
}


@pytest.mark.parametrize("module", LEAN)
def test_it_starts_without(module: str) -> None:
    program = f"import sys, {module}\nprint([name for name in {LEAN[module]!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
