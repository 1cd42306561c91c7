"""E-mail addresses whose signs are said in words: "jane dot doe at example dot org", "jane.doe [at] example.org".

Where something before says that one follows: "a dot at" may stand in any sentence, and a word that is looked at must
be told from prose before what follows it is known. A sign within the word tells it too, if the "at" stands in brackets.
"""

import re

from app.guardrail.check import Cue, PatternCheck, Run
from app.guardrail.word_trees import any_of, prefixes

_AT = ("at", "ät", "arroba", "arobase", "chiocciola")
_DOT = ("dot", "punkt", "punto", "point", "ponto")
_BRACKETS = (("[", "]"), ("(", ")"), ("{", "}"))
_BRACKETED_AT = rf"(?i: ?(?:{any_of(f'{left}{word}{right}' for word in _AT for left, right in _BRACKETS)}) ?)"
_SAID_AT = rf"(?i: {any_of(_AT)} )"
_SAID_DOT = (
    rf"(?i: {any_of(_DOT)} | ?(?:{any_of(f'{left}{word}{right}' for word in _DOT for left, right in _BRACKETS)}) ?)"
)
_SIGNS = [*_AT, *_DOT, *(f"{left}{word}{right}" for word in (*_AT, *_DOT) for left, right in _BRACKETS)]
_PART = r"[^\W_](?:[\w+\-]{0,30}[^\W_])?"
_LOCAL = rf"{_PART}(?:(?:\.|{_SAID_DOT}){_PART}){{0,3}}"
_TOP = r"[A-Za-z]{2,12}(?![\w@])"
_BRACKETED = rf"{_BRACKETED_AT}{_PART}(?:(?:\.|{_SAID_DOT}){_PART}){{0,3}}?(?:\.|{_SAID_DOT}){_TOP}"
# An "at" alone says less than one in brackets: there the point of the domain is said too.
_ADDRESS = re.compile(
    rf"{_LOCAL}(?:{_BRACKETED}"
    rf"|{_SAID_AT}{_PART}(?:(?:\.|{_SAID_DOT}){_PART}){{0,3}}?{_SAID_DOT}{_TOP})"
)
_WORD = r"[\w.+\-\[\](){}]"
_RUN = Run(
    re.compile(
        rf"(?:{_WORD}{{1,40}}(?: (?i:{any_of(_SIGNS)}) {_WORD}{{1,40}}){{0,8}}(?: (?i:{prefixes(_SIGNS)})?)?(?: )?)?"
    ),
    128,
    min_extent=12,
)
_SAYS = r"at|to|is|an|unter|ist|via|à|mail|address|adresse|correo|courriel|indirizzo"
_ENDS = re.compile(rf"(?:[:=>]|(?<![^\W_])(?:{_SAYS}))[ \n]?[\"'`<(]?\Z")
# Words that other checks look for too: each more costs all texts that have it.
_CUE = Cue(
    ("mail", "address", "adress", "correo", "courriel"),
    re.compile(""),
    lambda before: _ENDS.search(before, max(len(before) - 16, 0)) is not None,
)

CHECK = PatternCheck(
    kind="email",
    reason="address said in words",
    pattern=_ADDRESS,
    run=_RUN,
    opener=re.compile(
        r"(?<![^ \n\"'`<(:=>])(?=[^\W_][\w.+\-\[\](){}]{1,80}+ )|(?<![^ \n\"'`<(:=>])(?=[\w.+\-]{2,40}[\[({])"
    ),
    cue=_CUE,
)
SIGNED = PatternCheck(
    kind="email",
    reason="address said in words",
    pattern=re.compile(rf"{_LOCAL}{_BRACKETED}"),
    run=_RUN,
    opener=re.compile(r"(?<![^ \n\"'`<(:=>])[^\W_](?=[\w+\-]{0,30}[._][\w.+\-]{1,40}[ \[({])"),
    needs="[._]",
)
