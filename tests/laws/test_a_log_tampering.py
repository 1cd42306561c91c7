"""Laws: any edit, drop, swap or truncation of an exported log is detected by who holds its head."""

import importlib.util
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.evidence import merkle
from app.evidence.verify import verify
from tests.support.environment import REPOSITORY
from tests.support.exported_log import entry, head_of, rehash, write

LOG = [entry(n, f"question {n}") for n in range(13)]
HEAD = head_of(LOG)
PLACE = st.integers(0, len(LOG) - 1)

PROGRAM = importlib.util.spec_from_file_location("verify_log", REPOSITORY / "docs" / "verify_log.py")
assert PROGRAM is not None
assert PROGRAM.loader is not None
verify_log = importlib.util.module_from_spec(PROGRAM)
PROGRAM.loader.exec_module(verify_log)


def stand_alone(path: Path) -> set[str]:
    """The kinds of what the stand-alone verifier finds, with the head that was kept."""
    first, *rest = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {
        line.partition(":")[0] for line in verify_log.export(first, rest[:-1], rest[-1], [], (HEAD.size, HEAD.root))
    }


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


@settings(max_examples=300)
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
        found = stand_alone(path)
        assert bool(found) != report.ok
        assert found <= {finding.kind for finding in report.findings}


@settings(max_examples=300)
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
