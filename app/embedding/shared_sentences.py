"""The entailment model for tests: a text entails a sentence whose words it has all. It knows no meaning."""

import hashlib
import re
from collections.abc import Sequence

from app.embedding.entailment import Entailment

WORD = re.compile(r"\w+")
DENIAL = "not"
RECIPE = f"shared-sentences-1 {WORD.pattern} {DENIAL}"


class SharedSentences:
    """Entailed by the share of the sentence's words that a text has; contradicted instead where one of them denies."""

    name = "shared-sentences"
    digest = hashlib.sha256(RECIPE.encode()).hexdigest()

    def judge(self, texts: Sequence[str], sentence: str) -> list[Entailment]:
        """One for each text, in their order."""
        said = _words(sentence)
        return [_judged(_words(text), said) for text in texts]


def _judged(given: frozenset[str], said: frozenset[str]) -> Entailment:
    share = len(said & given) / len(said) if said else 0.0
    return Entailment(0.0, share) if (DENIAL in said) != (DENIAL in given) else Entailment(share, 0.0)


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.lower()))
