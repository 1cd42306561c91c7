"""How an answer is put on a page: its addresses, its text as HTML, and as plain text to copy with its sources."""

from markupsafe import Markup

from app.answer.events import Source
from app.answer.turns import AnswerView
from app.web.console.text import markdown
from app.web.console.translations import Translations


def source_url(source: Source) -> str:
    """The document of a source, at the passage."""
    return f"/documents/{source.document}?passage={source.chunk}"


def model_text(answer: AnswerView, translations: Translations) -> Markup:
    """What the model wrote, its citations as links."""
    addresses = [(source.number, source_url(source)) for source in answer.sources if source.cited]
    return markdown(answer.text, addresses, translations.gettext("%(kind)s hidden"))


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
