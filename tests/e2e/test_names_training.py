"""How a model that finds names is trained, and what is learned from the documents of a company."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from app.guardrail.names import lexicon
from app.guardrail.names.lexicon import Lexicon, words_of
from app.guardrail.names.presidio import PresidioNames
from app.guardrail.names.spelling import COMMON
from app.guardrail.names.training import train as training
from app.guardrail.names.training.company_words import company_words
from app.guardrail.names.training.faker_lists import NameList
from app.guardrail.names.training.inflections import inflected
from app.guardrail.names.training.made_names import NameMaterial
from app.guardrail.names.training.sentences import MadeText, TrainingTexts

_GIVEN = ("Anna", "Mehmet", "Zofia", "Kwame", "Yuki", "Ingrid", "Luca", "Chloé", "Ravi", "Olu", "Sinéad", "Jorge")
_SURNAMES = (
    "Müller", "Öztürk", "Nowak", "Mensah", "Tanaka", "Berg", "Rossi", "Dubois", "Patel", "Okafor", "Byrne", "Vega"
)  # fmt: skip
NAMES = [NameList("one", _GIVEN, _SURNAMES)]
MATERIAL = NameMaterial(NAMES, ["Ulm", "Turku"], ["house", "cloud"], ["aardvark", "zither"])


def _some(seed: int, count: int = 400) -> list[MadeText]:
    return list(itertools.islice(TrainingTexts(MATERIAL, seed), count))


def test_the_same_seed_makes_the_same_texts() -> None:
    assert _some(3) == _some(3)
    assert _some(3) != _some(4)


def test_the_places_of_names_are_where_they_stand() -> None:
    texts = _some(5)
    said = {text.text[start:end] for text in texts for start, end in text.names}
    assert said
    assert all(name == name.strip() and name for name in said)
    assert {"Anna", "Müller"} <= {word for name in said for word in name.split()}
    bare = [text.text for text in texts if not text.names]
    assert len(bare) > len(texts) / 10
    assert not any("{" in text.text.replace('{"', "") for text in texts)


def test_every_template_can_be_filled() -> None:
    sentences = TrainingTexts(MATERIAL, 1)
    for templates in sentences.texts.values():
        for template in templates:
            assert sentences.filled(template).text


def test_words_that_documents_write_small_or_with_an_article_are_no_names() -> None:
    documents = [
        "The Batch runs. Anna and Mark met in the cloud. See https://anna.example.com/anna and `anna`.",
        "A Batch, and the Cloud. Please mark it. Anna wrote anna_file.md to anna@example.com.",
        "Please mark the Zither in the cloud. Anna knows.",
    ]
    words = company_words(documents)
    assert {"batch", "cloud", "mark"} <= words
    assert words.isdisjoint({"anna", "zither"})


def test_one_document_is_not_enough() -> None:
    assert "batch" not in company_words(["The Batch, the Batch and a batch"])


def test_the_forms_of_words() -> None:
    forms = set(
        inflected(
            [("party", "noun"), ("box", "noun"), ("bake", "verb"), ("stop", "verb"), ("try", "verb"), ("blue", "adj")]
        )
    )
    assert {"parties", "boxes", "baked", "baking", "stopped", "stops", "tried", "trying", "blue"} <= forms
    assert "blues" not in forms


def test_a_lexicon_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert lexicon.read(tmp_path) == Lexicon()
    written = Lexicon(words_of(("Anna",)), words_of(("Müller",)), COMMON | {"batch"})
    lexicon.write(tmp_path, written)
    assert lexicon.read(tmp_path) == written
    lexicon.write_learnt(tmp_path, {"anna", "cloud"})
    assert lexicon.read(tmp_path).ordinary == written.ordinary | {"anna", "cloud"}
    assert not lexicon.read(tmp_path).is_only_name("anna")


def _base(folder: Path) -> Path:
    """A model of spaCy that has learned nothing, with a dictionary."""
    spacy = pytest.importorskip("spacy")
    training_of_spacy = pytest.importorskip("spacy.training")
    lookups = pytest.importorskip("spacy.lookups")
    nlp: Any = spacy.blank("en")
    nlp.add_pipe("ner").add_label("PERSON")
    tables = lookups.Lookups()
    for name, table in (
        ("lemma_rules", {}),
        ("lemma_exc", {}),
        ("lemma_index", {part: ["aardvark", "zither", "rossi"] for part in ("noun", "verb", "adj", "adv")}),
    ):
        tables.add_table(name, table)
    nlp.add_pipe("lemmatizer", config={"mode": "rule"}).initialize(lookups=tables)
    example = training_of_spacy.Example.from_dict(nlp.make_doc("Ask Anna"), {"entities": [(4, 8, "PERSON")]})
    nlp.get_pipe("ner").initialize(lambda: [example], nlp=nlp)
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def _lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "name_lists", lambda: NAMES)
    monkeypatch.setattr(training, "places", lambda: ["Ulm", "Turku"])
    monkeypatch.setattr(training, "english_words", lambda: ["house", "cloud"])


@pytest.mark.usefixtures("_lists")
def test_a_model_learns_names_and_is_found_by_its_folder(tmp_path: Path) -> None:
    pytest.importorskip("presidio_analyzer")
    folder, learned = tmp_path / "names", list[int]()
    training.train(folder, str(_base(tmp_path / "base")), texts=1200, seed=1, progress=learned.append)
    assert sum(learned) == 1200
    names = PresidioNames(str(folder)).begin()
    text = "Please ask Anna about the house."
    assert [text[span.start : span.end] for span in names(text)] == ["Anna"]
    assert list(names("Please ask the aardvark about the zither.")) == []
    read = lexicon.read(folder)
    assert "muller" in read.surnames
    assert read.is_only_name("rossi")  # in the dictionary too
    assert "zithers" in read.ordinary


@pytest.mark.usefixtures("_lists")
def test_a_base_without_entities_is_refused(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    pytest.importorskip("presidio_analyzer")
    spacy.blank("en").to_disk(tmp_path / "base")
    with pytest.raises(training.UnfitBase, match="en_core_web_sm"):
        training.train(tmp_path / "out", str(tmp_path / "base"), texts=10, seed=1, progress=lambda _: None)
    assert not (tmp_path / "out").exists()
