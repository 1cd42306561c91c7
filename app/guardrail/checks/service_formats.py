"""The formats of services' keys: services.yaml, read once into compiled patterns. Pure after the import."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import product, takewhile

import yaml

CLASSES = {
    "hex": "0-9a-f",
    "HEX": "0-9A-F",
    "Hex": "0-9a-fA-F",
    "lower": "a-z0-9",
    "upper": "A-Z0-9",
    "alnum": "A-Za-z0-9",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "word": "A-Za-z0-9_-",
    "dots": "A-Za-z0-9_.-",
    "tilde": "A-Za-z0-9_.~-",
    "b64": "A-Za-z0-9+/",
    "any": "A-Za-z0-9_.+/=-",
}
_COUNTED = re.compile(rf"(?P<name>{'|'.join(CLASSES)})\*(?P<least>\d+)(?P<more>\+|-(?P<most>\d+))?")
_CHOICE = re.compile(r"\{([^}]*)\}")
_UUID = ("hex*8", "-", "hex*4", "-", "hex*4", "-", "hex*4", "-", "hex*12")
# The pieces of an identifier; what stands between those of a name; what may be glued to it.
_PIECE = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_JOIN = re.compile(r"[ _.\-]?| & ")
_WHAT = re.compile(r"(?:api|access|auth|secret|client|app|private|user)*(?:key|token|secret|password|pat|auth|api)s?\Z")
_MAX_READ = 120  # characters of a format that are compared; what is longer goes on in the tail


@dataclass(frozen=True, slots=True)
class FormatPart:
    """Characters of one class, `least` to `most` of them (None: any number), or one of some literal texts."""

    name: str = ""
    least: int = 0
    most: int | None = 0
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """One form that the keys of a service take.

    `begins`: the literal texts that such a key begins with; one empty text if it begins with a class. `mark`: the
    longest text that stands in every such key, empty if there is none. `length`: of each such key, if it is one.
    """

    service: str
    parts: tuple[FormatPart, ...]
    pattern: re.Pattern[str]
    begins: tuple[str, ...]
    mark: str
    length: int | None


@dataclass(frozen=True, slots=True)
class ServiceFormats:
    """All that services.yaml says. Names are folded as `fold_name` does; `words`: those that are also words."""

    prefixed: tuple[Format, ...]
    named: Mapping[str, tuple[Format, ...]]
    beginnings: tuple[str, ...]
    services: Mapping[str, str]
    words: frozenset[str]


_SIGN = re.compile(r"[^a-z0-9]")


def fold_name(name: str) -> str:
    """A service's name as it stands in an identifier, without case and signs."""
    return _SIGN.sub("", name.lower())


def _parse_part(word: str) -> FormatPart:
    counted = _COUNTED.fullmatch(word)
    if counted is not None:
        least = int(counted["least"])
        most = least if counted["more"] is None else int(counted["most"]) if counted["most"] else None
        return FormatPart(counted["name"], least, most)
    # Around the choices stand fixed texts: "a{b,c}d" splits into "a", "b,c", "d".
    pieces = [piece.split(",") if at % 2 else [piece] for at, piece in enumerate(_CHOICE.split(word))]
    return FormatPart(texts=tuple("".join(texts) for texts in product(*pieces)))


def _pattern(parts: tuple[FormatPart, ...]) -> re.Pattern[str]:
    """The pattern of a format, as far as a decision reads."""
    written, left = [], _MAX_READ
    for part in parts:
        if left <= 0:
            break
        if part.texts:
            written.append("(?:" + "|".join(map(re.escape, sorted(part.texts, key=len, reverse=True))) + ")")
            left -= max(map(len, part.texts))
            continue
        most = "" if part.most is None or part.most > left else str(part.most)
        written.append(f"[{CLASSES[part.name]}]{{{min(part.least, left)},{most}}}")
        left -= part.most or part.least
    return re.compile("".join(written) + r"(?<!\.)")


def parse_format(service: str, written: str) -> Format:
    """One format as services.yaml writes it."""
    words = [word for part in written.split() for word in (_UUID if part == "uuid" else (part,))]
    parts = tuple(map(_parse_part, words))
    least = sum(min(map(len, part.texts)) if part.texts else part.least for part in parts)
    longest = [max(map(len, part.texts)) if part.texts else part.most for part in parts]
    fixed = None not in longest and sum(size or 0 for size in longest) == least
    literal = [part.texts for part in takewhile(lambda part: part.texts, parts)]
    begins = tuple("".join(texts) for texts in product(*literal))
    mark = max((part.texts[0] for part in parts if len(part.texts) == 1), key=len, default="")
    return Format(service, parts, _pattern(parts), begins, mark, least if fixed else None)


def _load() -> ServiceFormats:
    text = (files("app.guardrail.checks") / "services.yaml").read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    told = yaml.load(text, loader)  # noqa: S506 (one of the safe loaders)
    named = {
        fold_name(service): tuple(parse_format(service, written) for written in formats)
        for service, formats in told["named"].items()
    }
    services = {fold_name(service): service for part in ("prefixed", "named", "others") for service in told[part]}
    for service, others in told["aliases"].items():
        for other in others:
            services[fold_name(other)] = service
            named[fold_name(other)] = named.get(fold_name(service), ())
    return ServiceFormats(
        prefixed=tuple(parse_format(service, one) for service, formats in told["prefixed"].items() for one in formats),
        named=named,
        beginnings=tuple(told["beginnings"]),
        services=services,
        words=frozenset(map(fold_name, told["words"])),
    )


def by_beginning(formats: tuple[Format, ...]) -> dict[str, tuple[Format, ...]]:
    """The formats by the two characters, or the one, that their keys begin with; under "" those that begin anyhow."""
    found: dict[str, list[Format]] = {}
    for one in formats:
        for key in dict.fromkeys(begin[:2] for begin in one.begins):
            found.setdefault(key, []).append(one)
    return {key: tuple(of) for key, of in found.items()}


def find_names(text: str, names: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """Where a name stands in a text, also in an identifier (DATADOG_API_KEY, datadogApiKey), the nearest to its end
    first: begin, end and the folded name.
    """
    pieces = list(_PIECE.finditer(text))
    for last, piece in enumerate(reversed(pieces), start=1):
        upto = len(pieces) - last
        first = upto
        while first > max(upto - 3, 0) and _JOIN.fullmatch(text, pieces[first - 1].end(), pieces[first].start()):
            first -= 1
        for begin in range(first, upto + 1):
            name = "".join(part[0] for part in pieces[begin : upto + 1]).lower()
            if begin == upto and name not in names:
                name = _WHAT.sub("", name)
            if name in names:
                yield pieces[begin].start(), piece.end(), name


FORMATS = _load()
