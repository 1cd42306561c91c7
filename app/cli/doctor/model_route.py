"""Checks where text may be sent: to which host, up to which label, and by which setting."""

from collections.abc import Iterator

from app.cli.doctor.check_result import CheckResult
from app.cli.doctor.installation import Installation
from app.identity.subject import Label
from app.llm.endpoint import CONFIRM, PublicModelHost, endpoint, is_public
from app.llm.protocol import is_loopback

PART = "model route"


def check_model_route(installation: Installation) -> Iterator[CheckResult]:
    """The model's address and highest label; a warning if more than public text goes to the public internet."""
    model = installation.settings.model
    try:
        target = endpoint(model)
    except PublicModelHost as error:
        yield CheckResult(PART, "fail", str(error), "the service does not start so")
        return
    route = f"text up to '{target.max_label.text}' goes to {target.address}"
    if target.max_label > Label.PUBLIC and is_public(model.base_url):
        mend = "leave it unset unless the model is yours: what is sent there is out of your hands"
        yield CheckResult(PART, "warn", f"{route}, on the public internet; confirmed by {CONFIRM}", mend)
    elif is_loopback(model.base_url):
        yield CheckResult(PART, "ok", f"{route}, this machine")
    elif target.internal:
        by = "CLEARANCE_MODEL__INTERNAL" if model.internal else "CLEARANCE_MODEL__INTERNAL_HOSTS"
        yield CheckResult(PART, "ok", f"{route}, declared internal by {by}")
    else:
        yield CheckResult(
            PART, "ok", f"{route}, which is not in the house; what is above that is answered by quote alone"
        )
