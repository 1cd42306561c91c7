"""Reads a file of refusals and trains what is in it; says in the log how well that does."""

import hashlib
from pathlib import Path

from app import log
from app.refusals.classifier import Classifier, Trainer
from app.refusals.folding import fold
from app.refusals.rules import RefusalRules, RefusalsFile
from app.refusals.yaml_file import RefusalsFileError, parse

SAMPLE = Path(__file__).with_name("sample.yaml")
MAX_BYTES = 1_000_000
HARMLESS = Path(__file__).with_name("harmless.txt")


def load(path: Path) -> RefusalRules:
    """The rules of a file. Raises RefusalsFileError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise RefusalsFileError(f"the file of refusals, {path}, cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RefusalsFileError(f"the file of refusals, {path}, is no text in UTF-8") from None
    if len(content) > MAX_BYTES:
        raise RefusalsFileError(f"the file of refusals, {path}, has more than {MAX_BYTES:,} bytes")
    read = parse(text, name=path.name)
    return RefusalRules(
        hashlib.sha256(content).hexdigest(), read.question_label, read.categories, read.models, _trained(read)
    )


def report(rules: RefusalRules) -> None:
    """The figures of its classifiers, in the log."""
    for name, classifier in rules.classifiers.items():
        figures = classifier.figures
        say = log.get().info if figures.worth_asking else log.get().warning
        say(
            "refusals.category",
            category=name,
            recall=round(figures.recall, 3),
            precision=None if figures.precision is None else round(figures.precision, 3),
            false_refusals=round(figures.false_refusals, 4),
            examples=figures.examples,
            harmless=figures.harmless,
            used=figures.worth_asking,
        )
    log.get().info("refusals.read", digest=rules.digest, categories=len(rules.categories), models=len(rules.models))


def _trained(read: RefusalsFile) -> dict[str, Classifier]:
    """The classifiers of those categories that have examples; they share the rate of false refusals that is wanted."""
    own = {each.name: list(dict.fromkeys(map(fold, each.examples))) for each in read.categories if each.examples}
    if not own:
        return {}
    lines = [line for line in HARMLESS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    background = [fold(line) for line in (*lines, *read.harmless)]
    others = {
        each.name: [
            text for text in dict.fromkeys([*background, *map(fold, each.harmless)]) if text not in set(own[each.name])
        ]
        for each in read.categories
        if each.examples
    }
    trainer = Trainer(text for name in own for text in (*own[name], *others[name]))
    rate = read.false_refusals / len(own)
    return {name: trainer.train(own[name], others[name], false_refusals=rate) for name in own}
