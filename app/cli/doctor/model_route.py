"""What `clearance doctor` finds about where text may go: to which host, up to which label, and for what reason."""

from collections.abc import Iterator

from app.cli.doctor.finding import Finding
from app.cli.doctor.installation import Setup
from app.identity.subject import Label
from app.llm.endpoint import CONFIRM, PublicModelHost, endpoint, is_public
from app.llm.protocol import is_loopback

PART = "model route"


def found(setup: Setup) -> Iterator[Finding]:
    """Which text leaves the house is the first question of everybody who has to answer for it."""
    model = setup.settings.model
    try:
        where = endpoint(model)
    except PublicModelHost as refused:
        yield Finding(PART, "fail", str(refused), "the service does not start so")
        return
    goes = f"text up to '{where.max_label.text}' goes to {where.address}"
    if where.max_label > Label.PUBLIC and is_public(model.base_url):
        mend = "leave it unset unless the model is yours: what is sent there is out of your hands"
        yield Finding(PART, "warn", f"{goes}, on the public internet; confirmed by {CONFIRM}", mend)
    elif is_loopback(model.base_url):
        yield Finding(PART, "ok", f"{goes}, this machine")
    elif where.internal:
        by = "CLEARANCE_MODEL__INTERNAL" if model.internal else "CLEARANCE_MODEL__INTERNAL_HOSTS"
        yield Finding(PART, "ok", f"{goes}, declared internal by {by}")
    else:
        yield Finding(PART, "ok", f"{goes}, which is not in the house; what is above that is answered by quote alone")
