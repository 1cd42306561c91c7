"""Documents of a made-up company: what is asked about, what comes near to it, and what drowns it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

NOUNS = """turbine crane vessel ledger payroll invoice contract gearbox harbour permit roster audit seal pump breaker
mooring tender rotor budget claim warranty bearing cable blade licence voucher survey anchor valve depot"""
SUBJECTS = NOUNS.split()
VERBS = ["inspect", "approve", "replace", "renew", "report", "measure", "schedule", "refuse", "sign", "repair", "lease"]
ADVERBS = ["weekly", "yearly", "twice", "before", "after", "under", "above", "near", "without", "against", "since"]
PLACES = ["Aldermouth", "Brack", "Corran", "Dunmore", "Eskdale", "Farholm", "Gannet", "Hythe", "Innis", "Jarrow"]


@dataclass(frozen=True)
class Text:
    heading: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class Page:
    """A document. `place` is the number of its scope in the world."""

    path: str
    title: str
    place: int
    texts: tuple[Text, ...]


def write_pages(
    chance: random.Random,
    *,
    opened: Sequence[int],
    shut: Sequence[int],
    counts: tuple[int, int, int, int],
    questions: int,
) -> tuple[tuple[Page, ...], tuple[str, ...]]:
    """Pages in the order of writing, and questions about some visible ones.

    `counts`: visible pages, hidden near-copies of those that are asked about, hidden floods of the questions' words,
    other hidden pages. `opened` and `shut` are the places for visible and for hidden ones.
    """
    visible, copies, floods, others = counts
    originals = [_page(chance, f"p{n}", chance.choice(opened)) for n in range(visible)]
    asked = chance.sample(originals, questions)
    wanted = tuple(_question(chance, page) for page in asked)
    # Every question has its near-copy.
    hidden = [_near_copy(chance, asked[n % questions], f"h{n}", chance.choice(shut)) for n in range(copies)]
    hidden += [_flood(chance, wanted, f"f{n}", chance.choice(shut)) for n in range(floods)]
    hidden += [_page(chance, f"x{n}", chance.choice(shut)) for n in range(others)]
    # Woven in at random, the visible ones in their order: so the numbers of visible rows differ between the worlds.
    moments = sorted(chance.random() for _ in originals)
    slots = [*zip(moments, originals, strict=True), *((chance.random(), page) for page in hidden)]
    return tuple(page for _, page in sorted(slots, key=lambda slot: slot[0])), wanted


def _page(chance: random.Random, path: str, place: int) -> Page:
    about = chance.sample(SUBJECTS, 3)
    texts = tuple(
        Text(
            (f"{chance.choice(VERBS)} {about[0]}",),
            " ".join(_sentence(chance, about) for _ in range(chance.randint(1, 4))),
        )
        for _ in range(chance.randint(1, 2))
    )
    return Page(path, f"{about[0]} {chance.choice(PLACES)}", place, texts)


def _sentence(chance: random.Random, about: Sequence[str]) -> str:
    return (
        f"At {chance.choice(PLACES)} we {chance.choice(VERBS)} the {chance.choice(about)} {chance.choice(ADVERBS)} "
        f"{chance.choice(SUBJECTS)} {chance.randint(2, 90)}."
    )


def _question(chance: random.Random, page: Page) -> str:
    words = chance.choice(page.texts).words.rstrip(".").split()
    start = chance.randrange(max(1, len(words) - 9))
    return f"When do we {page.title}: {' '.join(words[start : start + 9])}?"


def _near_copy(chance: random.Random, page: Page, path: str, place: int) -> Page:
    """One word of each passage changed."""
    texts = []
    for piece in page.texts:
        words = piece.words.split()
        words[chance.randrange(len(words))] = chance.choice(SUBJECTS)
        texts.append(Text(piece.heading, " ".join(words)))
    return Page(path, page.title, place, tuple(texts))


def _flood(chance: random.Random, questions: Sequence[str], path: str, place: int) -> Page:
    """A question over and over: best in every ranking, and its words common all of a sudden."""
    words = chance.choice(questions).split()
    picked = chance.sample(words, max(4, len(words) * 3 // 4))
    return Page(path, "flood", place, (Text((), " ".join(picked * chance.randint(1, 4))),))
