"""Detects the language of a text by its stop words, and of a question by more than these: it is short."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from app.indexing.analysis.stems import LANGUAGES
from app.indexing.analysis.stop_words import STOP_WORDS
from app.indexing.analysis.tokens import canonical, compounds, fold

# Words of the text that are counted.
MAX_WORDS = 400
# A single stop word of another language may be a word of this one: "die", "era", "van".
MIN_STOP_WORDS = 2
# Characters of a question that are looked at.
MAX_CHARACTERS = 4_000
# Words that begin a question. Left out are those that begin other things in English: "comment", "chi", "hay", "var".
OPENERS = {
    language: frozenset(openers.split())
    for language, openers in {
        "en": """who whom whose what which when where why how is are am was were do does did can could may might must
            shall should will would has have had""",
        "de": """wer wen wem wessen was welche welcher welches welchen wann wo wohin woher wie wieso weshalb warum womit
            wofür woran worauf wieviel wieviele ist sind darf dürfen kann können muss müssen soll gibt bekomme habe""",
        "fr": "qui que quoi quel quelle quels quelles quand où pourquoi combien est-ce puis-je peut-on dois-je faut-il",
        "es": """quién quiénes qué cuál cuáles cuándo dónde adónde cómo cuánto cuánta cuántos cuántas puedo debo
            tengo""",
        "it": "che cosa quale quali quando perché quanto quanta quanti quante posso devo",
        "nl": "wie wat welke wanneer waar waarom waarheen hoeveel kan moet",
        "pt": "quem que quais quando onde como porquê quanto quanta quantos quantas posso devo",
        "sv": "vem vad vilken vilket vilka när varför hur får kan",
        "da": "hvem hvad hvilken hvilket hvilke hvornår hvor hvorfor hvordan må kan",
        "fi": "kuka mikä mitä mitkä milloin missä minne miksi miten kuinka montako saako voinko",
        "no": "hvem hva hvilken hvilket hvilke når hvor hvorfor hvordan får kan",
    }.items()
}
# Letters that few languages write; the last languages have no stop words here, so each word counts.
LETTERS = {
    "de": "äöüß", "fr": "çœêèàùûîô", "es": "ñáíóú", "pt": "ãõç", "sv": "åäö", "da": "æøå", "no": "æøå", "fi": "äö",
    "it": "èàùò", "pl": "łąężźśćń", "cs": "řěů", "hu": "őű", "tr": "ğış", "ro": "șțăţ",
}  # fmt: skip
# The language that is assumed for a script: other languages that it writes are few among questions, or unknown alike.
SCRIPTS = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "HANGUL": "ko", "THAI": "th", "LAO": "lo", "MYANMAR": "my",
    "KHMER": "km", "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "BENGALI": "bn",
    "TAMIL": "ta", "TELUGU": "te", "GUJARATI": "gu", "KANNADA": "kn", "MALAYALAM": "ml", "GURMUKHI": "pa",
    "ARMENIAN": "hy", "GEORGIAN": "ka", "ETHIOPIC": "am",
}  # fmt: skip
# All that `question_language` may give.
QUESTION_LANGUAGES = frozenset((*LANGUAGES, *LETTERS, *SCRIPTS.values()))


def language_of(words: Iterable[str]) -> str:
    """The language of the most stop words among these case-folded words, each counted once.

    English at ties, and where no other language has at least two.
    """
    counts = dict.fromkeys(LANGUAGES, 0)
    for word in set(islice(words, MAX_WORDS)):
        for language in LANGUAGES:
            if word in STOP_WORDS[language]:
                counts[language] += 1
    best = max(LANGUAGES, key=counts.__getitem__)
    return best if counts[best] >= MIN_STOP_WORDS else LANGUAGES[0]


def question_language(text: str) -> str:
    """The language that a question is asked in, as its ISO 639-1 code: a function of the text alone.

    By the script if that is not Latin; else by stop words, by the word that begins it, and by letters that few
    languages have. Two of these are needed, or a question mark behind a beginning that one language alone has, and
    more than speak for English, which is assumed otherwise: a name ("Müller") or one word of two languages ("die",
    "van", "plus") proves nothing.
    """
    text = canonical(text[:MAX_CHARACTERS])
    if script := _script_language(text):
        return script
    words = [fold(match.group()) for match in compounds(text)]
    counts: Counter[str] = Counter()
    for word in set(words):
        counts.update(language for language in LANGUAGES if word in STOP_WORDS[language])
    opened = [language for language, openers in OPENERS.items() if words and words[0] in openers]
    alone = len(opened) == 1 and text.rstrip().endswith("?")
    counts.update(dict.fromkeys(opened, MIN_STOP_WORDS if alone else 1))
    counts["es"] += 2 * ("¿" in text or "¡" in text)
    for language, letters in LETTERS.items() if not text.isascii() else ():
        having = sum(not set(letters).isdisjoint(word) for word in set(words))
        counts[language] += min(having, 1) if language in LANGUAGES else having
    best = max((*LANGUAGES, *LETTERS), key=counts.__getitem__)
    return best if counts[best] >= MIN_STOP_WORDS else LANGUAGES[0]


def _script_language(text: str) -> str | None:
    """The language of the script that most letters are of; None for Latin, and for a script that is not known.

    Japanese writes Han too: some kana are enough. A Latin name in such a question is longer than it is important, so
    each letter of a script without spaces counts for two.
    """
    counts: Counter[str] = Counter()
    for character in text:
        if character.isalpha():
            script = unicodedata.name(character, "").partition(" ")[0]
            counts[SCRIPTS.get(script, "")] += 2 if script in ("HIRAGANA", "KATAKANA", "CJK", "THAI") else 1
    if not counts:
        return None
    language = max(sorted(counts), key=counts.__getitem__)
    return "ja" if language == "zh" and counts["ja"] else language or None
