"""Words and turns of phrase that say nothing a passage could support, in English, German, French and Spanish."""

import re

# Words of the answer, not of what it says: they are not looked up.
LIGHT = frozenset(
    re.findall(
        r"\S+",
        """
        however therefore thus hence additionally moreover furthermore also indeed specifically particularly especially
        generally typically usually overall essentially basically actually simply certainly according accordingly
        based regarding concerning whether please note noted important importantly essential keep mind remember mention
        mentioned state stated say says said following follow below above various several different certain particular
        specific many yes no okay ok sure etc example instance essence summary conclusion short brief briefly likely
        possibly potentially perhaps maybe able ability allow allows allowing include includes included including
        involve involves involving provide provides provided make makes made use used uses using get gets given give
        gives help helps ensure ensures well way ways within while since although though despite upon among amongst
        along already become becomes known refer refers relate related relevant available information detail details
        question answer passage passages source sources document documents context text section
        jedoch daher somit zudem außerdem insbesondere allgemein normalerweise grundsätzlich laut gemäß bitte beachten
        wichtig folgende folgenden verschiedene mehrere bestimmte ja nein beispiel zum möglich möglicherweise zusätzlich
        verfügbar information informationen frage antwort quelle quellen dokument dokumente abschnitt sowie jeweils
        cependant donc ainsi également notamment généralement selon veuillez noter important suivant suivante suivants
        différents plusieurs certains oui non exemple possible disponible information informations question réponse
        document documents source sources
        además también por tanto embargo generalmente según importante siguiente siguientes varios diferentes ciertos sí
        ejemplo posible disponible información pregunta respuesta documento documentos fuente fuentes
        """,
    )
)
# A sentence that begins like this, holds no fact and little else is said about the answer, not about the subject.
OPENING = re.compile(
    r"""(?ix)^\W*(?:
      here\s(?:is|are)\b | here's\b | based\son\b | according\sto\b | sure\b | certainly\b | of\scourse\b
    | hello\b | hi\b | dear\b | thank | thanks\b | you'?re\swelcome
    | let\sme\b | let\sus\b | i\shope\b | i\scan\b | i\sam\b | i'm\b
    | i\swould\b | i'd\b | please\slet\b | if\syou\s(?:have|need|would)\b | feel\sfree\b
    | in\s(?:summary|short|conclusion)\b | to\sanswer\b | to\ssummari[sz]e\b
    | as\san\sai\b | the\s(?:passages?|documents?|sources?)\b
    | note\b | good\squestion
    | hier\s(?:ist|sind|finden)\b | hallo\b | danke | gerne?\b | natürlich\b | laut\b | gemäß\b | zusammengefasst\b
    | ich\shoffe\b | ich\skann\b | wenn\ssie\b | falls\ssie\b | bitte\b | die\spassagen\b | die\squellen\b
    | voici\b | bonjour\b | merci\b | bien\ssûr\b | selon\b | d'après\b | en\srésumé\b | j'espère\b | je\s | n'hésitez\b
    | aquí\b | hola\b | gracias\b | claro\b | según\b | en\sresumen\b | espero\b | si\snecesita
    )"""
)
# The model says that it does not know; what is said so needs no support.
UNKNOWN = re.compile(
    r"""(?ix)
      \b(?:do(?:es)?\snot|don't|doesn't|cannot|can't|could\snot|couldn't|did\snot|didn't|not\sable\sto|unable\sto
        |no\sinformation|isn't\sany|there\sis\sno\b.{0,40}\b(?:passages?|sources?|documents?|context|information)
        |not\s(?:mentioned|stated|specified|given|provided|contained|covered|found|answered|in\sthe))
      .{0,60}\b(?:passages?|sources?|documents?|context|answer|information|mention|specify|say|state|know|find|contain)
    | \b(?:passages?|sources?|documents?|context)\b.{0,40}\b(?:do(?:es)?\snot|don't|doesn't)\b
    | \bi\s(?:do\snot|don't)\sknow\b | \bi'?m\s(?:sorry|afraid)\b | \bi\sam\s(?:sorry|afraid)\b | \bunfortunately,?\si\b
    | \bnot\sin\sthe\spassages\b | \b(?:passagen|quellen|dokumente)\b.{0,60}\b(?:nicht|keine?n?)\b
    | \b(?:passages|sources|documents)\b.{0,40}\bne\b.{0,30}\bpas\b | \bno\b.{0,30}\b(?:documentos|fuentes|pasajes)\b
    | \b(?:documentos|fuentes|pasajes)\sno\b
    """
)
# The prompt's own numbers, when a model speaks of them.
OWN_NUMBER = re.compile(
    r"(?i)\b(?:passages?|sources?|quellen?|fuentes?|pasajes?|abschnitte?)\s+\d{1,2}"
    r"(?:\s*(?:,|and|und|et|y|-)\s*\d{1,2})*\b"
)
_YES, _NO = frozenset(["yes", "ja", "oui", "sí"]), frozenset(["no", "nein", "non"])


def bare_reply(text: str) -> bool | None:
    """Whether a sentence is a mere yes or a mere no; None for every other."""
    word = "".join(re.findall(r"\w+", text)).casefold()
    return True if word in _YES else False if word in _NO else None
