"""How a text speaks to a model in languages other than English: the commonest forms of each."""

import re

from app.incoming.finding import Frame
from app.incoming.language_words import (
    ADDRESSED,
    ANSWER,
    ANSWER_CUES,
    DISREGARD,
    DISREGARD_CUES,
    EDIT,
    FORGET_ALL,
    ONLY,
    OTHER_CUES,
    PROMPT,
    UNSPACED_ANSWER,
    UNSPACED_DISREGARD,
)

# What people are told of their letters and forms.
_PEOPLE = re.compile(
    r"\b(?:e-?mails?|kund\w+|bewerb\w+|fragebogen|umfrage|clients?|clientes?|klant\w*|formulaire|formulario"
    r"|questionnaire|cuestionario|encuesta|klient\w*|клиент\w*|анкет\w*|kandidat\w*|ticket)\b"
)


def _cues(words: str) -> tuple[str, ...]:
    return tuple(words.split("|"))


def _disregard(language: str) -> Frame:
    verbs, prior, orders = DISREGARD[language]
    words = r"(?:[\s,]+[^\s,.!?]+){0,5}?[\s,]+"
    # The verb first, then in any order what stands for earlier ones and what they are; some put the verb last.
    forward = rf"\b(?:{verbs})(?={words}(?:{prior})(?!\w))(?=(?:[\s,]+[^\s,.!?]+){{0,7}}?[\s,]+(?:{orders})(?!\w))"
    backward = rf"(?<!\w)(?:{prior})\s(?:[^\s,.!?]+\s){{0,3}}?(?:{orders})\s(?:[^\s,.!?]+\s){{0,2}}?(?:{verbs})"
    return Frame(
        "override",
        2,
        _cues(DISREGARD_CUES[language]),
        re.compile(f"{forward}|{backward}" if language in ("tr", "hi", "de") else forward),
    )


def _answer(language: str) -> Frame:
    order = (
        rf"(?:^|[.!?,:;\-\"]\s*|\b(?:bitte|und|et|y|e|en|i|и|och|og|nie|не|ne|no|non|não|nicht|pas|niet|ve)\s)\W*"
        rf"(?:{EDIT[language]})"
    )
    words = r"(?:[\s,]+[^\s,!?]+){0,14}?[\s,]+(?:\w+\s)?"
    lead = rf"(?:^|[.!?:]\s*)(?:in|dans|en|nella?|em|w|в|на|i)\s{ANSWER[language]}"
    backward = rf"|{ANSWER[language]}(?:[\s,]+[^\s,!?]+){{0,8}}?[\s,]+(?:{EDIT[language]})" if language == "tr" else ""
    return Frame(
        "form of the answer",
        2,
        _cues(ANSWER_CUES[language]),
        re.compile(rf"{order}{words}{ANSWER[language]}|{lead}{backward}"),
        _PEOPLE,
    )


OTHER_LANGUAGES = (
    *(_disregard(language) for language in DISREGARD),
    *(_answer(language) for language in ANSWER),
    Frame("override", 2, _cues(OTHER_CUES["forget all"]), re.compile(FORGET_ALL)),
    Frame("override", 2, _cues(OTHER_CUES["override"]), re.compile(UNSPACED_DISREGARD)),
    Frame("form of the answer", 2, _cues(OTHER_CUES["only"]), re.compile(ONLY), _PEOPLE),
    Frame(
        "form of the answer",
        2,
        _cues(OTHER_CUES["answer"]),
        re.compile(UNSPACED_ANSWER),
        re.compile(r"客户|客戶|顧客|お客様|고객|邮件|メール|이메일"),
    ),
    Frame("addressee", 2, _cues(OTHER_CUES["addressee"]), re.compile(rf"(?:^|[.!?\n\"(]\s*|\b)(?:{ADDRESSED})")),
    Frame("prompt", 2, _cues(OTHER_CUES["prompt"]), re.compile(PROMPT)),
)
