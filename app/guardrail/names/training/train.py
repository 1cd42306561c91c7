"""Trains the recogniser of names of a small model of spaCy on made texts, on one CPU core in some minutes."""

import itertools
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.guardrail.names import lexicon
from app.guardrail.names.lexicon import Lexicon, words_of
from app.guardrail.names.presidio import require
from app.guardrail.names.spelling import COMMON, key
from app.guardrail.names.training.faker_lists import english_words, name_lists, places
from app.guardrail.names.training.inflections import inflected
from app.guardrail.names.training.made_names import NameMaterial
from app.guardrail.names.training.sentences import MadeText, TrainingTexts, vocabulary

_PARTS = ("noun", "verb", "adj", "adv")
_IS_WORD = re.compile(r"[a-z]{3,}")
_LABEL = "PERSON"
_RATE, _DROPOUT = 0.001, 0.2
_MIN_BATCH, _MAX_BATCH, _BATCH_GROWTH = 16, 128, 1.005
_LAST_RATE = 0.1  # of the first one
# Marks that end a word of a table, of HTML or of code, and do not in English prose.
_MARKS = r"[|;,\"<>=:/_()\[\]*~{}@#\\]+"
_AT_ENDS = r"[|<>=/_~\\-]"


class UnfitBase(ValueError):
    """The model cannot be trained further for this."""


def train(folder: Path, base: str, *, texts: int, seed: int, progress: Callable[[int], None]) -> None:
    """Write a model that CLEARANCE_GUARDRAIL__NAMES_MODEL may name. `progress` is told of how many more texts it
    learned."""
    require(base)
    names = name_lists()
    given = words_of(name for each in names for name in each.given)
    surnames = words_of(name for each in names for name in each.surnames)
    nlp, words = _model(base, seed)
    no_names = [word for word, _ in words if key(word) not in given and key(word) not in surnames]
    made = TrainingTexts(NameMaterial(names, places(), english_words(), no_names), seed)
    _learn(nlp, [_example(nlp, each) for each in itertools.islice(made, texts)], seed, progress)
    nlp.meta["name"] = "clearance_names"
    nlp.to_disk(folder)
    ordinary = COMMON | words_of((*english_words(), *vocabulary()))
    elsewhere = words_of((*inflected(words), *places())) - given - surnames
    lexicon.write(folder, Lexicon(given, surnames, ordinary | elsewhere))


def _model(base: str, seed: int) -> tuple[Any, list[tuple[str, str]]]:
    """The base with nothing but its recogniser of entities, and the words of its lemmatizer."""
    import spacy  # noqa: PLC0415
    from spacy import util  # noqa: PLC0415
    from thinc.util import fix_random_seed  # noqa: PLC0415

    fix_random_seed(seed)
    nlp: Any = spacy.load(base)
    words = _dictionary(nlp, base)
    for name in set(nlp.component_names) - {"ner"}:
        nlp.remove_pipe(name)
    marks = nlp.Defaults
    nlp.tokenizer.infix_finditer = util.compile_infix_regex([*marks.infixes, _MARKS]).finditer
    nlp.tokenizer.prefix_search = util.compile_prefix_regex([*marks.prefixes, _AT_ENDS]).search
    nlp.tokenizer.suffix_search = util.compile_suffix_regex([*marks.suffixes, _AT_ENDS]).search
    nlp.tokenizer.url_match = None
    return nlp, words


def _dictionary(nlp: Any, base: str) -> list[tuple[str, str]]:
    """The words that its lemmatizer knows, each with each of its parts of speech."""
    missing = {"ner", "lemmatizer"} - set(nlp.component_names)
    if missing or not nlp.get_pipe("lemmatizer").lookups.has_table("lemma_index"):
        raise UnfitBase(f"'{base}' has no entities or no dictionary of English words: start from en_core_web_sm")
    index = nlp.get_pipe("lemmatizer").lookups.get_table("lemma_index")
    return [(word, part) for part in _PARTS for word in index[part] if _IS_WORD.fullmatch(word)]


def _example(nlp: Any, made: MadeText) -> Any:
    from spacy.training import Example  # noqa: PLC0415
    from spacy.util import filter_spans  # noqa: PLC0415

    told = nlp.make_doc(made.text)
    spans = [told.char_span(*name, label=_LABEL, alignment_mode="expand") for name in made.names]
    told.set_ents(filter_spans([span for span in spans if span is not None]))
    return Example(nlp.make_doc(made.text), told)


def _learn(nlp: Any, examples: list[Any], seed: int, progress: Callable[[int], None]) -> None:
    """One time through, in batches that grow, at a rate that falls."""
    random.Random(seed).shuffle(examples)  # noqa: S311  # no secrets
    optimizer = nlp.resume_training()
    learned = 0
    for batch in _batches(examples):
        optimizer.learn_rate = _RATE * max(_LAST_RATE, 1 - learned / len(examples))
        nlp.update(batch, sgd=optimizer, drop=_DROPOUT)
        learned += len(batch)
        progress(len(batch))


def _batches(examples: list[Any]) -> Iterator[list[Any]]:
    size, at = float(_MIN_BATCH), 0
    while at < len(examples):
        yield examples[at : at + int(size)]
        at += int(size)
        size = min(size * _BATCH_GROWTH, _MAX_BATCH)
