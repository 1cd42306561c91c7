"""Checks the models that read two texts together, where any are set, by loading them as the service does."""

from collections.abc import Callable, Iterator

from app.admin.health.check_result import CheckResult
from app.cli.doctor.installation import Installation
from app.embedding.factory import build_entailment, build_reranker
from app.embedding.protocol import UnusableWeights

HINT = (
    "bring the model to this machine and 'pip install -c requirements-torch.txt sentence-transformers', or unset"
    " CLEARANCE_{}__NAME"
)


def check_reranker(installation: Installation) -> Iterator[CheckResult]:
    """One result, or none if no cross-encoder is set."""
    reranker = installation.settings.reranker
    does = f"{reranker.name} orders the {reranker.candidates} best of each search"
    yield from _check(installation, "reranker", reranker.name, build_reranker, does)


def check_entailment(installation: Installation) -> Iterator[CheckResult]:
    """One result, or none if no entailment model is set."""
    chosen = installation.settings.entailment
    does = f"{chosen.name} judges up to {chosen.sentences} sentences of an answer"
    yield from _check(installation, "entailment", chosen.name, build_entailment, does)


def _check(
    installation: Installation, part: str, name: str, build: Callable[..., object], does: str
) -> Iterator[CheckResult]:
    if not name:
        return
    options = installation.settings.embedder
    try:
        build(name, threads=options.threads, cache=options.cache)
    except (UnusableWeights, ModuleNotFoundError) as error:
        yield CheckResult(part, "fail", str(error), HINT.format(part.upper()))
    else:
        yield CheckResult(part, "ok", does)
