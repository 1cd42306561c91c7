"""Passphrases: several words in a row that the text calls a password, passphrase or seed."""

import re

from app.guardrail.check import Cue, PatternCheck, Run
from app.guardrail.checks.password import SUFFIXES, is_word_of_sentence
from app.guardrail.cues import FrameEnd, frame
from app.guardrail.lookalikes import lowered
from app.guardrail.values import VALUE_START

_SEED_PHRASE = r"(?:seed|recovery|mnemonic|secret|backup|wallet) (?:phrase|words?)"
_SEED = rf"{_SEED_PHRASE}|mnemonic|seed"
_FRAME, _WORDS = frame("password", name=_SEED)
_CUE = Cue(
    (*_WORDS, "seed", "phrase", "mnemonic", "words"), re.compile(_FRAME + r"""["'`]?\Z"""), FrameEnd("password", _SEED)
)
_WORDS_OF_SEED = 24
_RUN = Run(re.compile(r"[a-z]{0,14}(?:[ \-][a-z]{0,14})*"), 160)
_PHRASE = re.compile(rf"[a-z]{{3,14}}(?:[ \-][a-z]{{3,14}}){{3,{_WORDS_OF_SEED - 1}}}(?=[.,;!?\n\"'`)]|\Z)")

_FUNCTION_WORDS = frozenset(
    """
    and any are but for from has have must not our should that the them they this was when which will with you your
    """.split()  # noqa: SIM905 (a list would take one line a word)
)


_BETWEEN = re.compile(r"[ \-]")
# What stands before "passphrase" where the words behind it are one, and no sentence about it.
_GIVEN = re.compile(
    r"(?:(?:\A|\n)|(?<![a-z])(?:with|using|use|enter|type|say|is) (?:(?:the|this|my|our|your|his|her|their|its) )?)\Z"
)
_PHRASE_NAME = re.compile(rf"passphrase|{_SEED_PHRASE}")


def _is_phrase(match: re.Match[str], before: str) -> bool:
    cue = _CUE.found(lowered(before))
    words = _BETWEEN.split(match[0])
    if cue is None or any(word in _FUNCTION_WORDS for word in words):
        return False
    return len(words) >= 12 or not _is_sentence(words, cue)


def _is_sentence(words: list[str], cue: re.Match[str]) -> bool:
    """Whether the words go on with a sentence about the passphrase: "is valid for three months", "expires monthly"."""
    if cue["bare"] is not None and cue[0].endswith(" "):
        given = _PHRASE_NAME.match(cue[0]) is not None and _GIVEN.search(cue.string, 0, cue.start()) is not None
    else:
        given = not words[0].endswith(SUFFIXES)
    return not given or 4 * sum(map(is_word_of_sentence, words)) > len(words)


CHECK = PatternCheck(
    kind="credential",
    reason="called a passphrase",
    pattern=_PHRASE,
    accept=_is_phrase,
    opener=VALUE_START,
    run=_RUN,
    cue=_CUE,
)
