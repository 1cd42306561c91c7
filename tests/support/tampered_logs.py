"""A corpus of exports that were tampered with, and what each is to be called."""

import json
from collections.abc import Callable
from typing import Any

from app.evidence import merkle
from tests.support.exported_log import entry, head_of, rehash

Entries = list[dict[str, Any]]
LOG: Entries = [entry(n, f"question {n}") for n in range(11)]
HEAD = head_of(LOG)


def edited(e: dict[str, Any]) -> dict[str, Any]:
    record = json.loads(e["record"])
    record["actor"]["name"] = "Eve"
    return {**e, "record": merkle.canonical(record)}


WORDS = LOG[4]["opened"]["query"]


def opening(words: object, name: str = "query") -> Callable[[Entries], Entries]:
    """The fifth entry, with these words opened."""
    return lambda log: [*log[:4], {**log[4], "opened": {name: words}}, *log[5:]]


def respelled(log: Entries) -> Entries:
    return [*log[:4], rehash({**log[4], "record": log[4]["record"].replace(",", ", ")}), *log[5:]]


CORPUS: list[tuple[str, Callable[[Entries], Entries], set[tuple[str, int | None]]]] = [
    ("edit a record", lambda g: [*g[:4], edited(g[4]), *g[5:]], {("edit", 4)}),
    ("edit a leaf hash", lambda g: [*g[:4], {**g[4], "leaf_hash": g[5]["leaf_hash"]}, *g[5:]], {("edit", 4)}),
    ("break a leaf hash", lambda g: [*g[:4], {**g[4], "leaf_hash": "?"}, *g[5:]], {("edit", 4)}),
    ("edit both", lambda g: [*g[:4], rehash(edited(g[4])), *g[5:]], {("rewrite", None)}),
    ("drop one", lambda g: [*g[:4], *g[5:]], {("drop", 4)}),
    ("drop the first", lambda g: g[1:], {("drop", 0)}),
    ("drop three", lambda g: [*g[:4], *g[7:]], {("drop", 4)}),
    ("drop two apart", lambda g: [*g[:2], *g[3:8], *g[9:]], {("drop", 2), ("drop", 8)}),
    ("truncate", lambda g: g[:7], {("truncation", 7)}),
    ("swap two lines", lambda g: [*g[:4], g[5], g[4], *g[6:]], {("reorder", 4)}),
    ("move one to the end", lambda g: [*g[:4], *g[5:], g[4]], {("reorder", 4)}),
    (
        "swap two records, not their numbers",
        lambda g: [*g[:4], {**g[5], "seq": 4}, {**g[4], "seq": 5}, *g[6:]],
        {("rewrite", None)},
    ),
    ("repeat a line", lambda g: [*g[:5], g[4], *g[5:]], {("duplicate", 4)}),
    (
        "repeat a record under the next number",
        lambda g: [*g[:5], {**g[4], "seq": 5}, *g[6:]],
        {("duplicate", 5), ("rewrite", None)},
    ),
    ("add one", lambda g: [*g, entry(11, "never asked")], {("addition", 11)}),
    ("edit an opened text", opening({**WORDS, "text": "another question"}), {("opened", 4)}),
    ("edit an opened salt", opening({**WORDS, "salt": LOG[5]["opened"]["query"]["salt"]}), {("opened", 4)}),
    ("open what was not recorded", opening(WORDS, "answer"), {("opened", 4)}),
    # Whatever key they stand under: the record itself and all hashes are as they were.
    ("open words under another key", opening({"salt": "AAAA", "Text": "FORGED"}), {("opened", 4)}),
    ("open words beside the right ones", opening({**WORDS, "Text": "FORGED"}), {("opened", 4)}),
    ("open words beside erased ones", opening({"erased": True, "note": "FORGED"}), {("opened", 4)}),
    ("open words beside unreadable ones", opening({"unreadable": True, "text": "FORGED"}), {("opened", 4)}),
    ("open a salt alone where the text was kept", opening({"salt": WORDS["salt"]}), {("opened", 4)}),
    ("open a salt of what was never recorded", opening({"salt": WORDS["salt"]}, "prompt"), {("opened", 4)}),
    ("erase words that were never recorded", opening({"erased": True}, "prompt"), {("opened", 4)}),
    ("open words that are no object", opening("FORGED"), {("opened", 4)}),
    ("respell a record", respelled, {("canonical", 4), ("opened", 4), ("rewrite", None)}),
    ("write beside a record", lambda g: [*g[:4], {**g[4], "note": 1}, *g[5:]], {("format", 4)}),
    ("renumber with a string", lambda g: [*g[:4], {**g[4], "seq": "4"}, *g[5:]], {("format", None), ("drop", 4)}),
]


EXTRA = {
    "the header": ('"version": 1,', '"version": 1, "note": "FORGED",'),
    "the header's range": ('"first": 0,', '"first": 0, "note": "FORGED",'),
    "an entry": ('"seq": 4,', '"seq": 4, "note": "FORGED",'),
    "the head": ('"head": {', '"head": {"note": "FORGED", '),
    "the head's line": ('{"head":', '{"note": "FORGED", "head":'),
    "a filter that is no text": ('"filters": {}', '"filters": {"kind": ["FORGED"]}'),
    "a selection that says it is whole": ('"filters": {}', '"filters": {"kind": "search.done"}'),
    "a key that stands twice": ('"text": "question 4"', '"text": "FORGED", "text": "question 4"'),
}
