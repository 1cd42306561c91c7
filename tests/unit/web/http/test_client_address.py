"""The client's address: the peer's, unless a declared proxy says otherwise."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import ApiSettings
from app.web.http.client_address import HeaderName, Proxies, group_of, parse_networks

OURS = parse_networks("10.0.0.0/8, fd00::/8")


def scope(peer: str | None, *headers: tuple[str, str]) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"client": None if peer is None else (peer, 1234), "headers": pairs}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        # Everything before the first stranger is the stranger's own word.
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        # A hop that is no address ends the reading at our own proxy.
        ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        # From anybody else the header is air.
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
        ("testclient", ["203.0.113.9"], "testclient"),
        (None, ["203.0.113.9"], None),
    ],
)
def test_the_nearest_stranger_is_the_client(peer: str | None, forwarded: list[str], expected: str | None) -> None:
    asked = scope(peer, *(("x-forwarded-for", value) for value in forwarded), ("forwarded", "for=9.9.9.9"))
    assert Proxies(OURS).client_address(asked) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=203.0.113.9;proto=https", "203.0.113.9"),
        ('proto=https;For="[2001:db8::1]:80"', "2001:db8::1"),
        ("for=1.1.1.1, for=203.0.113.9;by=10.0.0.1", "203.0.113.9"),
        ("for=_hidden", "10.0.0.1"),
        ("by=203.0.113.9", "10.0.0.1"),
    ],
)
def test_the_standard_header_is_read_where_it_is_set(value: str, expected: str) -> None:
    header: HeaderName = "forwarded"
    asked = scope("10.0.0.1", ("x-forwarded-for", "9.9.9.9"), ("forwarded", value))
    assert Proxies(OURS, header).client_address(asked) == expected


def test_without_declared_proxies_no_header_is_read() -> None:
    asked = scope("127.0.0.1", ("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9"))
    assert Proxies().client_address(asked) == "127.0.0.1"


def test_a_customer_of_many_ipv6_addresses_counts_once() -> None:
    assert group_of("2001:db8:1:2::1") == group_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert group_of("2001:db8:1:3::1") != group_of("2001:db8:1:2::1")
    assert group_of("::ffff:192.0.2.1") == group_of("192.0.2.1") == "192.0.2.1"
    assert group_of(None) == ""


def test_what_is_no_network_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        ApiSettings(trusted_proxies="10.0.0.0/8, everywhere")
