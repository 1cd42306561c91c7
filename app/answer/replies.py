"""What the product says by itself, in the language of the question. Pure.

Texts of errors and of the command line are English. A reply depends on the question and on what the caller may know
anyway (the outcome), so its language tells nothing about what is hidden.
"""

from collections.abc import Mapping
from typing import Literal, get_args

ReplyKey = Literal[
    "nothing", "asked_back", "may_help", "withheld", "unsupported", "ungrounded", "unanswered", "unchecked"
]
REPLY_KEYS: tuple[ReplyKey, ...] = get_args(ReplyKey)
# The language of a reply to a question in a language that is not in the catalogue.
DEFAULT_LANGUAGE = "en"

REPLIES: Mapping[str, Mapping[ReplyKey, str]] = {
    "en": {
        "nothing": "Nothing you may read answers this.",
        "asked_back": "What does your question refer to? Please ask it in whole.",
        "may_help": "It is not certain that these passages answer your question; they may help.",
        "withheld": "What this answer was made from is no longer yours to read.",
        "unsupported": "not in the passages",
        "unanswered": "The passages do not answer this.",
        "ungrounded": "The passages do not support what the model wrote; these are quotes from them instead.",
        "unchecked": "This question cannot be checked at the moment, so it is not answered. Please try again later.",
    },
    "de": {
        "nothing": "Nichts, was Sie lesen dürfen, beantwortet das.",
        "asked_back": "Worauf bezieht sich Ihre Frage? Bitte stellen Sie sie vollständig.",
        "may_help": "Ob diese Stellen Ihre Frage beantworten, ist nicht sicher; sie helfen vielleicht weiter.",
        "withheld": "Woraus diese Antwort entstand, dürfen Sie nicht mehr lesen.",
        "unsupported": "steht nicht in den Quellen",
        "unanswered": "Die Quellen beantworten das nicht.",
        "ungrounded": "Die Quellen belegen nicht, was das Modell schrieb; stattdessen folgen Zitate daraus.",
        "unchecked": "Diese Frage kann gerade nicht geprüft werden und wird deshalb nicht beantwortet."
        " Bitte versuchen Sie es später noch einmal.",
    },
    "fr": {
        "nothing": "Rien de ce que vous pouvez lire ne répond à cette question.",
        "asked_back": "À quoi votre question se rapporte-t-elle ? Veuillez la poser en entier.",
        "may_help": "Il n'est pas certain que ces passages répondent à votre question ; ils peuvent aider.",
        "withheld": "Vous ne pouvez plus lire les documents dont cette réponse est tirée.",
        "unsupported": "absent des passages",
        "unanswered": "Les passages ne répondent pas à cette question.",
        "ungrounded": "Les passages ne confirment pas ce que le modèle a écrit ; en voici plutôt des citations.",
        "unchecked": "Cette question ne peut pas être vérifiée pour le moment ; elle reste donc sans"
        " réponse. Veuillez réessayer plus tard.",
    },
    "es": {
        "nothing": "Nada de lo que usted puede leer responde a esto.",
        "asked_back": "¿A qué se refiere su pregunta? Formúlela completa, por favor.",
        "may_help": "No es seguro que estos pasajes respondan a su pregunta; pueden ayudar.",
        "withheld": "Usted ya no puede leer aquello de lo que salió esta respuesta.",
        "unsupported": "no consta en los pasajes",
        "unanswered": "Los pasajes no responden a esto.",
        "ungrounded": "Los pasajes no respaldan lo que escribió el modelo; en su lugar, estas son citas de ellos.",
        "unchecked": "Esta pregunta no se puede comprobar en este momento, por lo que no se responde."
        " Inténtelo de nuevo más tarde.",
    },
}


def reply(key: ReplyKey, language: str) -> str:
    """The text of a reply in a language, an ISO 639-1 code as `question_language` gives it; else in English."""
    return REPLIES.get(language, REPLIES[DEFAULT_LANGUAGE])[key]
