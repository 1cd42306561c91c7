"""Text that its file shows to nobody by its looks alone: white on nothing, outside the page, or too small to be seen.

Only what is certain: colours depend on styles, themes and what lies behind, so white counts where nothing in the file
could lie behind it. What is wrongly taken out nobody finds; what is wrongly left in is still text (ADR 0023).
"""

import re
from typing import Any

_NOT_SHOWN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|content-visibility\s*:\s*hidden"
    r"|(?:opacity|font-size)\s*:\s*0*(?:\.0*)?[a-z%]*\s*(?:!important\s*)?(?:;|$)"
    r"|font-size\s*:\s*(?:1|0?\.\d+)p[xt]|color\s*:\s*transparent|text-indent\s*:\s*-\d{3,}"
    r"|(?:left|right|top|bottom)\s*:\s*-\d{3,}(?:px|pt|em|rem|vw|vh))",
    re.IGNORECASE,
)
_WHITE = (
    r"(?:white|#fff(?:f{3}|f{5})?|rgba?\(\s*255\s*,\s*255\s*,\s*255\s*(?:,\s*1\s*)?\)"
    r"|hsl\(\s*\d+\s*,\s*\d+%\s*,\s*100%\s*\))"
)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;]+)", re.IGNORECASE)
_BEHIND = re.compile(r"(?:^|;)\s*background(?:-color|-image)?\s*:\s*([^;]+)", re.IGNORECASE)
_IMPORTANT = re.compile(r"\s*!important\s*$", re.IGNORECASE)


def is_unseen(element: Any, *, styled: bool) -> bool:
    """Whether an element of HTML shows its reader nothing. `styled`: the page has style sheets, which may colour it."""
    style = element.get("style", "")
    if not style:
        return False
    return bool(_NOT_SHOWN.search(style)) or _has_colour_of_background(element, style, styled=styled)


def _has_colour_of_background(element: Any, style: str, *, styled: bool) -> bool:
    colour = _value(_COLOUR, style)
    if not colour:
        return False
    if (behind := _value(_BEHIND, style)) is not None:
        return behind == colour
    if styled or not re.fullmatch(_WHITE, colour):
        return False
    above = [element, *element.iterancestors()]
    return not any(
        _BEHIND.search(each.get("style", "")) or each.get("bgcolor") or each.get("background") for each in above
    )


def _value(pattern: re.Pattern[str], style: str) -> str | None:
    found = pattern.search(style)
    return _IMPORTANT.sub("", found[1]).strip().lower() if found else None


def is_styled(tree: Any) -> bool:
    """Whether a page of HTML has style sheets."""
    return any(True for _ in tree.iter("style")) or any("stylesheet" in (e.get("rel") or "") for e in tree.iter("link"))
