"""Names of people as Presidio finds them, with a model of spaCy. An optional part: `pip install clearance[names]`."""

import importlib.util
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.guardrail.names.spans import NamedSpan
from app.guardrail.names.spelling import COMMON, WORD, is_capital, key

_NEAR = 24  # characters before a name that may say that it is one
_NAMING = re.compile(
    r"(?<![^\W_])(?:(?:mr|mrs|ms|miss|dr|prof|professor|doctor|herrn?|frau|sir|madam)\.?|dear|hi|hello|hey|regards,?|"
    r"sincerely,?|cheers,?|thanks,?|name(?:'s| is|:)?|named|called|i am|i'm|this is|patient)[ \n]\Z",
    re.IGNORECASE,
)
_ENTITY = "PERSON"
_THREADS = 4
_LANGUAGE = "en"


class NamesModelMissing(ValueError):
    """The optional part or its model is not installed."""


class PresidioNames:
    """Finds the names in a segment of text. Whatever it raises, a timeout among it, closes the gate that asked."""

    def __init__(self, model: str, *, seconds: float = 10.0) -> None:
        """Loads the model, or raises NamesModelMissing."""
        require(model)
        self._analyzer = _load(model)
        self._seconds = seconds
        # A thread of its own, as nothing can end what runs in another's.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    def __call__(self, segment: str) -> Iterable[NamedSpan]:
        """The names in it. Raises TimeoutError, or what the model raises."""
        if not _may_hold_name(segment):
            return ()
        results = self._threads.submit(self._find, segment).result(self._seconds)
        return [found for result in results for found in _names(segment, result.start, result.end)]

    def _find(self, segment: str) -> list[Any]:
        found: list[Any] = self._analyzer.analyze(text=segment, language=_LANGUAGE, entities=[_ENTITY])
        return found


def require(model: str) -> None:
    """Raise NamesModelMissing, with what to do, if something is not installed."""
    for module in ("presidio_analyzer", "spacy", model):
        if importlib.util.find_spec(module) is None:
            raise NamesModelMissing(
                f"names of people are to be found by a model, and '{module}' is not installed: pip install"
                f" clearance[names], then python -m spacy download {model}"
            )


def _load(model: str) -> Any:
    """Presidio with nothing but what the model of spaCy finds; the libraries take seconds to load."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: PLC0415
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine  # noqa: PLC0415
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # noqa: PLC0415

    engine = SpacyNlpEngine(
        models=[{"lang_code": _LANGUAGE, "model_name": model}],
        ner_model_configuration=NerModelConfiguration(
            labels_to_ignore=[], model_to_presidio_entity_mapping={_ENTITY: _ENTITY}
        ),
    )
    engine.load()
    engine.nlp[_LANGUAGE].select_pipes(enable=["ner"])  # a third of the time of all
    registry = RecognizerRegistry(
        recognizers=[SpacyRecognizer(supported_language=_LANGUAGE, supported_entities=[_ENTITY])],
        supported_languages=[_LANGUAGE],
    )
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[_LANGUAGE])


def _may_hold_name(segment: str) -> bool:
    """Whether it has a word with a capital: few models find names that have none."""
    return any(is_capital(word[0]) for word in WORD.finditer(segment))


def _names(segment: str, start: int, end: int) -> Iterable[NamedSpan]:
    """What a model calls a person, if it looks like one: two words with capitals, or one where people are named.

    A word alone is mostly the name of a product.
    """
    words = list(WORD.finditer(segment, start, end))
    capitals = [word for word in words if is_capital(word[0])]
    if not capitals or all(key(word[0]) in COMMON for word in words) or any(map(str.isdigit, segment[start:end])):
        return
    if len(words) > 1 or _NAMING.search(segment, max(start - _NEAR, 0), start) is not None:
        yield NamedSpan(capitals[0].start(), capitals[-1].end(), "name")
