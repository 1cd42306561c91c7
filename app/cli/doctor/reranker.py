"""What `clearance doctor` finds about the cross-encoder, where one is set: it is loaded as the service loads it."""

from collections.abc import Iterator

from app.cli.doctor.finding import Finding
from app.cli.doctor.installation import Setup
from app.embedding.factory import build_reranker
from app.embedding.protocol import UnusableWeights

MEND = (
    "bring the model to this machine and 'pip install -c requirements-torch.txt sentence-transformers', or unset"
    " CLEARANCE_RERANKER__NAME"
)


def found(setup: Setup) -> Iterator[Finding]:
    """Nothing without one."""
    options, chosen = setup.settings.embedder, setup.settings.reranker
    if not chosen.name:
        return
    try:
        build_reranker(chosen.name, threads=options.threads, cache=options.cache)
    except (UnusableWeights, ModuleNotFoundError) as error:
        yield Finding("reranker", "fail", str(error), MEND)
    else:
        yield Finding("reranker", "ok", f"{chosen.name} orders the {chosen.candidates} best of each search")
