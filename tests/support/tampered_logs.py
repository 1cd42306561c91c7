"""A corpus of exports that were tampered with, at any place, and what each is to be called."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.evidence import merkle
from tests.support.exported_log import entry, head_of, rehash

Entries: TypeAlias = list[dict[str, Any]]
# Kinds of findings, and at which entry.
Found: TypeAlias = set[tuple[str, int | None]]
LOG: Entries = [entry(n, f"question {n}") for n in range(11)]
HEAD = head_of(LOG)
# Two places in LOG, the first before the second: near one another, apart, and at both ends.
PLACES = ((4, 5), (4, 7), (0, 10))


@dataclass(frozen=True)
class Tampering:
    """`do` changes a log at two places, the first before the second; `expected` is what is found for it in a log of so
    many entries, given its head.
    """

    name: str
    do: Callable[[Entries, int, int], Entries]
    expected: Callable[[int, int, int], Found]


def put(log: Entries, here: int, changed: dict[str, Any]) -> Entries:
    return [*log[:here], changed, *log[here + 1 :]]


def edited(e: dict[str, Any]) -> dict[str, Any]:
    record = json.loads(e["record"])
    record["actor"]["key"] = "ck_eve"
    return {**e, "record": merkle.canonical(record)}


def respelled(e: dict[str, Any]) -> dict[str, Any]:
    return rehash({**e, "record": e["record"].replace(",", ", ")})


def bare(e: dict[str, Any]) -> dict[str, Any]:
    """What is left of an entry that was pruned."""
    return {"seq": e["seq"], "leaf_hash": e["leaf_hash"], "record": None}


def swapped(g: Entries, here: int, there: int) -> Entries:
    return put(put(g, here, g[there]), there, g[here])


def words(e: dict[str, Any]) -> dict[str, str]:
    """The words of its query, as the entry opens them."""
    found: dict[str, str] = e["opened"]["query"]
    return found


def opening(make: Callable[[dict[str, str]], object], name: str = "query") -> Callable[[Entries, int, int], Entries]:
    """With other words opened at the first place."""
    return lambda g, here, _: put(g, here, {**g[here], "opened": {name: make(words(g[here]))}})


def here(*kinds: str) -> Callable[[int, int, int], Found]:
    """These kinds, at the first place."""
    return lambda h, t, n: {(kind, h) for kind in kinds}


def rewrite(h: int, t: int, n: int) -> Found:
    return {("rewrite", None)}


def gaps(missing: set[int], size: int) -> Found:
    """What is found where these entries are not there."""
    last = max(set(range(size)) - missing, default=-1)
    inner = {n for n in missing if n < last}
    cut: Found = {("truncation", last + 1)} if last + 1 < size else set()
    return {("drop", n) for n in inner if n - 1 not in inner} | cut


CORPUS = [
    Tampering("edit a record", lambda g, h, t: put(g, h, edited(g[h])), here("edit")),
    Tampering("edit a leaf hash", lambda g, h, t: put(g, h, {**g[h], "leaf_hash": g[t]["leaf_hash"]}), here("edit")),
    Tampering("break a leaf hash", lambda g, h, t: put(g, h, {**g[h], "leaf_hash": "?"}), here("edit")),
    Tampering("take a record away", lambda g, h, t: put(g, h, bare(g[h])), here("drop")),
    Tampering("take a record away, not its words", lambda g, h, t: put(g, h, {**g[h], "record": None}),
              here("drop", "opened")),
    Tampering("edit both", lambda g, h, t: put(g, h, rehash(edited(g[h]))), rewrite),
    Tampering("drop one", lambda g, h, t: [*g[:h], *g[h + 1 :]], here("drop")),
    Tampering("drop the first", lambda g, h, t: g[1:], lambda h, t, n: {("drop", 0)}),
    Tampering("drop several", lambda g, h, t: [*g[:h], *g[t:]], here("drop")),
    Tampering(
        "drop two", lambda g, h, t: [*g[:h], *g[h + 1 : t], *g[t + 1 :]], lambda h, t, n: gaps({h, t}, n)
    ),
    Tampering("truncate", lambda g, h, t: g[:t], lambda h, t, n: {("truncation", t)}),
    Tampering("swap two lines", swapped, lambda h, t, n: {("reorder", seq) for seq in range(h, t)}),
    Tampering("move one to the end", lambda g, h, t: [*g[:h], *g[h + 1 :], g[h]], here("reorder")),
    Tampering(
        "swap two records, not their numbers",
        lambda g, h, t: put(put(g, h, {**g[t], "seq": h}), t, {**g[h], "seq": t}),
        rewrite,
    ),
    Tampering("repeat a line", lambda g, h, t: [*g[:t], g[h], *g[t:]], here("duplicate")),
    Tampering(
        "repeat a record under a later number",
        lambda g, h, t: put(g, t, {**g[h], "seq": t}),
        lambda h, t, n: {("duplicate", t), ("rewrite", None)},
    ),
    Tampering("add one", lambda g, h, t: [*g, entry(len(g), "never asked")], lambda h, t, n: {("addition", n)}),
    Tampering("edit an opened text", opening(lambda w: {**w, "text": "another question"}), here("opened")),
    Tampering(
        "edit an opened salt",
        lambda g, h, t: put(g, h, {**g[h], "opened": {"query": {**words(g[h]), "salt": words(g[t])["salt"]}}}),
        here("opened"),
    ),
    Tampering("open what was not recorded", opening(lambda w: w, "answer"), here("opened")),
    # Whatever key they stand under: the record itself and all hashes are as they were.
    Tampering("open words under another key", opening(lambda _: {"salt": "AAAA", "Text": "FORGED"}), here("opened")),
    Tampering("open words beside the right ones", opening(lambda w: {**w, "Text": "FORGED"}), here("opened")),
    Tampering("open words beside erased ones", opening(lambda _: {"erased": True, "note": "FORGED"}), here("opened")),
    Tampering(
        "open words beside unreadable ones", opening(lambda _: {"unreadable": True, "text": "FORGED"}), here("opened")
    ),
    Tampering("open a salt alone where the text was kept", opening(lambda w: {"salt": w["salt"]}), here("opened")),
    Tampering("open a salt of what was never recorded", opening(lambda w: {"salt": w["salt"]}, "prompt"),
              here("opened")),
    Tampering("erase words that were never recorded", opening(lambda _: {"erased": True}, "prompt"), here("opened")),
    Tampering("open words that are no object", opening(lambda _: "FORGED"), here("opened")),
    Tampering(
        "respell a record",
        lambda g, h, t: put(g, h, respelled(g[h])),
        lambda h, t, n: {("canonical", h), ("opened", h), ("rewrite", None)},
    ),
    Tampering("write beside a record", lambda g, h, t: put(g, h, {**g[h], "note": 1}), here("format")),
    Tampering(
        "renumber with a string",
        lambda g, h, t: put(g, h, {**g[h], "seq": str(h)}),
        lambda h, t, n: {("format", None), ("drop", h)},
    ),
]  # fmt: skip

# Where every hash was made to fit, the head of the file too: given the head that was kept.
REWRITES = [
    Tampering("edit and hash anew", lambda g, h, t: put(g, h, rehash(edited(g[h]))), rewrite),
    Tampering(
        "drop and renumber",
        lambda g, h, t: [*g[:h], *({**e, "seq": e["seq"] - 1} for e in g[h + 1 :])],
        lambda h, t, n: {("truncation", n - 1)},
    ),
    Tampering("truncate and sign off", lambda g, h, t: g[:t], lambda h, t, n: {("truncation", t)}),
    Tampering("empty", lambda g, h, t: [], lambda h, t, n: {("truncation", 0)}),
    Tampering("replace all", lambda g, h, t: [entry(n, "all new") for n in range(len(g) + t)], rewrite),
]

# Text of a file, and what it is replaced by, at an entry. A `format` each.
EXTRA: dict[str, Callable[[int], tuple[str, str]]] = {
    "the header": lambda h: ('"version": 1,', '"version": 1, "note": "FORGED",'),
    "the header's range": lambda h: ('"first": 0,', '"first": 0, "note": "FORGED",'),
    "an entry": lambda h: (f'"seq": {h},', f'"seq": {h}, "note": "FORGED",'),
    "the head": lambda h: ('"head": {', '"head": {"note": "FORGED", '),
    "the head's line": lambda h: ('{"head":', '{"note": "FORGED", "head":'),
    "a filter that is no text": lambda h: ('"filters": {}', '"filters": {"kind": ["FORGED"]}'),
    "a selection that says it is whole": lambda h: ('"filters": {}', '"filters": {"kind": "search.done"}'),
    "a key that stands twice": lambda h: (f'"text": "question {h}"', f'"text": "FORGED", "text": "question {h}"'),
}
