"""Keys of services as configuration, code, logs and messages hold them: what is found, what is left, what is masked in
vain.

The texts are our own, for no labelled set of them is at hand: forms that such texts take in the world, filled with the
names of services, well known and made up, and with random values.
"""

import random
import re
import string
from collections.abc import Iterator
from pathlib import Path

from benchmarks.guardrail_quality.data import Labelled
from benchmarks.guardrail_quality.figures import Case, Figure, Row
from benchmarks.guardrail_quality.masks import Masker, Span, covered, found
from benchmarks.guardrail_quality.values import random_text

_TABLES = Path(__file__).parent / "sentences"
_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
# Alphabet and lengths of values; "-" is a UUID.
_SHAPES = (
    (_HEX, 32),
    (_HEX, 40),
    (_HEX, 64),
    (string.ascii_lowercase + string.digits, 24),
    (string.ascii_uppercase + string.digits, 20),
    (_ALNUM, 16),
    (_ALNUM, 22),
    (_ALNUM, 32),
    (_ALNUM, 40),
    (_ALNUM + "-_", 43),
    (_ALNUM + "+/", 44),
    ("-", 36),
)
_FIELD = re.compile(r"\{(name|small|capital|camel|key|uuid|hex\d+|digits\d+)\}")
_EACH = 3  # texts of each form


def services(masks: Masker) -> Row:
    """Recall by value, the share of characters left, and precision by text."""
    misses, alarms = [], []
    hits = all_ = left = characters = texts_hit = negatives_masked = 0
    for text in _texts():
        masked = masks(text.text)
        if not text.positive:
            negatives_masked += bool(masked)
            alarms += [Case(text.entity, text.text, mask.start, mask.end, mask.end - mask.start) for mask in masked]
            continue
        texts_hit += any(found(span, masked) for span in text.spans)
        for span in text.spans:
            rest = span.end - span.start - covered(span, masked)
            all_, hits = all_ + 1, hits + found(span, masked)
            characters, left = characters + span.end - span.start, left + rest
            if not found(span, masked):
                misses.append(Case(text.entity, text.text, span.start, span.end, rest))
    figures = [
        Figure("keys of services: found", hits / all_, 0.8, note=f"of {all_}"),
        Figure("… share of characters left", left / characters, 0.15, at_most=True),
        Figure("… precision by text", texts_hit / max(texts_hit + negatives_masked, 1), 0.9),
    ]
    return Row(figures, misses, alarms)


def _texts() -> Iterator[Labelled]:
    names = (_TABLES / "services.txt").read_text("utf-8").split("\n")
    names = [name for name in names if name and not name.startswith("#")]
    for table, positive in (("service_keys", True), ("service_harmless", False)):
        for number, form in enumerate((_TABLES / f"{table}.txt").read_text("utf-8").rstrip("\n").split("\n--\n")):
            for again in range(_EACH):
                yield _filled(form, names, f"{table} {number} {again}", positive)


def _filled(form: str, names: list[str], seed: str, positive: bool) -> Labelled:
    """The form with a service's name as a title, in small and in capital letters, and a value of a random shape."""
    draw = random.Random(seed)
    name = draw.choice(names)
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    known = {"name": name, "small": plain.lower(), "capital": plain.upper(), "camel": plain.replace("_", "")}
    known["camel"] = known["camel"][:1].lower() + known["camel"][1:]
    text, spans = "", []
    for at, piece in enumerate(_FIELD.split(form)):
        if at % 2 == 0:
            text += piece
        elif piece in known:
            text += known[piece]
        else:
            value = _value(f"{seed} {at}", draw, piece)
            spans.append(Span(len(text), len(text) + len(value), "key"))
            text += value
    return Labelled(text, tuple(spans) if positive else (), positive, f"{seed.split(maxsplit=1)[0]} {name}")


def _value(seed: str, draw: random.Random, piece: str) -> str:
    """`key`: of a random shape; `hexN`, `uuid`, `digitsN`: of that one."""
    if piece.startswith("digits"):
        return random_text(seed, int(piece[6:]), string.digits)
    if piece.startswith("hex"):
        return random_text(seed, int(piece[3:]), _HEX)
    alphabet, size = ("-", 36) if piece == "uuid" else draw.choice(_SHAPES)
    if alphabet != "-":
        return random_text(seed, size, alphabet)
    plain = random_text(seed, 32, _HEX)
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
