"""Names of people: a list of a large company, planted in the forms and layouts of texts, and what it masks in vain."""

import itertools
import re
import time
from collections.abc import Sequence
from pathlib import Path

from app.guardrail.check import Check
from app.guardrail.checks import checks_with
from app.guardrail.names.directory import DirectoryCheck, names_of
from app.guardrail.names.forms import PARTICLES
from app.guardrail.names.presidio import PresidioNames
from app.guardrail.names.spans import SegmentCheck
from app.guardrail.names.spelling import COMMON, FUNCTION_WORDS, key
from benchmarks.guardrail_quality.data import AMBIENT, HANDBOOKS, SYNTHETIC, Missing, labelled, pages
from benchmarks.guardrail_quality.figures import Case, Figure, Row
from benchmarks.guardrail_quality.masks import Masker, Span, covered, masker

_GIVEN_NAMES = """
    Anna Thomas Maria Peter José Jean-Luc Søren Łukasz Mehmet Fatima Wei Yuki Priya Olu Ingrid Björn Zoë Chloé Sean
    Siobhán Mark Will Grace Hope Rose Dawn Joy Art Bill Frank Jack Amber April May June Summer Drew Pat Rich Miles Chase
    Grant Dean Sofia Luca Elena Ivan Olga Noah Emma Liam Mia Aisha Omar Anna-Lena Hans-Peter Mary-Ann Ravi Amit Kofi Ama
    Tariq Lars
"""
_SURNAMES_OF_A_WORD = """
    Müller Schäfer Weiß O'Neil D'Angelo Nguyễn Łukasiewicz Søndergaard Öztürk Šimić Smith Young Long Read Day Page Field
    Price Power Banks Rich Best Strong Major Case Law Bond Cash Sharp Wise Stone Woods Rivers Hill Lane Park Church Bell
    King Knight Bishop Cook Baker Carter Fisher Hunter Taylor Turner Walker Okafor Tanaka Suzuki Chen Wang Singh Patel
    Kowalski Novák Petrov Rossi Silva Johansson Virtanen Papadopoulos
"""
_SOUNDS = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bran del fin gor hal kes lor mir nor tal"
_GIVEN, _SYLLABLES = _GIVEN_NAMES.split(), _SOUNDS.split()
_SURNAMES = [*_SURNAMES_OF_A_WORD.split(), "van den Berg", "de la Cruz", "von Stein", "García Márquez"]
_SIZE = 100_000
_FORMS = ("{g} {s}", "{s}, {g}", "{i}. {s}", "{G} {S}", "{g} {s}'s", "{l}", "{a}")
_LAYOUTS = (
    "Ask {} about it.", "{}", "| 4 | {} | Berlin |", "- {}\n- next", "> as {} wrote", "**{}** leads", "({}), said she",
    "<td>{}</td>", "owner: {};", "“{}”", "with {}, and", "by {}\n",
)  # fmt: skip
_BREAKS = ("\n", "\n> ", "  ", "\u00a0", "<br>", " | ", "</td><td>", " **", "\u200b ", "_")
_EVERY = 3


def company() -> list[str]:
    """The names of a company of a hundred thousand: true ones, then made ones."""
    names = [f"{given} {surname}" for given, surname in itertools.product(_GIVEN, _SURNAMES)]
    words = ("".join(parts).capitalize() for parts in itertools.product(_SYLLABLES, repeat=3))
    made = (f"{given} {word}" for word, given in itertools.product(words, _GIVEN))
    return [*names, *itertools.islice(made, _SIZE - len(names))]


def labelled_names(folder: Path) -> list[str]:
    """What the labelled sets call names, as the list of those who appear in them would have them."""
    found = set()
    for file in (SYNTHETIC, AMBIENT):
        for text in labelled(folder, file):
            found |= {text.text[span.start : span.end] for span in text.spans if span.kind == "name"}
    return sorted(found)


def checks_for(how: str, folder: Path, model: str) -> tuple[Check, ...]:
    """The guardrail's checks with names of the labelled sets as its list, or found by a model."""
    if how == "directory":
        return checks_with(DirectoryCheck(names_of(labelled_names(folder))))
    return (*checks_with(), SegmentCheck(PresidioNames(model)))


def names(folder: Path) -> Row:
    listed = company()
    began = time.process_time()
    found = names_of(listed)
    seconds = time.process_time() - began
    masks = masker(checks_with(DirectoryCheck(found)))
    rows = [_planted(masks, listed[: len(_GIVEN) * len(_SURNAMES)])]
    figures = [
        Figure(
            f"a list of {len(listed):,} read: CPU seconds",
            seconds,
            2,
            at_most=True,
            note=f"({len(found.forms):,} forms)",
        ),
        *rows[0].figures,
    ]
    alarms: list[Case] = []
    try:
        texts = [page for handbook in HANDBOOKS for page in pages(folder, handbook, _EVERY)]
    except Missing as missing:
        return Row(figures, rows[0].misses, skipped=str(missing))
    for text in texts:
        alarms += [Case("name", text, m.start, m.end, m.end - m.start) for m in masks(text) if m.kind == "name"]
    words = sum(len(text.split()) for text in texts)
    figures.append(
        Figure(f"{words:,} words of handbooks: masked per 1,000", len(alarms) / words * 1000, 0.05, at_most=True)
    )
    return Row(figures, rows[0].misses, alarms)


def _planted(masks: Masker, listed: Sequence[str]) -> Row:
    """The share of planted names of which nothing but a sign is left."""
    misses, count = [], 0
    for number, name in enumerate(listed):
        text, span = _text(number, name)
        count += 1
        left = span.end - span.start - covered(span, masks(text))
        if re.search(r"\w\w", _left(text, span, masks)) is not None:
            misses.append(Case("listed name", text, span.start, span.end, left))
    return Row([Figure("listed names hidden", 1 - len(misses) / count, 0.999, note=f"of {count:,}")], misses)


def _left(text: str, span: Span, masks: Masker) -> str:
    """The characters of a name that are left, without marks that stand between its words."""
    hidden = {at for mask in masks(text) for at in range(mask.start, mask.end)}
    left = "".join(text[at] for at in range(span.start, span.end) if at not in hidden)
    return re.sub(r"'s\Z|</?\w+>", "", left)


def _text(number: int, name: str) -> tuple[str, Span]:
    """A text with the name in it, each time in another form and layout."""
    given, surname = name.split(" ", 1)
    form, layout = _FORMS[number % len(_FORMS)], _LAYOUTS[number % len(_LAYOUTS)]
    words = {key(word) for word in re.findall(r"\w+", name)}
    if form == "{l}" and (words <= COMMON or words & FUNCTION_WORDS - PARTICLES):
        form = "{g} {s}"  # in small letters it is no name
    ascii_name = name.replace("ü", "ue").replace("ö", "oe").replace("ä", "ae").replace("ß", "ss")
    said = form.format(g=given, s=surname, i=given[0], G=given.upper(), S=surname.upper(), l=name.lower(), a=ascii_name)
    if number % 5 == 0 and " " in said:
        said = said.replace(" ", _BREAKS[number // 5 % len(_BREAKS)], 1)
    text = f"It was decided. {layout.format(said)} Then they met."
    at = text.index(said)
    return text, Span(at, at + len(said), "name")
