"""What a line of `clearance audit events` says of a record."""

import pytest

from app.cli.audit import summary

ID = "3546a603-38cb-45d6-9f06-e64b4b5c1c9c"


@pytest.mark.parametrize(
    ("record", "names", "said"),
    [
        ({"document": ID}, {ID: "Leave (leave.md)"}, "Leave (leave.md)"),
        ({"document": ID}, {}, ID),
        ({"action": "rule.set", "target": f"collection:{ID}/people"}, {ID: "hr"}, "rule.set · collection:hr/people"),
        ({"action": "rule.set"}, {ID: "hr"}, "rule.set"),
    ],
)
def test_targets_by_what_they_were_called(record: dict[str, str], names: dict[str, str], said: str) -> None:
    assert summary({"record": record, "opened": {}, "names": names}) == said
