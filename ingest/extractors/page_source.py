"""Marks of page generators in the source of a Markdown page, which no reader of the page sees. Pure.

Taken out, or turned into what CommonMark knows: tags of templates, marks of admonitions and tabs, attribute lists and
heading ids, marks of footnotes, targets of links that CommonMark does not take for one, imports of MDX. Their text
stays, and code and maths stay as they are.
"""

import re
from collections import Counter
from re import Match

from ingest.extractors.templates import strip_templates
from ingest.extractors.verbatim import code_lines, replace_outside, verbatim_spans

# Of kramdown and of its like: .class, #id, key="value", and names alone.
_ATTRIBUTE = r"(?:\.[\w-]+|#[\w().:/-]+|[\w:-]+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'{}]+))"
_ATTRIBUTES = rf"\{{:?\s*{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*\s*\}}"
_KRAMDOWN = rf"\{{:{{1,2}}\s*(?:/|/?[\w.-]+|{_ATTRIBUTE})(?:\s+(?:[\w-]+|{_ATTRIBUTE})){{0,40}}\s*/?\}}"

# A value of a component, with braces three deep.
_BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,500}\}){0,500}\}){0,1000}\}"

# Indented text under a mark of mkdocs, or under a footnote's, belongs to it.
_CONTAINER = re.compile(
    r"(?P<indent>[ \t]*)(?:(?:!!!|\?\?\?\+?)[ \t]+[\w-]+(?:[ \t]+[\w -]+)?(?:[ \t]+\"(?P<title>[^\"\n]*)\")?"
    r"|===[+!]?[ \t]+\"(?P<tab>[^\"\n]*)\"|\[\^[^\]\s]{1,60}\]:(?P<note>.*))[ \t]*"
)
_LINES = [
    # kramdown replaces the list before this by the contents of the page.
    (re.compile(r"^[ \t]*(?:[*+-]|1\.)[ \t][^\n]*\n[ \t]*\{:[ \t]*toc\b[^}\n]*\}[ \t]*$", re.MULTILINE | re.I), r""),
    (re.compile(rf"^[ \t>]*{_KRAMDOWN}[ \t]*$", re.MULTILINE), r""),
    # The name of a place of MyST, and a file to be put here.
    (re.compile(r"^\([\w:.-]{1,100}\)=[ \t]*$", re.MULTILINE), r""),
    (re.compile(r"^[ \t]*;?-{1,}8<-{1,}(?:[ \t]+\"[^\"\n]*\")?[ \t]*$", re.MULTILINE), r""),
    # A component with values that HTML does not know.
    (
        re.compile(
            rf"<(?=[^<>]{{0,1000}}=\{{)[A-Z][\w.]*(?:\s+[\w:-]+(?:=(?:\"[^\"]*\"|'[^']*'|{_BRACES}))?){{0,40}}\s*/?>"
        ),
        r"",
    ),
    (re.compile(r"^[ \t]*(?:\[\[_?toc_?\]\]|\[toc\]|@\[toc\](?:\([^)\n]*\))?)[ \t]*$", re.MULTILINE | re.I), r""),
    (re.compile(rf"^([ \t]*(?:[*+-]|\d+[.)])[ \t]+){_KRAMDOWN}[ \t]*", re.MULTILINE), r"\1"),
    (re.compile(r"^((?:[ \t]*>)+[ \t]*)\[![A-Za-z]+\][+-]?[ \t]*", re.MULTILINE), r"\1"),
    (re.compile(r"^(#{1,6}[ \t][^\n]*?)[ \t]*\{[#.:][^{}\n]*\}[ \t]*#*[ \t]*$", re.MULTILINE), r"\1"),
    (re.compile(r"(?<=\S)[ \t]*\{#[\w().:#-]{1,120}\}[ \t]*$", re.MULTILINE), r""),
    (re.compile(rf"(?<=[)\]*_`])(?:{_KRAMDOWN}|{_ATTRIBUTES})"), r""),
    # Definitions may not interrupt a paragraph, but authors write them so.
    (
        re.compile(
            r"(?<=[^\n])\n(?= {0,3}\[(?!\^)[^\]\n]{1,100}\]:[ \t]*(?:x|<|https?:|mailto:|/|\.|#)[^\s]*"
            r"(?:[ \t]+[\"'(][^\n]*)?[ \t]*$)",
            re.MULTILINE,
        ),
        "\n\n",
    ),
    (re.compile(r"(?<!\\)\[\^[^\]\s]{1,60}\](?!:)"), r""),
    (re.compile(r"!\[\[[^\[\]\n]{1,300}\]\]"), r""),
    (re.compile(r"(?<!\w)\[\[[^\[\]\n|]{1,300}\|([^\[\]\n|]{1,300})\]\](?!\()"), r"\1"),
    (re.compile(r"(?<!\w)\[\[(?=[^\W\d])([^\[\]\n|\"']{1,300})(?<=\S)\]\](?!\()"), r"\1"),
    (re.compile(r"\[([^\[\]\n]{1,300})\]\[#[\w-]{1,120}\]"), r"\1"),
    # Bold with a space before its end, or that ends and begins again for nothing.
    (re.compile(r"(?<![\w*\\])\*\*(?=[^\s*])([^*\n]{1,300}?)([ \t]+)\*\*(?!\*)"), r"**\1**\2"),
    (re.compile(r"(?<=\w)\*\*([ \t]+|[:.,;!?])\*\*(?=[\s\w])"), r"\1"),
    (re.compile(r"(?<=[\s.])\{#[a-z]\w{0,60}(?:-\w{1,60}){1,20}\}"), r""),
    # Targets without an end, and of what an author took for a link.
    (
        re.compile(r"\[([^\[\]\n]{1,300})\]\((?:#|[\w./-]{1,300}\.\w{2,5}(?:#[\w-]*)?)[ \t]*(?=\||$)", re.MULTILINE),
        r"\1",
    ),
    (re.compile(r"\\\[((?:(?!\n\n)[^\[\]]){1,300})\]\(x\)"), r"\1"),
    # A space in the target of a link or an image.
    (re.compile(r"(!\[[^\[\]\n]{0,300}\]\()([^()<>\n\"'| ]{1,300} [^()<>\n\"']{0,300})(?=\))"), r"\1<\2>"),
    (
        re.compile(
            r"(?<=\]\()((?:#|\.{0,2}/|https?://|[\w./-]+\.\w{2,4}(?=[# ]))[^()<>\n\"']{0,300}?"
            r" [^()<>\n\"']{0,300})(?=\))"
        ),
        r"<\1>",
    ),
    (
        re.compile(
            r"^import\s+(?:(?:[\w$]+|\*\s+as\s+\w+)?,?\s*(?:\{[^{}]{0,1000}\})?\s+from\s+)?"
            r"([\"'])[\w@./~-]{1,300}\1[ \t]*;?[ \t]*$",
            re.MULTILINE,
        ),
        r"",
    ),
    (re.compile(r"^export\s+(?:const|let|var)\s+[\w$]+\s*=[^\n]*(?:\n(?![ \t]*\n)[^\n]+)*", re.MULTILINE), r""),
    (
        re.compile(r"^export\s+(?:default\s+)?(?:async\s+)?(?:function|class)\b[^\n]*(?:\n(?![ \t]*\n)[^\n]+)*", re.M),
        r"",
    ),
    (re.compile(r"^export\s+default\s+[\w$({][^\n]*[;{(]$(?:\n(?![ \t]*\n)[^\n]+)*", re.MULTILINE), r""),
]
# :::note Title, ::: tip, :::warning[Title], :::, :::image … alt-text="…":::
_COLONS = re.compile(
    r"^(?P<indent>[ \t>]*):{3,}[ \t]*(?:\{[^}\n]*\}|[\w.-]+)?(?:\[(?P<inside>[^\]\n]*)\])?(?P<title>[^\n]*)$",
    re.MULTILINE,
)
_ALT = re.compile(r"\b(?:alt-text|title)=\"([^\"]*)\"")


def clean_source(text: str, *, templated: bool) -> tuple[str, Counter[str]]:
    """The Markdown text without the marks of generators, and what it hides by kind.

    `templated`: the page has front matter, so a generator reads it.
    """
    text, hidden = strip_templates(_dedented(text), verbatim_spans, templated=templated)
    text = replace_outside(text, _COLONS, _title_of_colons, verbatim_spans)
    for pattern, template in _LINES:
        text = replace_outside(text, pattern, lambda match, template=template: match.expand(template), verbatim_spans)  # type: ignore[misc]  # the default binds
    return text, hidden


def _title_of_colons(match: Match[str]) -> str:
    title = match["inside"] or match["title"].strip().rstrip(":")
    if "=" in title:
        title = " ".join(_ALT.findall(title))
    title = re.sub(r"\{[^{}]*\}", "", title).strip()
    return f"{match['indent']}{title}\n" if title else match["indent"].rstrip()


def _dedented(text: str) -> str:
    """The text with what is indented under a mark at the level of the mark, and the title of a mark as a paragraph."""
    lines = text.split("\n")
    if not any(map(_CONTAINER.fullmatch, lines)):
        return text
    done: list[str] = []
    pending = _with_code(lines)
    while pending:
        line, is_code = pending.pop()
        match = None if is_code else _CONTAINER.fullmatch(line)
        if match is None:
            done.append(line)
            continue
        inside = _take_indented(pending, len(match["indent"].expandtabs(4)) + 4)
        note = match["note"]
        if note is None and not inside:
            done.append(line)  # three exclamation marks of an author
            continue
        # Marks inside are seen once their own indentation is gone.
        pending += [("", False), *_with_code(inside)]
        title = (match["title"] or match["tab"] or note or "").strip()
        done += ["", match["indent"] + title] if note is not None else ["", match["indent"] + title, ""]
    return "\n".join(done)


def _with_code(lines: list[str]) -> list[tuple[str, bool]]:
    """The lines, last first, each with whether it is code."""
    code = code_lines("\n".join(lines))
    return [(line, number in code) for number, line in enumerate(lines)][::-1]


def _take_indented(pending: list[tuple[str, bool]], depth: int) -> list[str]:
    """Take the next lines that are indented by `depth`, without it; blank lines at their end are not theirs."""
    taken: list[str] = []
    count = 0
    for line, _ in reversed(pending):
        indented = line.expandtabs(4)
        if line.strip() and len(indented) - len(indented.lstrip()) < depth:
            break
        taken.append(line.removeprefix("\t") if line.startswith("\t") else line.removeprefix("    "))
        count = len(taken) if line.strip() else count
    del pending[len(pending) - count :]
    return taken[:count]
