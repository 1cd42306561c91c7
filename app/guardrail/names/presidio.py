"""Names of people as Presidio finds them, with a model of spaCy. An optional part: `pip install clearance[names]`."""

import importlib.util
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.guardrail.names import lexicon
from app.guardrail.names.evidence import names_in
from app.guardrail.names.spans import NamedSpan, Recogniser

_ENTITY = "PERSON"
_THREADS = 4
_LANGUAGE = "en"


class NamesModelMissing(ValueError):
    """The optional part or its model is not installed."""


class PresidioNames:
    """Finds the names in the segments of texts. Whatever it raises, a timeout among it, closes the gate that asked."""

    def __init__(self, model: str, *, seconds: float = 10.0) -> None:
        """Loads the model, or raises NamesModelMissing."""
        require(model)
        self._analyzer = _load(model)
        self._lexicon = lexicon.read(Path(model))
        self._seconds = seconds
        # A thread of its own, as nothing can end what runs in another's.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    def begin(self) -> Recogniser:
        """For the segments of one text, in order: what stands alone is a name if it was part of one before.

        What it returns raises TimeoutError, or what the model raises.
        """
        known = set[str]()

        def names(segment: str) -> Iterable[NamedSpan]:
            if not _may_hold_name(segment):
                return ()
            results = self._threads.submit(self._find, segment).result(self._seconds)
            said = [(result.start, result.end) for result in results]
            return list(names_in(segment, said, self._lexicon, known))

        return names

    def _find(self, segment: str) -> list[Any]:
        found: list[Any] = self._analyzer.analyze(text=segment, language=_LANGUAGE, entities=[_ENTITY])
        return found


def require(model: str) -> None:
    """Raise NamesModelMissing, with what to do, if something is not installed. A model is a package, or a folder."""
    for module in ("presidio_analyzer", "spacy"):
        if importlib.util.find_spec(module) is None:
            raise NamesModelMissing(
                f"names of people are to be found by a model, and '{module}' is not installed: pip install"
                " clearance[names]"
            )
    if (Path(model) / "meta.json").exists():
        return
    if not model.isidentifier() or importlib.util.find_spec(model) is None:
        raise NamesModelMissing(
            f"names of people are to be found by the model '{model}', which is neither installed nor a folder: python"
            " -m spacy download en_core_web_sm, or clearance guard train-names FOLDER"
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
    """Whether it has a capital, or letters of a script that may have none: few models find names in small letters."""
    return not segment.isascii() or segment.lower() != segment
