"""Canonical JSON, RFC 6962 hashing, heads."""

import subprocess
import sys

import pytest

from app.evidence import merkle

# Inputs and roots of the reference implementation's test data for RFC 6962.
LEAVES = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes(range(0x60, 0x70))
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "é\n\u001f"]}, '{"a":[true,null,"é\\n\\u001f"],"b":1}'),
        ({"": {"Z": 0, "a": -1}}, '{"":{"Z":0,"a":-1}}'),
        ("\u007f\u2028/", '"\u007f\u2028/"'),
        (2**53 - 1, "9007199254740991"),
    ],
)
def test_canonical_form(value: merkle.Json, text: str) -> None:
    assert merkle.canonical(value) == text
    assert merkle.parse(text) == value


@pytest.mark.parametrize("value", [1.0, 2**53, {"é": 1}, {1: 1}, "a\0", "\ud800", b"x", {"a": {"b": [0.5]}}])
def test_no_canonical_form(value: merkle.Json) -> None:
    with pytest.raises(merkle.NotCanonical):
        merkle.canonical(value)


@pytest.mark.parametrize(
    "text", ['{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', "1.0", "1e2", "-0", '"\\u0041"', "NaN", "", "[" * 100_000]
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(merkle.NotCanonical):
        merkle.parse(text)


DEEPEST = "[" * merkle.MAX_DEPTH + "]" * merkle.MAX_DEPTH
# Such as a reader that looks at a text at once, and not at each of its parts, might take for canonical.
ALMOST = [f"[{DEEPEST}]", f'{{"a":{DEEPEST}}}', '"\\u0000"', '{"\\u0000":1}', '{"a":[1.5]}', "9007199254740992",
          "[-9007199254740992]", "9" * 5_000, '{"é":1}', '{"\\u00e9":1}', '"\\ud800"', "Infinity"]  # fmt: skip


@pytest.mark.parametrize("text", ALMOST)
def test_what_is_almost_canonical_is_refused(text: str) -> None:
    with pytest.raises(merkle.NotCanonical):
        merkle.parse(text)


@pytest.mark.parametrize("text", [DEEPEST, '"\\\\u0000"', '{"a":"é"}', "-9007199254740991", '[{},[],""]'])
def test_what_just_fits_is_read(text: str) -> None:
    assert merkle.canonical(merkle.parse(text)) == text


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_reference_implementation(size: int) -> None:
    hashes = [merkle.leaf_hash(leaf.decode()) for leaf in LEAVES[:size]]
    frontier = merkle.Frontier()
    for leaf in hashes:
        frontier.append(leaf)
    assert frontier.root().hex() == merkle.merkle_root(hashes).hex() == ROOTS[size]
    with pytest.raises(ValueError, match="frontier"):
        merkle.Frontier(size, [b"\0" * 32] * (size.bit_count() + 1))


@pytest.mark.parametrize("text", ["", "5", "5:", "x:AAAA", "-1:AAAA", "5:AAAA", "٥:" + "A" * 43 + "="])
def test_bad_heads_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"head|base64"):
        merkle.Head.parse(text)
    head = merkle.Head(5, bytes(range(32)))
    assert merkle.Head.parse(f" {head}\n") == head


def test_verification_needs_the_standard_library_alone() -> None:
    heavy = ("sqlalchemy", "cryptography", "pydantic")
    code = f"import sys, app.evidence.verify; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
