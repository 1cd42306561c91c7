"""What a sentence denies, and whether two sentences about the same thing say the opposite. Pure.

A negation is a cue ("not", "kein", "sans") with the words it governs: those behind it up to the end of its clause, four
at most. Two sentences are opposed if one denies what the other affirms, or has the opposite of one of its words.
"""

import re
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

_CUES = frozenset(
    re.findall(
        r"\S+",
        """
        not no never none cannot nobody nothing neither nor without
        nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder
        ne pas jamais aucun aucune rien personne sans
        nunca jamás ningún ninguna ninguno nadie nada sin tampoco
        """,
    )
)
# These deny in one language and mean something else in another.
_ONLY = {"no": ("en", "es"), "ne": ("fr",), "pas": ("fr",), "personne": ("fr",), "nada": ("es",), "sin": ("es",),
         "rien": ("fr",), "sans": ("fr",), "nie": ("de",), "none": ("en",), "not": ("en",)}  # fmt: skip
# Words that deny as well: they answer a cue of the other side, and are no cue themselves.
_WEAK = frozenset(
    re.findall(
        r"\S+",
        """
        unable impossible lack lacks lacking fail fails failed refuse refuses refused prohibit prohibits prohibited
        forbid forbids forbidden ban bans banned deny denies denied exclude excludes excluded excluding except exempt
        exempted unless rarely hardly illegal invalid avoid avoids prevent prevents
        verboten unmöglich untersagt außer interdit impossible sauf prohibido imposible excepto
        """,
    )
)
_OPPOSITES = [
    tuple(pair.split("/"))
    for pair in re.findall(
        r"\S+",
        """
        before/after increase/decrease increases/decreases increased/decreased more/less more/fewer higher/lower
        maximum/minimum most/least always/never all/none include/exclude includes/excludes included/excluded
        required/optional mandatory/optional mandatory/voluntary internal/external accept/reject accepted/rejected
        accepts/rejects approve/reject approved/rejected above/below first/last enable/disable enabled/disabled
        allowed/forbidden allowed/prohibited permitted/prohibited permitted/forbidden start/end starts/ends begin/end
        begins/ends opens/closes open/closed earlier/later early/late true/false public/private paid/unpaid
        taxable/tax-free possible/impossible able/unable with/without inside/outside encrypted/unencrypted
        valid/invalid legal/illegal safe/unsafe complete/incomplete rise/fall rises/falls rose/fell gain/loss
        buy/sell win/lose wins/loses won/lost success/failure best/worst oldest/newest largest/smallest cheap/expensive
        arrival/departure deductible/nondeductible credit/debit import/export upload/download encrypt/decrypt
        vor/nach mehr/weniger höher/niedriger maximal/minimal immer/nie erlaubt/verboten intern/extern
        avant/après plus/moins maximum/minimum toujours/jamais interne/externe autorisé/interdit
        antes/después más/menos máximo/mínimo siempre/nunca interno/externo permitido/prohibido
        """,
    )
]
# Words that bind more and less: they contradict in the same place of a sentence, and nowhere else.
_FORCES = [
    tuple(pair.split("/"))
    for pair in re.findall(
        r"\S+",
        """
        must/may must/can shall/may all/some every/some always/sometimes
        muss/kann müssen/können alle/einige doit/peut doivent/peuvent debe/puede deben/pueden todos/algunos
        """,
    )
]


def _both_ways(pairs: Iterable[Sequence[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


_OPPOSITE = _both_ways(_OPPOSITES)
_OTHER_FORCE = _both_ways(_FORCES)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[,.;:!?()—–]")
_BREAKS = frozenset(
    ["but", "although", "though", "whereas", "while", "because", "aber", "sondern", "obwohl", "mais", "pero", "aunque"]
)
MAX_GOVERNED = 4
# Behind "not" these leave open what it would deny.
SOFTENED = frozenset(["only", "just", "nur", "seulement", "necessarily"])
# Between a cue and what it denies.
ADVERBS = frozenset(
    re.findall(
        r"\S+",
        """
        typically usually generally normally currently yet really actually often also even very so quite always in
        longer any
        üblicherweise normalerweise immer noch auch toujours encore aussi siempre también
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Negation:
    """One cue: the stems it governs in order, what it denies first, and those of its whole clause."""

    governed: tuple[str, ...]
    clause: frozenset[str]

    def is_answered_by(self, other: "Negation") -> bool:
        """Whether another sentence's negation denies the same."""
        return (
            not set(self.governed).isdisjoint(other.governed)
            or self.governed[:1] == ()
            or self.governed[0] in other.clause
        )


@dataclass(frozen=True, slots=True)
class Polarity:
    """The negations of a sentence, whether it has a word that denies in another way, and its words as written."""

    negations: tuple[Negation, ...]
    weak: bool
    words: frozenset[str]


def polarity(text: str, language: str, stem: Callable[[str], str | None]) -> Polarity:
    """Of one sentence. `stem` gives the stem of a word, or None for a stop word."""
    words = [m[0].casefold().replace("’", "'") for m in _WORD.finditer(text)]
    found: list[Negation] = []
    for at, word in enumerate(words):
        if _is_cue(words, at, language):
            ahead = _stems(words[at + 1 :], stem)
            behind = _stems(reversed(words[:at]), stem)
            if word == "pas" and found and found[-1].clause == frozenset(behind + ahead):
                continue
            found.append(Negation(tuple(ahead[:MAX_GOVERNED]), frozenset(behind + ahead)))
    written = frozenset(words)
    return Polarity(tuple(found), not written.isdisjoint(_WEAK), written)


def denies(word: str, language: str) -> bool:
    """Whether a word by itself denies in a language."""
    return word.endswith("n't") or (word in _CUES and language in _ONLY.get(word, (language,)))


def _is_cue(words: list[str], at: int, language: str) -> bool:
    word = words[at]
    if not denies(word, language):
        return False
    following = words[at + 1] if at + 1 < len(words) else ""
    if word in {"no", "nein", "non"} and following in {
        ",",
        ".",
        "",
        "!",
        ":",
        "matter",
        "more",
        "less",
        "later",
        "earlier",
        "fewer",
    }:
        return False
    if word == "none" and following not in {"of", "."}:
        return False
    return not (
        (word in {"not", "nicht", "pas"} and following in SOFTENED)
        or (word == "nothing" and following == "but")
        or (at > 0 and words[at - 1] in {"or", "if", "whether", "why", "oder", "ou"} and following in {"", ",", "."})
    )


def _stems(words: Iterable[str], stem: Callable[[str], str | None]) -> list[str]:
    found = []
    for word in words:
        if word in ",.;:!?()—–" or word in _BREAKS:
            break
        if word not in ADVERBS and (known := stem(word)) is not None:
            found.append(known)
    return found


def is_weak(word: str) -> bool:
    """Whether a word denies in another way than "not": "unable", "prohibited"."""
    return word in _WEAK


def opposites(word: str) -> Set[str]:
    """The opposites of a word; of a modal or a quantity too, which only mean one in the same place of a sentence."""
    return _OPPOSITE.get(word, set()) | _OTHER_FORCE.get(word, set())


def has_opposite(claim: Polarity, source: Polarity) -> bool:
    """Whether one has the opposite of a word of the other."""
    for word in claim.words - source.words:
        others = _OPPOSITE.get(word)
        if others and any(o in source.words and o not in claim.words for o in others):
            return True
    return False
