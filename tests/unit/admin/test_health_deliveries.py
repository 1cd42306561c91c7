"""What an administrator is told of the log's delivery: late is an alarm, refused a warning, and silence is named."""

import datetime as dt

import pytest

from app.admin.health.processes import DeliveryLag, check_deliveries

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
LIMIT = dt.timedelta(minutes=15)
LATE, SOON = NOW - dt.timedelta(hours=1), NOW - dt.timedelta(minutes=14)


@pytest.mark.parametrize(
    ("lag", "state", "says"),
    [
        (DeliveryLag("siem", 0, None, None, 0), "ok", "0 records on their way"),
        (DeliveryLag("siem", 9, SOON, "HTTP 503", 0), "ok", "9 records on their way (HTTP 503)"),
        (
            DeliveryLag("siem", 9, LATE, "HTTP 503", 0),
            "fail",
            "9 records wait for it, the oldest for 60 min (HTTP 503)",
        ),
        (DeliveryLag("siem", 9, LATE, None, 2), "fail", "9 records wait for it, the oldest for 60 min"),
        (DeliveryLag("siem", 0, None, None, 2), "warn", "it refused 2 records, which were put aside"),
    ],
)
def test_a_target_is_late_or_has_refused_or_is_well(lag: DeliveryLag, state: str, says: str) -> None:
    [found] = check_deliveries(["siem"], [lag], NOW, LIMIT, "start it")
    assert (found.part, found.state, found.says) == ("delivery siem", state, says)


def test_a_target_that_nothing_delivers_to_is_named() -> None:
    found = list(check_deliveries(["siem", "other"], [DeliveryLag("siem", 0, None, None, 0)], NOW, LIMIT, "start it"))
    assert [(each.part, each.state, each.mend) for each in found] == [
        ("delivery other", "fail", "start it"),
        ("delivery siem", "ok", ""),
    ]
    assert list(check_deliveries([], [], NOW, LIMIT, "start it")) == []
