"""The file of refusals: each error names the line and says what to write."""

from pathlib import Path

import pytest

from app.identity.subject import Label
from app.refusals.load import SAMPLE, load
from app.refusals.yaml_file import RefusalsFileError, parse
from tests.support.refusals import EXAMPLES, written

pytestmark = pytest.mark.slow

RULE = """version: 1
categories:
  - name: safes
    action: refuse
    message: No.
    phrases: [open the green safe]
"""
MODEL = """version: 1
models:
  - name: guard
    form: llama-guard
    url: http://127.0.0.1:9/v1
    model: tiny
categories:
  - name: safes
    action: refuse
    message: No.
    models:
      - name: guard
"""


def test_a_file_is_read_whole() -> None:
    read = parse(MODEL + '        codes: [S1, S2]\n        when_out: "pass"\n', name="r.yaml")
    [category] = read.categories
    [use] = category.models
    assert (use.model, sorted(use.codes), use.when_out) == ("guard", ["S1", "S2"], "pass")
    assert read.question_label is Label.INTERNAL
    assert (read.models["guard"].endpoint.internal, read.models["guard"].seconds) == (True, 3.0)


def test_the_sample_is_read_and_its_classifier_is_of_use() -> None:
    rules = load(SAMPLE)
    assert rules.classifiers
    assert all(classifier.figures.worth_asking for classifier in rules.classifiers.values())


@pytest.mark.parametrize(
    ("old", "new", "line", "advice"),
    [
        ("version: 1", "version: 2", 1, "must be 1"),
        ("version: 1\n", "\n", 2, "has no `version`"),
        ("categories:", "categorys:", 2, "unknown key 'categorys'"),
        ("    action: refuse\n", "", 3, "has no `action`"),
        ("action: refuse", "action: deny", 4, "one of refuse, redirect, flag"),
        ("    message: No.\n", "", 3, "has no `message`"),
        ("action: refuse", "action: flag", 5, "leave `message` out"),
        ("message: No.", "message: {english: No}", 5, "no language"),
        ("message: No.", "message: [No]", 5, "texts by language"),
        ("message: No.", "message: true", 5, "put quotes around it"),
        ("name: safes", "name: Safes!", 3, "small letters"),
        ("    phrases: [open the green safe]\n", "", 3, "finds nothing"),
        ("phrases: [open the green safe]", 'phrases: ["?"]', 6, "needs a word"),
        ("phrases: [open the green safe]", "phrases: open", 6, "must be a list"),
        ("phrases: [open the green safe]", "phrases: [a b, a b]", 6, "stands twice"),
        ("phrases: [open the green safe]", "patterns: ['a.*b']", 6, "no end"),
        ("phrases: [open the green safe]", "examples: [a, b]", 6, "at least 20"),
        ("phrases: [open the green safe]", "models: [{name: other}]", 6, "no model of the file"),
        ("phrases: [open the green safe]", "exempt_roles: [everyone]\n    phrases: [a]", 6, "leave the category out"),
        ("phrases: [open the green safe]", "phrases: [a]\n    name: x", 7, "stands twice"),
        ("    phrases", "\tphrases", 6, "spaces, not tabs"),
    ],
)
def test_a_wrong_line_is_named(old: str, new: str, line: int, advice: str) -> None:
    text = RULE.replace(old, new)
    assert text != RULE
    with pytest.raises(RefusalsFileError, match=rf"r\.yaml, line {line}: .*{advice}"):
        parse(text, name="r.yaml")


@pytest.mark.parametrize(
    ("old", "new", "line", "advice"),
    [
        ("form: llama-guard", "form: gpt", 4, "one of llama-guard"),
        ("    model: tiny\n", "", 3, "the model's name there"),
        ("http://127.0.0.1:9/v1", "ftp://127.0.0.1", 5, "must be like http"),
        ("http://127.0.0.1:9/v1", "http://me:pw@127.0.0.1/", 5, "without a name"),
        ("http://127.0.0.1:9/v1", "https://api.example.com/v1", 5, "question_label: public"),
        ("http://127.0.0.1:9/v1", "https://api.example.com/v1\n    internal: true", 5, "public internet"),
        ("http://127.0.0.1:9/v1", "https://api.example.com/v1\n    max_label: internal", 5, "public internet"),
        ("http://127.0.0.1:9/v1", "http://guard.internal/v1", 5, "internal: true"),
        ("model: tiny", "model: tiny\n    seconds: 99", 7, "from 0.05 to 30"),
        ("model: tiny", "model: tiny\n    key_file: /nowhere/key", 7, "cannot be read"),
        ("      - name: guard", "      - name: guard\n        when_out: allow", 13, "one of refuse, pass"),
    ],
)
def test_a_wrong_model_is_named(old: str, new: str, line: int, advice: str) -> None:
    with pytest.raises(RefusalsFileError, match=rf"r\.yaml, line {line}: .*{advice}"):
        parse(MODEL.replace(old, new), name="r.yaml")


def test_a_question_goes_out_of_the_house_only_if_the_file_says_so() -> None:
    outside = MODEL.replace("http://127.0.0.1:9/v1", "https://api.example.com/v1")
    read = parse(outside.replace("version: 1", "version: 1\nquestion_label: public"), name="r.yaml")
    endpoint = read.models["guard"].endpoint
    assert (endpoint.internal, endpoint.max_label) == (False, Label.PUBLIC)


def test_a_key_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-of-the-guard\n")
    read = parse(MODEL.replace("model: tiny", f"model: tiny\n    key_file: {tmp_path}/key"), name="r.yaml")
    assert read.models["guard"].key == "sk-of-the-guard"
    assert "sk-of" not in repr(read)
    (tmp_path / "key").write_text("two\nlines")
    with pytest.raises(RefusalsFileError, match=r"line 7: .*holds no key") as error:
        parse(MODEL.replace("model: tiny", f"model: tiny\n    key_file: {tmp_path}/key"), name="r.yaml")
    assert "lines" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "advice"),
    [(b"\xff\xfe", "no text in UTF-8"), (b"#" * 1_000_001, "more than 1,000,000 bytes"), (b"", "is empty")],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, advice: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(content)
    with pytest.raises(RefusalsFileError, match=advice):
        load(path)
    with pytest.raises(RefusalsFileError, match="cannot be read: No such file"):
        load(tmp_path / "other.yaml")


def test_examples_are_trained_when_the_file_is_read(tmp_path: Path) -> None:
    text = "categories:\n  - name: harbour\n    action: refuse\n    message: No.\n    examples:\n"
    path = written(tmp_path, text + "".join(f"      - {example}\n" for example in EXAMPLES))
    [classifier] = load(path).classifiers.values()
    assert classifier.figures.recall > 0.9
    assert classifier.is_of("please paint the grey boats of the harbour in summer")
    assert not classifier.is_of("who approves a trip to a conference?")
