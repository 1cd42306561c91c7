"""Template tags in the source of a page: Liquid, Jinja, Handlebars, Hugo. Pure.

A site generator replaces them before anybody reads the page. What they wrap is text and stays, so do those of their
arguments that are shown; code is left as it stands.
"""

import re
from collections import Counter
from collections.abc import Callable
from re import Match

from ingest.extractors.verbatim import Span, html_blocks, replace_outside

# A tag ends within its paragraph; what is taken out or kept as a whole is bounded, so that no file takes forever.
_REST = r"(?:(?!{end}|\n[ \t]*\n).){{0,2000}}?"
_TAG = re.compile(
    r"\{%[-+~]?\s*(?P<name>/?[A-Za-z_][\w.-]*)(?P<arguments>" + _REST.format(end=r"%\}") + r")[-+~]?%\}"
    r"|\{\{(?P<mark>[<%])\s*(?P<code>/?\s*[A-Za-z_][\w./-]*)(?P<given>" + _REST.format(end=r"[>%]\}\}") + r")[>%]\}\}",
    re.DOTALL,
)
_EXPRESSION = re.compile(r"(?<!\$)\{\{\{?[-~]?[ \t]*(?P<inside>[A-Za-z_@\"'#/>!^&][^{}\n]{0,300}?)[ \t]*[-~]?\}?\}\}")
_WHOLE = r"\{{%[-+~]?\s*{open}\b[^%\n]{{0,300}}%\}}(.{{0,20000}}?)\{{%[-+~]?\s*{close}\s*[-+~]?%\}}"
_COMMENT = re.compile(
    _WHOLE.format(open="comment", close="endcomment") + r"|\{\{!--(.{0,20000}?)--\}\}|\{/\*(.{0,20000}?)\*/\}"
    r"|\{::comment\}(.{0,20000}?)\{:/(?:comment)?\}",
    re.DOTALL,
)
_JINJA_COMMENT = re.compile(r"\{#-?\s(?:(?!#\}).){1,2000}?\s-?#\}", re.DOTALL)
_RAW = re.compile(_WHOLE.format(open="(?:raw|verbatim)", close="end(?:raw|verbatim)"), re.DOTALL)
_HIGHLIGHT = re.compile(
    r"^(?P<indent>[ \t]*)(?:\{%[-+~]?\s*(?:highlight|codeblock|code)\b(?P<language>[^%\n]{0,200})%\}"
    r"(?P<body>.{0,20000}?)\{%[-+~]?\s*end(?:highlight|codeblock|code)\s*[-+~]?%\}|\{\{[<%]\s*(?:highlight|code)\b(?P<language2>[^>%\n]{0,200})"
    r"[>%]\}\}(?P<body2>.{0,20000}?)\{\{[<%]\s*/\s*(?:highlight|code)\s*[>%]\}\})[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_NAMED = re.compile(r"([A-Za-z_][\w-]*)\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)')")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
# Arguments that a reader sees.
_SHOWN = frozenset(
    ("caption", "title", "text", "label", "summary", "heading", "header", "alt", "description", "content")
)
# Tags whose strings are names of files, pages, variables or services.
_SILENT = re.compile(
    r"/?(?:if|elif|elsif|else|unless|ifchanged|for|while|case|when|assign|set|capture|macro|call|block|extends|import|from"
    r"|with|filter|cycle|load|url|static|layout|render|section|form|schema|liquid|include.*|partial|snippet|component"
    r"|link|post_url|page|pages|asset.*|ref|relref|param|site|data|query|readfile|read-file|latest.*|skew|codenew"
    r"|highlight|raw|end.*|.*(?:icon|image|img|figure|picture|video|audio|youtube|vimeo|gist|tweet|embed|iframe|svg|map)"
    r".*|download|file|json|csv|toc|anchor|class|style|script|css|js)",
    re.IGNORECASE,
)
_MACHINE = re.compile(r"[/\\=<>{}]|\.\w{2,5}$|^[#.?&]|^\d+(?:px|%|em)?$|^(?:true|false|none|null)$", re.IGNORECASE)
_IN_TARGET = re.compile(r"\]\(\s*<?[^()\s]*$|^ {0,3}\[[^\]\n]+\]:[ \t]*\S*$|=\s*[\"'][^\"'<>\n]*$|<[^<>\s]*$")
_FORMULA = re.compile(r"\\[A-Za-z]+$|[}^_\\]$")
# Stands for a tag in the target of a link, so that the link is still one.
_TARGET = "x"
# In place of a tag that stands alone on a line of HTML: a blank line would end the block for CommonMark.
_NO_LINE = "<!---->"
# Private use: braces of text that the page shows as it stands; removed from input first.
_KEPT = {"{": "\ue001", "}": "\ue002"}
_RESTORED = str.maketrans({mark: brace for brace, mark in _KEPT.items()})

Spans = Callable[[str], list[Span]]


def strip_templates(text: str, spans: Spans, *, templated: bool) -> tuple[str, Counter[str]]:
    """The text without tags, and what it hides by kind; `spans` gives what is code in it.

    `templated`: something else says that a generator reads this text, as front matter does. Without that, and without
    a tag in braces and per cent signs or of Hugo, a `{{word}}` is text, perhaps of a letter with gaps to fill in; and
    so are a dotted one beside others, and `${{ … }}`.
    """
    hidden: Counter[str] = Counter()
    tags: list[str] = []
    text = text.replace(_KEPT["{"], "").replace(_KEPT["}"], "")

    def comment(match: Match[str]) -> str:
        tags.append("comment")
        hidden["comments"] += bool("".join(filter(None, match.groups())).strip())
        return _NO_LINE if _is_alone(match) else ""

    text = replace_outside(text, _COMMENT, comment, spans, around=True)
    text = replace_outside(text, _RAW, lambda m: _kept(m, tags), spans, around=True)
    text = replace_outside(text, _HIGHLIGHT, _fence, spans, around=True)
    html = html_blocks(text) if _TAG.search(text) else []
    text = replace_outside(text, _TAG, lambda m: _tag(m, tags, any(a <= m.start() < b for a, b in html)), spans)
    if tags:
        text = replace_outside(text, _JINJA_COMMENT, lambda _: "", spans)
    text = replace_outside(text, _EXPRESSION, lambda m: _expression(m, bool(tags), templated), spans)
    return text.translate(_RESTORED), hidden


def _kept(match: Match[str], tags: list[str]) -> str:
    """What a tag keeps from being read as tags."""
    tags.append("raw")
    return "".join(_KEPT.get(character, character) for character in match[1])


def _fence(match: Match[str]) -> str:
    """A block of code in a tag, as a fenced one."""
    language = ((match["language"] or match["language2"] or "").split() or [""])[0]
    body = (match["body"] if match["body"] is not None else match["body2"]).strip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
    return "\n".join([match["indent"] + fence + re.sub(r"\W", "", language), body, match["indent"] + fence])


def _tag(match: Match[str], tags: list[str], in_html: bool) -> str:
    name = re.sub(r"\s", "", match["name"] or match["code"])
    tags.append(name)
    if _IN_TARGET.search(_before(match)):
        return _TARGET
    shown = _shown(name, match["arguments"] if match["name"] else match["given"])
    if _is_alone(match):
        return (shown or _NO_LINE) if in_html else f"{shown}\n"
    after = match.string[match.end() : match.end() + 1]
    return f"{shown} " if shown and after.isalnum() else shown


def _shown(name: str, arguments: str) -> str:
    """Those arguments of a tag that a reader sees: by their names, or strings of words where the tag is not known."""
    if name.startswith("/"):
        return ""
    named = [(m[1].lower(), m[2] or m[3] or "") for m in _NAMED.finditer(arguments)]
    shown = [text for key, text in named if key in _SHOWN or (key == "name" and name.lower() == "tab")]
    if not _SILENT.fullmatch(name):
        rest = _NAMED.sub(" ", arguments)
        shown += [m[1] or m[2] or "" for m in _QUOTED.finditer(rest)]
    return " ".join(text.strip() for text in shown if re.search(r"\w", text) and not _MACHINE.search(text.strip()))


def _expression(match: Match[str], tagged: bool, templated: bool) -> str:
    """What stands for `{{ … }}`: nothing for a value that the generator puts there, a literal, or itself."""
    before, inside = _before(match), match["inside"]
    if _IN_TARGET.search(before):
        return _TARGET
    if _FORMULA.search(before):
        return match[0]
    if literal := re.match(r"(?:\"([^\"]*)\"|'([^']*)')\s*(?:\||$)", inside):
        return (literal[1] or literal[2] or "") if tagged or templated else match[0]
    bare = re.fullmatch(r"[\w-]+", inside) is not None
    if bare:
        return "" if tagged or inside.lower() == "toc" else match[0]
    line = match.string[match.end() : match.end() + 300].partition("\n")[0]
    alone = not line.strip() and not re.search(r"[^\s>*+-]", before.rpartition("\n")[2])
    code = re.search(r"^[#/>!^&@]|[|(]|\w:\w", inside) is not None
    return "" if tagged or templated or alone or code else match[0]


def _is_alone(match: Match[str]) -> bool:
    """Whether nothing else stands on the lines of a match."""
    return not _before(match).strip() and not match.string[match.end() : match.end() + 300].partition("\n")[0].strip()


def _before(match: Match[str]) -> str:
    """The line up to the match, at most some hundred characters of it."""
    start = max(match.string.rfind("\n", 0, match.start()) + 1, match.start() - 300)
    return match.string[start : match.start()]
