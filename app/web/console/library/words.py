"""Rules in sentences, in the reader's language."""

import datetime as dt

from app.admin.rule_sentence import RuleWords
from app.web.console.viewer import Viewer


def _(message: str) -> str:
    """Marks a message for the catalogues; it is translated where it is shown."""
    return message


# What `app.admin.rule_sentence` says, and the names of labels and states.
MESSAGES = (
    _("and"),
    _("or"),
    _("not {names}"),
    _("nobody"),
    _("everyone"),
    _("inherits"),
    _("inherits nothing"),
    _("{number} more"),
    _("from {date}"),
    _("until {date}"),
    _("(over)"),
    _("public"),
    _("internal"),
    _("confidential"),
    _("restricted"),
    _("queued"),
    _("running"),
    _("indexed"),
    _("unchanged"),
    _("failed"),
)


def rule_words(viewer: Viewer) -> RuleWords:
    """How the viewer's language says a rule."""
    translations = viewer.translations

    def date(moment: dt.datetime) -> str:
        at_midnight = moment.astimezone(dt.UTC).time() == dt.time()
        return translations.date(moment) if at_midnight else translations.moment(moment)

    return RuleWords(translations.gettext, date)
