"""How an answer is put on a page: its addresses, its text as HTML, and as plain text to copy with its sources."""

import re

from markupsafe import Markup

from app.answer.events import Source
from app.answer.turns import AnswerView
from app.web.console.text import markdown
from app.web.console.translations import Translations


def _(message: str) -> str:
    """Marks a message for the catalogues; it is translated where it is shown."""
    return message


# What the guardrail takes out, in the words of the pages; a kind without one is said as it is.
HIDDEN_WORDS = {
    "email": _("e-mail address hidden"),
    "phone": _("phone number hidden"),
    "card": _("card number hidden"),
    "iban": _("IBAN hidden"),
    "ip": _("IP address hidden"),
    "national id": _("personal number hidden"),
    "address": _("address hidden"),
    "tax id": _("tax number hidden"),
    "passport": _("passport number hidden"),
    "driving licence": _("driving licence number hidden"),
    "bank account": _("bank account hidden"),
    "staff number": _("staff number hidden"),
    "customer number": _("customer number hidden"),
    "birth date": _("date of birth hidden"),
    "vehicle": _("vehicle number hidden"),
    "mac address": _("MAC address hidden"),
    "wallet": _("wallet address hidden"),
    "medical id": _("medical number hidden"),
    "name": _("name hidden"),
    "pay": _("pay hidden"),
    "health": _("health detail hidden"),
    "host": _("host name hidden"),
    "path": _("path hidden"),
    "prompt": _("instruction hidden"),
    "company term": _("company term hidden"),
    "credential": _("credential hidden"),
}


_WHICH = re.compile(r"(.*?) (?:ending )?([0-9A-Z]{1,4})")


def hidden_word(hidden: str, translations: Translations) -> str:
    """What is said of a value that the guardrail took out, from its placeholder: "phone", "phone 2", "card ending
    1111".
    """
    which = _WHICH.fullmatch(hidden)
    if which is None:
        return translations.gettext(HIDDEN_WORDS.get(hidden, hidden))
    note = f"…{which[2]}" if " ending " in hidden else which[2]
    return f"{translations.gettext(HIDDEN_WORDS.get(which[1], which[1]))} ({note})"


def source_url(source: Source) -> str:
    """The document of a source, at the passage."""
    return f"/documents/{source.document}?passage={source.chunk}"


def model_text(answer: AnswerView, translations: Translations) -> Markup:
    """What the model wrote, its citations as links."""
    addresses = [(source.number, source_url(source)) for source in answer.sources if source.cited]
    return markdown(answer.text, addresses, lambda kind: hidden_word(kind, translations))


def plain_text(answer: AnswerView, translations: Translations) -> str:
    """The answer with the list of its sources, for another program."""
    lines = [answer.text]
    if cited := [source for source in answer.sources if source.cited]:
        lines += ["", translations.gettext("Sources:")]
        lines += [_line(source, translations) for source in cited]
    return "\n".join(lines)


def _line(source: Source, translations: Translations) -> str:
    where = f"{source.collection}/{source.path}"
    if source.page is not None:
        where += ", " + translations.gettext("p. %(number)s") % {"number": source.page}
    return f"[{source.number}] {source.title or source.path} ({where})"
