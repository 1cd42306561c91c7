"""Checks whether the model holds what the settings would send."""

from collections.abc import Iterator

from app.cli.doctor.check_result import CheckResult
from app.cli.doctor.installation import Installation
from app.llm.context_length import ContextTooShort, needed_context, require_context

PART = "model context"


def check_model_context(installation: Installation) -> Iterator[CheckResult]:
    """The endpoint's context is as long as the longest prompt with its answer; a warning if it does not say."""
    settings = installation.settings
    needed = needed_context(settings)
    try:
        holds = require_context(settings)
    except ContextTooShort as error:
        yield CheckResult(PART, "fail", str(error), "the service does not start so")
        return
    if holds is None:
        mend = "CLEARANCE_MODEL__CONTEXT_LENGTH says it, if you know it"
        yield CheckResult(PART, "warn", f"the endpoint does not say what it holds; {needed:,} tokens are needed", mend)
    else:
        by = "as set" if settings.model.context_length is not None else "as the endpoint says"
        yield CheckResult(PART, "ok", f"{holds:,} tokens, {by}; {needed:,} are needed")
