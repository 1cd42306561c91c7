"""No memory across callers depends on what somebody asked or was shown: else time would tell it (promise N3).

What no other test holds: the work that one request does after another one with the same words, in one process.
"""

import ast
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from app.answer.quotes.select import QuoteSelector
from app.embedding.hashed import HashedEmbedder
from app.guardrail.checks import default_checks
from app.guardrail.gate import redact
from app.indexing.analysis import stems
from app.indexing.terms import field_terms, query_terms, terms, words_in
from app.retrieval import highlight
from app.retrieval.duplicates import alike
from app.retrieval.highlight import Marker
from tests.support.environment import REPOSITORY
from tests.support.passages import passage
from tests.support.quotes import material

# Decorators and classes that keep results for the whole process, and what may have one: its keys are no text.
KEEPERS = {
    "lru_cache",
    "cache",
    "cached",
    "memoize",
    "WeakKeyDictionary",
    "WeakValueDictionary",
    "TTLCache",
    "LRUCache",
}
MAY_KEEP = {
    "app/audit/export_forms/cef.py:_header",  # by the kinds of records, which are ours
    "app/audit/export_forms/ocsf.py:_classified",  # by the classes of events, which are ours
    "app/audit/export_forms/parquet.py:schema",  # of nothing: the columns
    "app/guardrail/cues.py:_data",  # of nothing: our own words
    "app/guardrail/cues.py:names",  # by the sort of value, when the checks are made
    "app/guardrail/explain.py:_rules",  # of nothing: what our checks are called
    "app/guardrail/groups.py:group_checks",  # by the checks, which are the same for all texts
    "app/indexing/quantizer.py:quantizer_for",  # by the number of dimensions
    "app/web/scim/provider.py:scim_provider",  # of nothing: what SCIM is told of our schemas
}
# Commands and what measures run in processes of their own.
APART = ("app/cli/", "app/local/", "app/evaluation/")

TEXT = (
    "Parental leave lasts fourteen weeks. Straßenbahnen kündigen rétroactivement; see max_retry_count and 東京タワー. "
)
UNCOMMON = "\u13a0\u2c80\U00010330\ufb01"  # letters that no table holds beforehand
CHECKS = default_checks()
OTHER = "Unrelated warming words so that each stemmer of this thread is there: уже книги λόγος كتاب."
WORK: dict[str, Callable[[], object]] = {
    "highlights": lambda: Marker(query_terms("weeks of parental leave")).snippet(TEXT * 3, length=200),
    "terms of a question": lambda: query_terms(TEXT),
    "terms of a passage": lambda: field_terms("Leave", ["Parents"], TEXT),
    "terms": lambda: terms(TEXT),
    "quotes": lambda: QuoteSelector(material("How long is parental leave?", [passage(TEXT)])).choose(),
    "near-copies": lambda: alike(TEXT, TEXT + "more"),
    "redaction": lambda: redact(f"{TEXT} {UNCOMMON} mail@example.org", CHECKS).text,
    "a test vector": lambda: HashedEmbedder().embed_query(TEXT),
}


def keepers(source: str) -> list[str]:
    """The names of what a module keeps results with, for the whole process; of what is called there, that it is."""
    found, decorators = list[str](), set[int]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == "__missing__" and _stores(node):
            found.append(node.name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators |= {id(each) for each in node.decorator_list}
            found += [node.name for each in node.decorator_list if _keeps(each)]
        elif isinstance(node, ast.Call) and id(node) not in decorators and _keeps(node):
            found.append("(called)")
    return found


def _keeps(node: ast.expr) -> bool:
    name = node.func if isinstance(node, ast.Call) else node
    return (name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")) in KEEPERS


def _stores(function: ast.FunctionDef) -> bool:
    """Whether it puts something under a key."""
    return any(isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) for node in ast.walk(function))


def test_nothing_keeps_results_by_a_text() -> None:
    kept = {
        f"{path.relative_to(REPOSITORY)}:{name}"
        for path in (REPOSITORY / "app").rglob("*.py")
        if not str(path.relative_to(REPOSITORY)).startswith(APART)
        for name in keepers(path.read_text("utf-8"))
    }
    assert kept == MAY_KEEP


def test_what_keeps_results_would_be_found() -> None:
    """Test of the test: as a decorator, called or not, by its module, and around a function."""
    for line in ("@lru_cache(maxsize=9)\ndef f(x): ...", "@functools.cache\ndef f(x): ...", "f = lru_cache(9)(g)"):
        assert keepers(line), line
    assert keepers("@cache\ndef f(x): ...\ng = lru_cache(9)(f)") == ["f", "(called)"]
    assert keepers("class T(dict):\n def __missing__(self, key):\n  self[key] = f(key)\n  return self[key]")
    assert not keepers("@property\ndef f(x): return cast(str, x)")


def calls(act: Callable[[], object]) -> int:
    """How many functions are called, those written in C too."""
    count = 0

    def seen(_frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("what", WORK)
def test_the_second_caller_costs_what_the_first_cost(what: str) -> None:
    for text in (OTHER, OTHER.upper()):
        Marker(query_terms(text)).snippet(text, length=50)
        field_terms(text, [text], text)
        QuoteSelector(material(text, [passage(text)])).choose()
        alike(text, text)
        HashedEmbedder().embed_query(text)
        redact(text, CHECKS)
    first = calls(WORK[what])
    assert first > 5
    assert calls(WORK[what]) == first


def test_a_memory_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test of the test: with a memory of word forms for all callers, the second one does less."""
    known: dict[str, dict[str, frozenset[int]]] = {}

    def remembered(given: list[str], words: Any) -> dict[str, frozenset[int]]:
        return known.setdefault(" ".join(given), words_in(given, words))

    def remembering(given: list[str], words: Any) -> dict[str, frozenset[int]]:
        return known[" ".join(given)] if " ".join(given) in known else remembered(given, words)

    monkeypatch.setattr(highlight, "words_in", remembering)
    first = calls(WORK["highlights"])
    assert calls(WORK["highlights"]) < first


def test_the_stemmers_remember_no_word() -> None:
    """The library keeps ten thousand words unless told otherwise, where no call shows it."""
    stems.stem("word", "en")
    assert stems._stemmer("english").maxCacheSize == 0
