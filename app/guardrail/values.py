"""What looks like a secret value, and what only stands where one could stand."""

import math
import re
from collections import Counter

from app.guardrail.check import Run
from app.guardrail.cues import unspaced_characters

# Where a value can begin: after a blank, a quote, a sign that assigns, or a word of a script without blanks.
VALUE_START = re.compile(
    rf"""(?<=[ \n=:"'`(>,{unspaced_characters()}])(?![{unspaced_characters()}])(?=[^ \n"'`=:<>()\[\]{{}},;&])"""
)

# A quoted value may hold blanks; it ends at the next quote.
QUOTED_START = re.compile(r"""(?<=["'`])(?=[^"'`\n])""")
QUOTED_RUN = Run(re.compile(r"""[^"'`\n]{0,80}"""), 80)

# Templates; calls and subscripts; addresses and paths; options; words of configuration; names; numbers and times.
_CODE = re.compile(
    r"""\$\{.*|\$\(.*|\$[a-z_]+|\{\{.*|\{[\w.]+\}.*|<.*|%[sd(].*|\[.*|\#.*
    |[\w.>\-]+[(\[].*
    |https?:.*|[/~.]{1,2}/.*|/[a-z]+/.*
    |-{1,2}[a-z][a-z\-]*
    |redacted\b.*|1password.*|true|false|null|none|nil|undefined|string|str|int|bool(?:ean)?|x{3,}|[-_.=]+
    |[a-z_]+(?:\.[a-z_]+)+\d?|(?-i:[A-Z][A-Z_]{5,})|(?:your|my|the|some|example|insert|enter)[-_].*
    |(?:0x)?\d{1,5}(?:\.\d+)*(?:px|em|ms|s|%|st|nd|rd|th)?|\d{4}-\d\d-\d\d.*|\d\d?:\d\d.*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


_HUMP = re.compile(r"[a-z][A-Z]")


def entropy(value: str) -> float:
    """Shannon entropy of the characters, in bits a character."""
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())


def is_code(value: str) -> bool:
    """Whether the value is a template, a call, a path, a type or a plain number rather than a literal secret."""
    return _CODE.fullmatch(value) is not None


def is_mixed(value: str) -> bool:
    """Whether letters stand beside digits or signs, or capitals inside the word: what words of prose do not do."""
    letters = any(character.isalpha() for character in value)
    digits = any(character.isdigit() for character in value)
    signs = any(character in "!@#$%^&?+~|\\" for character in value)
    humps = _HUMP.search(value) is not None
    return (letters and (digits or signs)) or (digits and signs) or humps
