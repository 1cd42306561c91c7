"""The verifier of docs/ that needs nothing of ours finds what ours finds, and calls it the same."""

import ast
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import Head, merkle_root
from app.evidence.receipt import write_receipt
from app.evidence.signed_note import SigningKey
from app.evidence.verify import verify
from tests.support.environment import REPOSITORY
from tests.support.exported_log import entry, head_of, key_change, rehash, write
from tests.support.log_keys import LOG_KEY, NEXT_KEY, STRANGER_KEY, WITNESS_KEY
from tests.support.receipts import BODIES, records, signed_records
from tests.support.tampered_logs import CORPUS, EXTRA, Tampering
from tests.support.tampered_logs import LOG as ENTRIES

pytestmark = pytest.mark.slow

PROGRAM = REPOSITORY / "docs" / "verify_log.py"
LINES = 150


def run(path: Path, *options: str) -> set[str]:
    """The kinds of what it finds."""
    command = [sys.executable, "-I", str(PROGRAM), str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    kinds = {line.partition(":")[0] for line in done.stdout.splitlines()}
    assert done.returncode == (not next(iter(kinds)).startswith("OK"))
    return kinds - {"OK", "OK, by itself"}


def test_it_is_short_and_imports_the_standard_library_alone() -> None:
    code = PROGRAM.read_text("utf-8")
    assert sum(bool(line.strip()) for line in code.splitlines()) <= LINES
    imported = {
        alias.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import) for alias in node.names
    }
    assert "from " not in {line[:5] for line in code.splitlines()}
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize("tampering", CORPUS, ids=lambda tampering: tampering.name)
def test_the_corpus_is_named_alike(tmp_path: Path, tampering: Tampering) -> None:
    """A break that stops it from reading on is a matter of form for it; ours may go on and find more."""
    head = head_of(ENTRIES)
    path = write(tmp_path / "log.jsonl", tampering.do(ENTRIES, 4, 5), head=head)
    ours = {kind for kind, _ in tampering.expected(4, 5, len(ENTRIES))} - {"canonical"}
    found = run(path, "--head", str(head))
    assert found == {"format"} or (found and found <= ours)


@pytest.mark.parametrize("change", EXTRA.values(), ids=EXTRA)
def test_nothing_passes_that_no_export_writes(tmp_path: Path, change: Callable[[int], tuple[str, str]]) -> None:
    path = write(tmp_path / "log.jsonl", ENTRIES)
    assert run(path) == set()
    path.write_text(path.read_text().replace(*change(4)))
    assert verify(path).ok is False
    assert run(path) == {"format"}


def note(entries: Sequence[dict[str, Any]], key: SigningKey = LOG_KEY) -> str:
    return str(Checkpoint.sign(head_of(entries), [key]))


def test_signatures_are_checked(tmp_path: Path) -> None:
    key, witness = str(LOG_KEY.verifier), str(WITNESS_KEY.verifier)
    good = note(ENTRIES[:7])
    seen = good + str(WITNESS_KEY.sign(good.rpartition("\n\n")[0] + "\n", moment=1679315147))
    changed = [rehash({**e, "record": e["record"].replace("ck_ada", "ck_eve")}) for e in ENTRIES]
    chain = [*ENTRIES, key_change(11, NEXT_KEY, LOG_KEY, LOG_KEY)]
    stolen = [*ENTRIES, key_change(11, NEXT_KEY, LOG_KEY, NEXT_KEY)]
    cases: list[tuple[Sequence[Any], str | None, list[str], set[str]]] = [
        (ENTRIES, good, [key], set()),
        (ENTRIES, seen, [key, witness], set()),
        (ENTRIES, good, [key, witness], {"signature"}),
        (ENTRIES, None, [key], {"signature"}),
        (ENTRIES, note(ENTRIES, STRANGER_KEY), [key], {"signature"}),
        (ENTRIES, good.replace("\n7\n", "\n6\n"), [key], {"signature"}),
        (changed, good, [key], {"rewrite"}),
        (changed, note(changed), [key], set()),  # by whoever has the key
        (chain, note(chain, NEXT_KEY), [key], set()),
        (stolen, note(stolen, NEXT_KEY), [key], {"signature"}),
        (ENTRIES[:5], good, [key], {"truncation"}),
    ]
    for number, (entries, signed, keys, expected) in enumerate(cases):
        path = write(tmp_path / "log.jsonl", entries, note=signed)
        assert run(path, *(word for each in keys for word in ("--key", each))) == expected, number


def test_receipts_are_checked(tmp_path: Path) -> None:
    path, key = tmp_path / "receipt.json", str(LOG_KEY.verifier)
    text = write_receipt(signed_records())
    path.write_text(text)
    assert run(path, "--key", key) == set()
    assert run(path, "--key", str(STRANGER_KEY.verifier)) == {"signature"}
    path.write_text(text.replace("ck_ada", "ck_eve"))
    assert run(path, "--key", key) == {"edit"}
    other = [record for record, _ in records(uuid.UUID(int=71))]
    mixed = signed_records([BODIES[0], BODIES[1], other[0], other[1], *BODIES[4:]])
    for forged in (
        write_receipt(mixed),
        write_receipt(signed_records()[1:]),
        text + "FORGED\n",
        text + text,
        text.replace('"record":', '"record":"","record":'),
    ):
        path.write_text(forged)
        assert run(path, "--key", key) == {"format"}
    value = json.loads(text)
    value["records"][0]["opened"]["question"]["text"] = "another"
    path.write_text(json.dumps(value))
    assert run(path, "--key", key) == {"opened"}


def test_every_tree_up_to_seventy_is_computed_alike(tmp_path: Path) -> None:
    """Its own arithmetic of roots, held to the definition."""
    entries = [entry(n, "q") for n in range(70)]
    leaves = [head_of([each]).root for each in entries]
    path = write(tmp_path / "log.jsonl", entries)
    for size in (0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 69):
        head = Head(size, merkle_root(leaves[:size]))
        assert run(path, "--head", str(head)) == set()
        assert run(path, "--head", str(Head(size, bytes(32)))) == {"rewrite"}
