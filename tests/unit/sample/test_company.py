"""The sample company is what its README says: every page governed, every fact in one place, every secret a fake."""

import csv
import email
import email.policy
import html
import io
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pypdfium2
import pytest
import yaml
from docx.table import Table

from app.client.access_file import LABELS, AccessFile, AccessRule
from app.identity.subject import Capability
from app.local.sample import Company, SamplePerson
from sample import build

COMPANY = build.COMPANY
DECLARED = Company.read(build.SAMPLE)
PEOPLE = {person.name: person for person in DECLARED.people}
TODAY = datetime(2026, 11, 24, tzinfo=UTC)
HOST = re.compile(r"(?:@|//(?:[^\s/@]+@)?)([\w.-]+\w)")
BARE_DOMAIN = re.compile(r"\b[\w-]+\.(?:com|org|net|io|co|eu|de|nl|uk|no|us|info|dev|app|ai)\b")


@cache
def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((build.SAMPLE / name).read_text(encoding="utf-8"))
    return content


def documents() -> list[str]:
    """Every document as `collection/path`."""
    files = (path for path in COMPANY.rglob("*") if path.is_file() and path.name != "access.yaml")
    return sorted(path.relative_to(COMPANY).as_posix() for path in files)


def _docx_text(path: Path) -> Iterator[str]:
    for block in docx.Document(str(path)).iter_inner_content():
        if isinstance(block, Table):
            yield from (" ".join(cell.text for cell in row.cells) for row in block.rows)
        else:
            yield block.text


def _xlsx_text(path: Path) -> Iterator[str]:
    for sheet in openpyxl.load_workbook(path).worksheets:
        yield sheet.title
        yield from (" ".join(str(cell) for cell in row) for row in sheet.iter_rows(values_only=True))


def _pdf_text(path: Path) -> Iterator[str]:
    pdf = pypdfium2.PdfDocument(path)
    for page in pdf:
        yield page.get_textpage().get_text_range()
    pdf.close()


def _eml_text(path: Path) -> Iterator[str]:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    yield " ".join(str(message[name]) for name in ("From", "To", "Cc", "Subject") if message[name])
    yield re.sub(r"<[^>]+>", " ", message.get_content())


@cache
def text_of(name: str) -> str:
    """What a reader of the built file sees, white space made single."""
    path = COMPANY / name
    match path.suffix:
        case ".docx":
            text = "\n".join(_docx_text(path))
        case ".xlsx":
            text = "\n".join(_xlsx_text(path))
        case ".pdf":
            text = "\n".join(_pdf_text(path))
        case ".eml":
            text = "\n".join(_eml_text(path))
        case ".html":
            text = html.unescape(re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8")))
        case ".csv":
            text = "\n".join(" ".join(row) for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        case _:
            text = path.read_text(encoding="utf-8")
    return " ".join(text.split())


def found_in(value: str) -> list[str]:
    return [name for name in documents() if value in text_of(name)]


@cache
def access(collection: str) -> AccessFile:
    return AccessFile.read(COMPANY / collection / "access.yaml")


def rule_of(name: str) -> AccessRule:
    """The first rule that matches."""
    collection, path = name.split("/", 1)
    return next(rule for rule in access(collection).rules if rule.pattern.fullmatch(path))


def roles_of(person: SamplePerson) -> set[str]:
    """Roles held, and all that they lie inside."""
    inside = {role.name: role.inside for role in DECLARED.roles}
    held, waiting = {"everyone"}, list(person.roles)
    while waiting:
        role = waiting.pop()
        held.add(role)
        waiting.extend(inside[role])
    return held


def obstacles(person_name: str, name: str) -> set[str]:
    """Each reason that alone keeps the person from the document; empty means readable."""
    person, tags = PEOPLE[person_name], rule_of(name).tags
    held = roles_of(person)
    tests = {
        "role": not held & set(tags.roles),
        "deny": bool(held & set(tags.deny)),
        "label": LABELS.index(tags.label) > LABELS.index(person.clearance),
        "ended": tags.ends_at is not None and tags.ends_at <= TODAY,
        "not yet": tags.starts_at is not None and tags.starts_at > TODAY,
    }
    return {reason for reason, holds in tests.items() if holds}


def questions() -> list[dict[str, Any]]:
    content = load("questions.yaml")
    return [*content["questions"], *content["demo"]]


def test_counts_by_format() -> None:
    counts = Counter(Path(name).suffix for name in documents())
    assert counts == {".md": 46, ".html": 10, ".docx": 7, ".pdf": 6, ".xlsx": 4, ".csv": 4, ".eml": 6}
    assert sum(path.stat().st_size for path in COMPANY.rglob("*") if path.is_file()) < 1_500_000


@pytest.mark.parametrize("name", documents())
def test_document_is_governed_and_of_reading_length(name: str) -> None:
    assert rule_of(name)
    if Path(name).suffix not in {".csv", ".xlsx"}:
        assert 150 <= len(text_of(name).split()) <= 700


def test_no_two_documents_share_a_sentence() -> None:
    sentences = Counter(
        sentence
        for name in documents()
        for sentence in {part for part in re.split(r"(?<=[.!?]) ", text_of(name)) if len(part.split()) > 7}
    )
    assert not [sentence for sentence, count in sentences.items() if count > 1]


def test_collections_and_access_files_agree() -> None:
    assert {entry.name for entry in DECLARED.collections} == {path.name for path in COMPANY.iterdir()}
    for entry in DECLARED.collections:
        assert access(entry.name).label == entry.label
        assert access(entry.name).tags_for("any/file"), "the last rule leaves no file ungoverned"


@pytest.mark.slow
def test_rules_use_known_roles_and_each_matches_a_file() -> None:
    roles = {role.name for role in DECLARED.roles} | {"everyone"}
    for entry in DECLARED.collections:
        used = [rule_of(name) for name in documents() if name.startswith(f"{entry.name}/")]
        for rule in access(entry.name).rules:
            assert {*rule.tags.roles, *rule.tags.deny} <= roles
            assert rule in used, "a rule that matches no file, or none first, is a typing mistake"


def test_roles_and_people_use_known_words() -> None:
    names = [role.name for role in DECLARED.roles]
    assert len(set(names)) == len(names)
    assert "everyone" not in names, "the name is reserved"
    collections = {entry.name for entry in DECLARED.collections}
    for role in DECLARED.roles:
        assert set(role.inside) <= set(names)
    assert len(PEOPLE) == len(DECLARED.people)
    for person in DECLARED.people:
        assert set(person.roles) <= set(names)
        assert set(person.curate) <= collections
        assert Capability.CURATE not in person.capabilities


def test_administrator_and_auditor_read_only_what_everyone_reads() -> None:
    for name in documents():
        for person in ("ada", "oskar"):
            assert "everyone" in rule_of(name).tags.roles or "role" in obstacles(person, name)


def test_the_promised_cases_exist() -> None:
    """What has ended, is not in time yet or is too high is asked for by the questions that are withheld."""
    rules = [rule_of(name).tags for name in documents()]
    assert any(len(tags.roles) >= 3 for tags in rules)
    assert any(tags.label == "restricted" for tags in rules)
    assert any(tags.starts_at and tags.starts_at.year >= 2030 for tags in rules)
    assert not obstacles("maya", "people/restructuring-2027.md")
    assert obstacles("theo", "people/restructuring-2027.md") == {"deny"}, "nothing but the deny may keep him out"


@pytest.mark.slow
def test_every_question_has_one_source_and_the_right_readers() -> None:
    assert 40 <= len(load("questions.yaml")["questions"]) <= 55
    for entry in questions():
        assert found_in(entry["expected"]) == [entry["source"]], entry["question"]
        assert entry["expected"].lower() not in entry["question"].lower()
        assert not obstacles(entry["asker"], entry["source"]), entry["question"]
        assert entry["hidden_from"] == [name for name in PEOPLE if obstacles(name, entry["source"])]


def test_questions_cover_every_collection_and_format() -> None:
    sources = [entry["source"] for entry in questions()]
    assert {source.split("/")[0] for source in sources} == {path.name for path in COMPANY.iterdir()}
    assert {Path(source).suffix for source in sources} == {Path(name).suffix for name in documents()}


def test_demo_asks_one_question_of_two_people() -> None:
    demo = load("questions.yaml")["demo"]
    asked = Counter(entry["question"] for entry in demo)
    pairs = [[e for e in demo if e["question"] == question] for question, count in asked.items() if count == 2]
    assert pairs
    for one, other in pairs:
        assert one["asker"] != other["asker"]
        assert one["source"] != other["source"]
        assert one["asker"] in other["hidden_from"] or other["asker"] in one["hidden_from"]
    (masked,) = [entry for entry in demo if "redacted" in entry]
    assert {planted()[value]["kind"] for value in masked["redacted"]} == {"payment card", "API key"}
    assert all(value in text_of(masked["source"]) for value in masked["redacted"])


def test_withheld_questions_are_withheld_for_exactly_the_stated_reason() -> None:
    withheld = load("questions.yaml")["withheld"]
    for entry in withheld:
        assert found_in(entry["must_not_contain"]) == [entry["source"]], entry["question"]
        assert obstacles(entry["asker"], entry["source"]) == {entry["reason"]}, entry["question"]
    assert {entry["reason"] for entry in withheld} == {"role", "deny", "label", "ended", "not yet"}


def test_off_topic_questions_share_their_rare_word_with_no_document() -> None:
    off_topic = load("questions.yaml")["off_topic"]
    assert len(off_topic) == 12
    for entry in off_topic:
        assert entry["about"].lower() in entry["question"].lower()
        assert not [name for name in documents() if entry["about"].lower() in text_of(name).lower()], entry["about"]
        assert entry["asker"] in PEOPLE


def planted() -> dict[str, dict[str, str]]:
    return {entry["value"]: entry for entry in load("planted.yaml")["planted"]}


@pytest.mark.parametrize("value", list(planted()))
def test_planted_value_stands_in_its_document_alone(value: str) -> None:
    assert found_in(value) == [planted()[value]["source"]]


def test_domains_and_addresses_are_reserved_ones() -> None:
    for name in documents():
        for host in HOST.findall(text_of(name)):
            assert _is_reserved(host), f"{host} in {name}"
        for host in BARE_DOMAIN.findall(text_of(name)):
            assert host == "example.com", f"{host} in {name}"


def _is_reserved(host: str) -> bool:
    if re.fullmatch(r"[\d.]+", host):
        return ipaddress.ip_address(host).is_private
    return host == "example.com" or host.endswith((".example", ".test"))


def test_telephone_numbers_are_the_fictional_range() -> None:
    numbers = {number for name in documents() for number in re.findall(r"\b\d{3}-\d{3}-\d{4}\b", text_of(name))}
    assert numbers
    assert all(re.fullmatch(r"202-555-01\d\d", number) for number in numbers)
