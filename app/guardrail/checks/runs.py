"""Where checks start and how far they read. Those that share both are asked together, which is what a start costs."""

import re

from app.guardrail.check import INSIDE, Run

# A number, and what may be said of it right behind: an extension, that it is a fax, a month.
NUMBER_AND_LABEL = Run(
    re.compile(
        r"(?:[+(0-9][0-9 ().+/\-]{0,47}(?:st|nd|rd|th)?,? ?(?:(?:of|de|del)(?= ) )?(?:[^\W\d_]{0,"
        r"10})[.,:/\-]? ?(?:(?:of|de|del) |del?|of?|d)?[0-9]{0,6})?"
    ),
    84,
    min_extent=3,
)
# A word of up to seven letters and then a digit, or a digit and somewhere behind it a letter.
ALNUM_START = re.compile(
    r"[A-Za-z](?<![A-Za-z0-9].)(?=[A-Za-z]{0,6}+[.\-]?\d)|\d(?<![A-Za-z0-9].)(?=[\d.\-/+]{0,20}+[A-Za-z])", re.ASCII
)
# A code of capitals and digits in groups: up to three capitals, or capitals and a number, then a blank or a hyphen.
CODE_START = re.compile(r"[A-Z](?<![\w\-/.].)(?=[A-Z]{0,2}(?:[ \-]|\d[A-Z\d]{0,2} ))", re.ASCII)
CODE = Run(
    re.compile(r"(?:[A-Z]{1,3}(?:\d[A-Z\d]{0,2})?(?:[ \-](?:[A-Z\d][A-Z\d \-]{0,14})?)?)?", re.ASCII), 22, min_extent=5
)
# Pairs or fours of hexadecimal digits, as in addresses of networks and their cards.
HEX_START = re.compile(
    r"[0-9A-Fa-f](?<![A-Za-z0-9_:.].)(?=[0-9A-Fa-f]{0,3}+(?::|-[0-9A-Fa-f]{2}-|\.[0-9A-Fa-f]{4}\.))"
    r"|:(?<![A-Za-z0-9_:.].)(?=:)",
    re.ASCII,
)

# A placeholder, whole or with its beginning cut off by the left edge of what a decision may read.
_PLACEHOLDER = re.compile(rf"(?:\[redacted: |\A[a-z: ]{{0,11}}){INSIDE}")


def words_before(before: str) -> str:
    """The text before a start without our own placeholders, whose words name nothing."""
    return _PLACEHOLDER.sub("]", before) if "]" in before else before
