"""Checks the cross-encoder, if one is set, by loading it as the service does."""

from collections.abc import Iterator

from app.cli.doctor.check_result import CheckResult
from app.cli.doctor.installation import Installation
from app.embedding.factory import build_reranker
from app.embedding.protocol import UnusableWeights

HINT = (
    "bring the model to this machine and 'pip install -c requirements-torch.txt sentence-transformers', or unset"
    " CLEARANCE_RERANKER__NAME"
)


def check_reranker(installation: Installation) -> Iterator[CheckResult]:
    """One result, or none if no cross-encoder is set."""
    options, reranker = installation.settings.embedder, installation.settings.reranker
    if not reranker.name:
        return
    try:
        build_reranker(reranker.name, threads=options.threads, cache=options.cache)
    except (UnusableWeights, ModuleNotFoundError) as error:
        yield CheckResult("reranker", "fail", str(error), HINT)
    else:
        yield CheckResult("reranker", "ok", f"{reranker.name} orders the {reranker.candidates} best of each search")
