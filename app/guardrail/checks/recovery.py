"""What restores an account or a wallet: seed phrases (BIP-39), recovery codes and the seeds of one-time passwords."""

import re
from collections.abc import Callable

from app.guardrail.check import NUMBER_START, Cue, PatternCheck, Run, Tail

_START = re.compile(r"(?<=[ \n:=\"'`])(?=[A-Za-z0-9])")
_RUN = Run(re.compile(r"[A-Za-z0-9 ,;.)\n\-]{0,128}"), 128, min_extent=6)
_CUE = Cue(
    (
        "recovery ",
        "backup ",
        "scratch code",
        "seed",
        "secret phrase",
        "wallet",
        "mnemonic",
        "otp",
        "2fa",
        "mfa",
        "authenticator",
    ),
    re.compile(
        r"(?:"
        r"(?P<phrase>(?:seed|recovery|backup|secret|wallet|mnemonic) (?:phrase|words?)|mnemonic|wallet seed)"
        r"|(?P<codes>(?:recovery|backup|scratch|2fa|mfa) codes?)"
        r"|(?P<seed>(?:totp|otp|2fa|mfa|authenticator)(?: (?:app|setup))?[ _\-](?:seed|secret|key|setup key))"
        r")(?: (?:for|of|to|from|on) [^\n:=.;]{1,40})?"
        r"(?: (?:is|are|was|were|reads|words?)){0,2}[ :=\n\"'`]{1,4}(?:- )?\Z"
    ),
)


def _behind(name: str) -> Callable[[re.Match[str], str], bool]:
    """Accepts what stands behind this part of the cue."""

    def accept(match: re.Match[str], before: str) -> bool:
        cue = _CUE.found(before.lower())
        return bool(match) and cue is not None and cue[name] is not None

    return accept


# Words that sentences are made of; none of them is in the list of seed words.
_FUNCTION = (
    r"(?:the|and|for|with|are|was|were|our|your|you|not|its|has|have|but|which|this|these|those|from|into|been|will|would|"
    r"should|must|may|might|can't|cannot|who|how|why|then|them|they|their|there|per|via)"
)
_SEED_WORD = rf"(?!{_FUNCTION}(?![a-z]))[a-z]{{3,8}}"
SEED_PHRASE = PatternCheck(
    kind="credential",
    reason="seed phrase",
    pattern=re.compile(rf"{_SEED_WORD}(?:[ ,\n]{{1,2}}{_SEED_WORD}){{11}}(?![a-z])"),
    accept=_behind("phrase"),
    run=_RUN,
    opener=_START,
    cue=_CUE,
    tail=Tail(re.compile(rf"[ ,\n]{{1,2}}{_SEED_WORD}(?![a-z])"), closer=True, ahead=1, longest=12),
)
_CODE = r"(?=[A-Za-z]{0,10}\d)[A-Za-z0-9]{4,10}(?:[\- ](?=[A-Za-z]{0,10}\d)[A-Za-z0-9]{3,10}){0,4}"
_NEXT = rf"[ ,;\n]{{1,3}}(?:- |\d{{1,2}}[.)] )?{_CODE}"
RECOVERY_CODES = PatternCheck(
    kind="credential",
    reason="recovery codes",
    pattern=re.compile(rf"(?:\d{{1,2}}[.)] )?{_CODE}(?:{_NEXT}){{0,3}}(?![A-Za-z0-9\-])"),
    accept=_behind("codes"),
    run=_RUN,
    opener=_START,
    cue=_CUE,
    tail=Tail(re.compile(rf"{_NEXT}(?![A-Za-z0-9\-])"), closer=True, ahead=1, longest=64),
)
OTP_SEED = PatternCheck(
    kind="credential",
    reason="seed of one-time passwords",
    pattern=re.compile(r"[A-Z2-7]{4}(?:[ \-]?[A-Z2-7]{4}){3,7}(?![A-Za-z0-9])"),
    accept=_behind("seed"),
    run=_RUN,
    opener=_START,
    cue=_CUE,
)

# What unlocks a disk that BitLocker encrypts: eight groups of six digits, each divisible by eleven.
DISK_KEY = PatternCheck(
    kind="credential",
    reason="recovery key of a disk",
    pattern=re.compile(r"\d{6}(?:[ \-]\d{6}){7}(?!\d)", re.ASCII),
    run=Run(re.compile(r"[\d \-]{0,56}", re.ASCII), 56, min_extent=55),
    opener=NUMBER_START,
)

CHECKS = (SEED_PHRASE, RECOVERY_CODES, OTP_SEED, DISK_KEY)
