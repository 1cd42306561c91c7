"""Laws: any edit, drop, swap or truncation of an exported log is detected by who holds its head."""

import json
import random
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import app.evidence.log_checker
from app.evidence import merkle
from app.evidence.receipt import is_receipt, verify_receipt
from app.evidence.roots import Roots
from app.evidence.signed_note import VerifierKey
from app.evidence.verify import verify
from tests.laws.tampered_files import KINDS, Tampered, World, entries, untouched
from tests.support.environment import LAW_FACTOR, Report
from tests.support.exported_log import entry, head_of, rehash, write
from tests.support.stand_alone import stand_alone, verify_log
from tests.support.tampered_logs import Entries

LOG = [entry(n, f"question {n}") for n in range(13)]
HEAD = head_of(LOG)
PLACE = st.integers(0, len(LOG) - 1)

TRIALS = 1_000 if LAW_FACTOR > 1 else 10  # of each kind of tampering
# What our verifier says of a receipt, by what it is called for a log.
SAID_OF_RECEIPTS = {
    "was changed": "edit",
    "is not what was recorded": "opened",
    "none of the keys": "signature",
    "not those of one answer": "format",
}


def ours(file: Tampered) -> set[str]:
    """The kinds of what our verifier finds."""
    if not is_receipt(file.path.read_bytes()):
        return {finding.kind for finding in verify(file.path, head=file.head, trusted=file.keys).findings}
    wrong = verify_receipt(file.path.read_text(), trusted=file.keys).wrong
    found = {kind for line in wrong for said, kind in SAID_OF_RECEIPTS.items() if said in line}
    assert bool(found) == bool(wrong), wrong
    return found


def by_the_program(file: Tampered) -> set[str]:
    """The kinds of what the stand-alone verifier finds."""
    options = [word for key in file.keys for word in ("--key", str(key))]
    return stand_alone(file.path, *options, *(["--head", str(file.head)] if file.head else []))


def named(file: Tampered, found: set[str]) -> bool:
    """Whether the stand-alone verifier calls it by its name: it may stop at a form that it cannot read."""
    return found == {"format"} or (bool(found) and found <= file.expected - {"canonical"})


@pytest.fixture(scope="module")
def log_entries() -> Entries:
    return entries()


def unnamed(kind: str, world: World, trials: int) -> list[tuple[str, set[str]]]:
    """By which of the two a tampering was not called by its name, each time that one was not, and what it found."""
    found = list[tuple[str, set[str]]]()
    for _ in range(trials):
        file = KINDS[kind](world)
        for who, kinds in (("ours", ours(file)), ("stand-alone", by_the_program(file))):
            if not (kinds == file.expected if who == "ours" else named(file, kinds)):
                found.append((who, kinds))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_both_verifiers_name_every_kind_of_tampering_anywhere(
    kind: str, log_entries: Entries, tmp_path: Path, report: Report
) -> None:
    seed = secrets.randbits(32)
    missed = unnamed(kind, World(tmp_path, random.Random(seed), log_entries), TRIALS)
    misses = Counter(who for who, _ in missed)
    by_ours, alone = TRIALS - misses["ours"], TRIALS - misses["stand-alone"]
    report(f"{kind}: {TRIALS} times; named by ours {by_ours}, by the stand-alone verifier {alone}")
    assert missed == [], f"seed {seed}"


MUTANTS: dict[str, tuple[object, str, object, str, str]] = {
    "ours believes opened words": (
        app.evidence.log_checker, "opened_text_matches", lambda *_: True, "edit an opened text", "ours"),
    "ours believes any root": (Roots, "contradict", lambda *_: False, "changed under a stamped head", "ours"),
    "ours believes any signature": (VerifierKey, "signed", lambda *_: True, "with a forged signature", "ours"),
    "it believes opened words": (verify_log, "wrong_words", lambda *_: (), "edit an opened text", "stand-alone"),
    "it believes any signature": (verify_log, "made_by", lambda *_: True, "with a forged signature", "stand-alone"),
    "it reads any line": (verify_log, "only", lambda value, *_: value, "write beside a record", "stand-alone"),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_verifier_that_looks_away_is_found(
    mutant: str, log_entries: Entries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, instead, kind, who = MUTANTS[mutant]
    monkeypatch.setattr(where, name, instead)
    missed = unnamed(kind, World(tmp_path, random.Random(1), log_entries), 5)
    assert {each for each, _ in missed} == {who}


def test_a_file_that_nobody_touched_is_found_right(log_entries: Entries, tmp_path: Path) -> None:
    """Else a verifier that finds fault with everything would pass."""
    world = World(tmp_path, random.Random(secrets.randbits(32)), log_entries)
    for _ in range(TRIALS // 5):
        for file in untouched(world):
            assert ours(file) == by_the_program(file) == set()


plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-merkle.MAX_INTEGER, merkle.MAX_INTEGER) | plain,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=126, min_codepoint=1), max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


@st.composite
def tampered(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A log that differs from LOG in records or order, with its numbers and hashes made to fit or not."""
    log = list(LOG)
    for _ in range(draw(st.integers(1, 3))):
        here = draw(st.integers(0, max(len(log) - 1, 0)))
        match draw(st.sampled_from(["edit", "drop", "swap", "truncate", "repeat"])):
            case "edit" if log:
                record = json.loads(log[here]["record"])
                record["policy_epoch"] = draw(st.integers(100, 200))
                log[here] = {**log[here], "record": merkle.canonical(record)}
            case "drop":
                log = log[:here] + log[here + 1 :]
            case "swap" if log:
                there = draw(st.integers(0, len(log) - 1))
                log[here], log[there] = log[there], log[here]
            case "truncate":
                log = log[:here]
            case "repeat" if log:
                log.insert(draw(st.integers(0, len(log))), log[here])
    if draw(st.booleans()):
        log = [{**e, "seq": n} for n, e in enumerate(log)]
    if draw(st.booleans()):
        log = [rehash(e) for e in log]
    return log


@settings(max_examples=300 * LAW_FACTOR)
@given(tampered(), st.booleans())
def test_any_tampering_is_detected_given_the_head(log: list[dict[str, Any]], new_head: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "log.jsonl", log, head=None if new_head else HEAD)
        begins_as_it_was = [e["record"] for e in log[: len(LOG)]] == [e["record"] for e in LOG]
        numbered = [e["seq"] for e in log] == list(range(len(log)))
        grew = begins_as_it_was and numbered and new_head and len({e["record"] for e in log}) == len(log)
        report = verify(path, head=HEAD)
        assert report.ok == (log == LOG or grew)
        # The one in docs/, of which nothing is ours, may stop earlier, but finds the same logs wrong, by our names.
        found = stand_alone(path, "--head", str(HEAD))
        assert bool(found) != report.ok
        assert found <= {finding.kind for finding in report.findings}


@settings(max_examples=300 * LAW_FACTOR)
@given(st.data())
def test_any_changed_byte_of_a_record_line_is_detected(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "log.jsonl", LOG)
        lines = path.read_bytes().splitlines(keepends=True)
        number = data.draw(st.integers(1, len(LOG)))
        at = data.draw(st.integers(0, len(lines[number]) - 2))
        byte = data.draw(st.integers(0, 255).filter(lambda b: b not in (lines[number][at], ord("\n"))))
        changed = lines[number][:at] + bytes([byte]) + lines[number][at + 1 :]
        path.write_bytes(b"".join([*lines[:number], changed, *lines[number + 1 :]]))
        try:  # a change between two tokens, or in how a letter is spelt, says the same
            same = json.loads(changed.decode()) == json.loads(lines[number])
        except ValueError:
            same = False
        assert verify(path, head=HEAD).ok == same


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_frontier_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    frontier = merkle.Frontier()
    for count, leaf in enumerate(leaves):
        frontier = merkle.Frontier(count, frontier.nodes)  # as the sequencer does: taken up again from what was stored
        frontier.append(leaf)
    assert frontier.root() == merkle.merkle_root(leaves)


@given(values)
def test_canonical_json_round_trips(value: Any) -> None:
    text = merkle.canonical(value)
    assert merkle.parse(text) == value
    assert merkle.canonical(json.loads(json.dumps(value, sort_keys=False))) == text


@given(values, values)
def test_different_values_have_different_texts(one: Any, two: Any) -> None:
    as_json = [json.dumps(v, sort_keys=True) for v in (one, two)]
    assert (merkle.canonical(one) == merkle.canonical(two)) == (as_json[0] == as_json[1])
