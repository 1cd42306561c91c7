"""Does a question lean on what was said before? By marks in its words, in English, German, French and Spanish. Pure.

Two uses, of different strictness. `leans` says how much earlier turns weigh in a search: a mistake costs little.
`is_incomplete` says that nothing can be searched for without them, and that we ask back: only what no reader could
answer counts.
"""

import re

from app.indexing.analysis.language import question_language
from app.indexing.analysis.stop_words import STOP_WORDS
from app.indexing.analysis.tokens import fold, surface
from app.indexing.terms import query_terms

# A question with as few words of its own as this says too little to stand alone behind others.
SHORT = 2
MAX_CHARACTERS = 2_000

# Words that point back to something. Left out are those that mostly do not: "es gibt", "il faut", "der", "la".
POINTING = {
    language: frozenset(words.split())
    for language, words in {
        "en": """it its they them their theirs he him his she her hers this that these those one ones there then such
            same other else another instead too also so""",
        "de": """er ihn ihm dies diese dieser dieses diesem diesen jene jener jenes jenem jenen solche solcher solches
            derselbe dieselbe dasselbe davon dafür damit dazu darüber darin daran darauf dabei dort dann denen
            dessen deren auch sonst andere anderer anderen anderes""",
        "fr": """elle ils elles lui leur leurs ceci cela ça celui celle ceux celles cet cette ces sa son ses même mêmes
            aussi autre autres là""",
        "es": """él ella ellos ellas esto eso este esta estos estas ese esa esos esas aquel aquella aquello suyo suya
            también otro otra otros otras mismo misma allí""",
    }.items()
}
# In German these point back only in lower case: "Sie" and "Ihre" address the reader.
LOWER_CASE = frozenset(["sie", "ihr", "ihre", "ihrer", "ihren", "ihrem", "ihnen"])
# Pronouns that stand for a thing or a person; "it" stands for nothing where EXPLETIVE matches.
PERSONAL = {
    "en": frozenset(["it", "its", "they", "them", "their", "theirs", "he", "him", "his", "she", "her", "hers"]),
    "de": frozenset(["er", "ihn", "ihm", "davon", "dafür", "dazu", "darüber"]),
    "fr": frozenset(["elle", "ils", "elles", "lui", "leur", "leurs"]),
    "es": frozenset(["él", "ella", "ellos", "ellas"]),
}
EXPLETIVE = re.compile(
    r"\b(?:it|its|that) (?:(?:still|really|even|usually|ever|typically|normally|not) )?(?:be |been )?"
    r"(?:take|takes|took|cost|costs|mean|means|matter|matters|seem|seems|possible|impossible|necessary|legal|illegal"
    r"|true|safe|ok|okay|allowed|permitted|required|mandatory|enough|worth|better|best|good|bad|normal|common|important"
    r"|easy|hard|difficult|advisable|a|an|the|that|to|too|rain|rains|snow|snows)\b"
)
# What begins a question that goes on from another.
_OPENERS = "and or but so then also und oder aber also dann auch et ou mais alors donc y e o u pero entonces también"
OPENERS = frozenset(_OPENERS.split())
OPENING = re.compile(
    r"(?:what about|how about|what if|why not|no|yes|i mean|i meant"
    r"|was ist mit|wie ist es mit|wie sieht es mit|wie steht es|ich meine|nein|ja"
    r"|qu en est il|et si|non|oui|je veux dire|qué tal|qué hay de|qué pasa con|y si|sí|quiero decir)\b"
)
# Words that ask for a measure or for more, and name nothing.
_NAMING_NOTHING = """
    long much many often far old big high soon late early tall deep more less tell explain elaborate mean know example
    examples detail details continue please thank thanks
    lange lang viel viele oft weit alt hoch spät früh mehr weniger genauer erklären erkläre beispiel beispiele bitte
    danke
    longtemps temps souvent loin plus moins exemple exemples expliquer expliquez détail détails merci
    tiempo menos ejemplo ejemplos explicar explique detalle detalles gracias favor
"""
NAMING_NOTHING = frozenset(_NAMING_NOTHING.split())
LETTER = re.compile(r"[A-Za-zÀ-ɏ]\W*")  # alone it names nothing; a sign of Chinese or Japanese does


def leans(question: str) -> bool:
    """Whether a question seems to go on from earlier ones: by what opens it, by words that point back, or by having
    at most SHORT words of its own.
    """
    words = surface(question[:MAX_CHARACTERS])
    return len(content(question)) <= SHORT or _opens(words) or _points_back(question, words)


def is_incomplete(question: str) -> bool:
    """Whether a question names nothing that could be searched for, so that without an earlier one it has no answer:
    "And how long?", "And divers?", "How does it affect performance?".
    """
    words = surface(question[:MAX_CHARACTERS])
    if not words:
        return False
    named = [form for form in content(question) if form not in NAMING_NOTHING]
    if not named or LETTER.fullmatch(question.strip()):
        return True
    if words[0] in OPENERS and len(named) == 1 and len(words) <= 3:
        return True
    return len(named) <= SHORT and _pronoun_before(words, named, question_language(question))


def content(question: str) -> list[str]:
    """The words of a question that name something, as they are written there, case-folded."""
    text = question[:MAX_CHARACTERS]
    # A question of few words shows its language to `question_language` where its terms are taken for English.
    empty = OPENERS | STOP_WORDS.get(question_language(text), frozenset())
    return [word.form for word in query_terms(text) if not word.extra and word.form not in empty]


def _opens(words: list[str]) -> bool:
    return bool(words) and (words[0] in OPENERS or OPENING.match(" ".join(words[:4])) is not None)


def _points_back(question: str, words: list[str]) -> bool:
    language = question_language(question)
    if not POINTING.get(language, POINTING["en"]).isdisjoint(words):
        return True
    return language == "de" and any(word in LOWER_CASE for word in re.findall(r"\w+", question[:MAX_CHARACTERS]))


def _pronoun_before(words: list[str], named: list[str], language: str) -> bool:
    """Whether a pronoun stands before all that it could stand for."""
    pronouns = PERSONAL.get(language, frozenset())
    first = next((n for n, word in enumerate(words) if word in pronouns), None)
    if first is None or EXPLETIVE.search(" ".join(words)):
        return False
    forms = {fold(form) for form in named}
    return forms.isdisjoint(words[:first])
