"""Answers without a model: the sentences of the passages that fit the question best, word for word. Pure."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.indexing.terms import text_language, words
from app.retrieval.passage import Passage

# A sentence ends at . ! ? before white space and a capital, digit or quote; a line break ends one too.
SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]?[A-Z0-9])|\n+")
MAX_CHARACTERS = 600
# A further sentence is given if it scores at least this share of the best one.
ENOUGH = 0.6


@dataclass(frozen=True)
class Quote:
    """One sentence, verbatim, and the number of its passage in the context (1 first)."""

    passage: int
    text: str


def quotes(question: str, passages: Sequence[Passage], *, limit: int = 3) -> list[Quote]:
    """The best-supported sentences, at most `limit`, in the order of their score.

    A sentence scores by the weight of the question's terms in it and under its headings, in the language of its
    passage; a term counts more the fewer of these passages it stands in. Earlier passages win ties.
    """
    languages = [text_language(p.text) for p in passages]
    asked = {language: set(words(question, language)) for language in languages}
    sentences = [(n, s) for n, p in enumerate(passages, start=1) for s in split_sentences(p.text)]
    frequency = Counter(t for p, x in zip(passages, languages, strict=True) for t in asked[x] & set(words(p.text, x)))
    weights = {t: math.log(1 + (len(passages) + 1) / (frequency[t] + 0.5)) for stems in asked.values() for t in stems}
    scored = []
    for order, (number, sentence) in enumerate(sentences):
        passage, language = passages[number - 1], languages[number - 1]
        found = asked[language] & set(words(sentence, language))
        above = (asked[language] & set(words("\n".join([passage.title, *passage.heading_path]), language))) - found
        score = sum(weights[t] for t in sorted(found)) + 0.5 * sum(weights[t] for t in sorted(above))
        # The passages come ranked: a sentence of the first is worth more than its equal further down.
        scored.append((-score / (1 + 0.15 * (number - 1)), order, Quote(number, sentence)))
    ranked = sorted(scored, key=lambda s: (s[0], s[1]))
    return [q for value, _, q in ranked[:limit] if value <= ENOUGH * ranked[0][0]]


def split_sentences(text: str) -> list[str]:
    """The sentences of a passage, without empty ones; overlong ones (tables, logs) are cut at white space."""
    found = [s.strip() for s in SENTENCE_END.split(text) if s and s.strip()]
    return [piece for sentence in found for piece in _cut(sentence)]


def _cut(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > MAX_CHARACTERS:
        at = sentence.rfind(" ", 0, MAX_CHARACTERS)
        at = at if at > 0 else MAX_CHARACTERS
        pieces.append(sentence[:at].strip())
        sentence = sentence[at:].strip()
    return [*pieces, sentence] if sentence else pieces
