"""Whether the prompt of an answer can be made again and is the one of its record; nobody's words are shown."""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from app.web.console.pages import page
from app.web.console.viewer import ViewerOf
from app.web.http.dependencies import ReplaysOf, public_id
from app.web.http.route_table import CONSOLE

router = APIRouter(tags=[CONSOLE])


def _(message: str) -> str:
    """Marks a message for the catalogues; it is translated where it is shown."""
    return message


# Why a prompt cannot be made again, by the codes of `app.admin.replay`.
REASON_WORDS: Mapping[str, str] = {
    "no prompt": _("No model was asked: it was answered by quotes, nothing was found, or the model was refused."),
    "words erased": _("The key of the asker’s words was destroyed, and with it the question and the prompt’s salt."),
    "unreadable": _("The record was sealed under another key, or is not of the form of an answer."),
    "asker gone": _("The asker is gone: nothing is read in their name any more."),
    "asker switched off": _("The asker is switched off: nothing is read in their name meanwhile."),
    "redacted otherwise": _(
        "The prompt was redacted before it left the house. Redacted now, it is another one: the checks,"
        " their lists or what it was made of have changed since, and which of them cannot be told."
    ),
    "template gone": _("The service has another version of the prompt’s own words than the record names."),
    "document gone": _("This document is not there any more."),
    "another version": _("Another version of this document stands than the one that was shown."),
    "not readable": _("The asker may not read this document any more."),
    "passage gone": _("This version of the document stands, and has no such passage any more: it was indexed again."),
    "conversation gone": _("The conversation was deleted, and with it the earlier turns that the model was shown."),
    "turn withheld": _("This earlier turn is not given out any more: a document behind it is gone or withheld."),
}


@router.get("/replays/{trail}")
def replay(viewer: ViewerOf, replays: ReplaysOf, trail: str) -> Response:
    """Make the prompt of an answer again and compare it with its commitment; recorded."""
    found = replays.replay(public_id(trail))
    return page(viewer, "evidence/replay.html", {"found": found, "reason_words": REASON_WORDS})
