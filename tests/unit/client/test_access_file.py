"""access.yaml: what the rules give, and what is not accepted."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.client.access_file import AccessFile, AccessFileError, Tags
from app.errors import InvalidInput

FILE = """
label: internal
rules:
  - path: "payroll/**"
    roles: [hr]
    deny: [hr-interns]
    label: confidential
    from: 2026-01-01
    until: 2027-01-01T02:00:00+02:00
  - path: "*.md"
    roles:
      - everyone
  - {path: "teams/*/plan?.pdf", roles: [leads, board]}
  - {path: "**/minutes/*", roles: [board]}
"""


@pytest.fixture
def access(tmp_path: Path) -> AccessFile:
    path = tmp_path / "access.yaml"
    path.write_text(FILE, encoding="utf-8")
    return AccessFile.read(path)


def test_a_rule_gives_all_its_tags(access: AccessFile) -> None:
    assert access.tags_for("payroll/2026/may.xlsx") == Tags(
        roles=("hr",),
        deny=("hr-interns",),
        label="confidential",
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert access.tags_for("handbook.md") == Tags(roles=("everyone",), label="internal")


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("payroll/a.md", ("hr",)),
        ("payroll/minutes/a", ("hr",)),  # the first match wins
        ("payroll", None),
        ("payrolls/a.txt", None),
        ("sub/handbook.md", None),  # * stays within a folder
        ("teams/ops/plan1.pdf", ("leads", "board")),
        ("teams/ops/plan12.pdf", None),
        ("teams/ops/x/plan1.pdf", None),
        ("minutes/a", ("board",)),
        ("a/b/minutes/c", ("board",)),
        ("a/b/minutes/c/d", None),
        ("HANDBOOK.MD", None),
    ],
)
def test_globs(access: AccessFile, path: str, roles: tuple[str, ...] | None) -> None:
    tags = access.tags_for(path)
    assert (tags.roles if tags else None) == roles


def test_names_match_in_either_unicode_form() -> None:
    access = AccessFile.parse('rules:\n  - {path: "büro/**", roles: [büro]}\n')
    tags = access.tags_for("bu\u0308ro/a.txt")
    assert tags is not None
    assert tags.roles == ("büro",)


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a/../b", "./a", "a//b", "a\\b"])
def test_paths_that_leave_the_folder_are_refused(access: AccessFile, path: str) -> None:
    with pytest.raises(InvalidInput, match="relative path"):
        access.tags_for(path)


RULE = "rules:\n  - path: a\n    roles: [x]\n"
WRONG = [
    ("", "the file is empty"),
    ("# nothing\n", "the file is empty"),
    ("label: internal\n", "`rules` is missing"),
    ("rules: []\n", "`rules` is empty"),
    ("- a\n", "line 1: the file must hold"),
    ("lable: internal\n" + RULE, "line 1: unknown key 'lable'"),
    ("label: Internal\n" + RULE, "line 1: label must be one of public"),
    ("label: secret\n" + RULE, "line 1: label must be one of public"),
    ("label: public\n" + RULE + "label: restricted\n", "line 5: 'label' stands twice"),
    ("rules:\n  - roles: [x]\n", "line 2: rule 1 has no `path`"),
    ("rules:\n  - path: a\n", "line 2: rule 1 has no `roles`"),
    ("rules:\n  - path: a\n    roles: []\n", "line 3: `roles` of rule 1 is empty"),
    ("rules:\n  - path: a\n    roles:\n", "`roles` of rule 1 must be a list"),
    ("rules:\n  - path: a\n    roles: hr\n", r"line 3: `roles` of rule 1 must be a list.*\[hr\]"),
    ("rules:\n  - path: a\n    roles: [yes]\n", 'quotes around it, "yes"'),
    ("rules:\n  - path: a\n    roles: [2026]\n", 'quotes around it, "2026"'),
    ("rules:\n  - path: a\n    roles: [x, x]\n", "names something twice"),
    ("rules:\n  - path: a\n    roles: [' x']\n", "spaces around it"),
    (RULE + "    deny: [x]\n", "both allows and denies 'x'"),
    (RULE + "    deny: [everyone]\n", "hides the files from everyone"),
    (RULE + "    deny: hr\n", r"write \[hr\]"),
    (RULE + "    role: [y]\n", "line 4: unknown key 'role' in rule 1"),
    (RULE + "    from: soon\n", "line 4: `from` of rule 1 must be a date"),
    (RULE + "    from: 2026-13-45\n", "line 4: `from` of rule 1 must be a date"),
    (RULE + "    from: 2026-05-01\n    until: 2026-05-01\n", "line 5: `until` of rule 1 is not after"),
    ("rules:\n  - path: /etc/**\n    roles: [x]\n", "line 2: `path` of rule 1 must be relative"),
    ("rules:\n  - path: ../a\n    roles: [x]\n", "must be relative"),
    ("rules:\n  - path: payroll/\n    roles: [x]\n", "must be relative"),
    ("rules:\n  - path: a**\n    roles: [x]\n", "must stand alone"),
    ("rules:\n  - path: '[ab].md'\n    roles: [x]\n", "only .* are special"),
    ("rules:\n  - path: '!a'\n    roles: [x]\n", "only .* are special"),
    ("rules:\n\t- path: a\n", "line 2: not valid YAML: indent with spaces"),
    ("rules: [\n", "not valid YAML"),
    ("a: b\n---\nc: d\n", "not valid YAML"),
    *(
        (RULE + f"    inherits: {x}\n", "line 4: `inherits` of rule 1 must be `true`")
        for x in ("false", "maybe", "[]", "1")
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_not_understood_is_an_error_that_says_where(text: str, message: str) -> None:
    with pytest.raises(AccessFileError, match=message):
        AccessFile.parse(text)


def test_an_absent_or_binary_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AccessFileError, match="cannot be read"):
        AccessFile.read(tmp_path / "access.yaml")
    (tmp_path / "access.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AccessFileError, match="cannot be read"):
        AccessFile.read(tmp_path / "access.yaml")


def test_a_time_without_zone_is_utc() -> None:
    access = AccessFile.parse("rules:\n  - {path: a, roles: [x], from: 2026-05-01T09:30:00, until: '2026-06-01'}\n")
    tags = access.tags_for("a")
    assert tags is not None
    assert tags.starts_at == datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
    assert tags.ends_at == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_role_of_another_source_is_named_with_it() -> None:
    """Unquoted too: without a space behind its colon it is one word of YAML."""
    rules = AccessFile.parse('rules: [{path: "**", roles: ["okta:sales"]}]\n')
    assert rules.tags_for("a.md") == Tags(roles=("okta:sales",))
    rules = AccessFile.parse("rules:\n  - path: a.md\n    roles:\n      - okta:sales\n")
    assert rules.tags_for("a.md") == Tags(roles=("okta:sales",))


def test_files_that_inherit_need_no_roles() -> None:
    """As their folder and collection say, label and all; roles and denials may add to that."""
    text = (
        'rules:\n  - {path: "a/**", inherits: true}\n  - {path: "b/**", inherits: true, roles: [hr], deny: [temps]}\n'
    )
    file = AccessFile.parse(text)
    assert file.tags_for("a/x.md") == Tags(roles=(), label="", inherits=True)
    assert file.tags_for("b/x.md") == Tags(roles=("hr",), deny=("temps",), label="", inherits=True)
    labelled = AccessFile.parse('label: public\nrules:\n  - {path: "*", inherits: true, label: restricted}\n')
    assert labelled.tags_for("x.md") == Tags(roles=(), label="restricted", inherits=True)
