"""The address a request comes from: the peer's, or what the operator's own proxies say it is."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from starlette.types import Scope

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
HeaderName: TypeAlias = Literal["x-forwarded-for", "forwarded"]

# Where the authentication middleware leaves the address for everything behind it.
ADDRESS = "clearance.address"
# Hops of one request that are looked at: more than any chain of proxies has, fewer than a header can hold.
MAX_HOPS = 32
# `for=` of RFC 7239, quoted or not.
FORWARDED_FOR = re.compile(r"(?:^|;)\s*for=(?:\"([^\"]*)\"|([^;\s]*))", re.I)


def parse_networks(text: str) -> tuple[IPNetwork, ...]:
    """Networks with commas between; raises ValueError naming the one that is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


@dataclass(frozen=True)
class Proxies:
    """The proxies whose header is believed, and which header that is. Without networks no header is ever read."""

    networks: tuple[IPNetwork, ...] = ()
    header: HeaderName = "x-forwarded-for"

    def trusts(self, address: str) -> bool:
        """Whether this is one of our own proxies."""
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self.networks)

    def client_address(self, scope: Scope) -> str | None:
        """The nearest address that is not one of our proxies; None where there is no peer (a Unix socket).

        Hops are read from the last to the first, since everything before the first stranger is that stranger's word.
        A hop that is no address ends the reading: the proxy that wrote it is then the best that is known.
        """
        client = scope.get("client")
        found = _plain(client[0]) if client else None
        if found is None or not self.trusts(found):
            return found
        for hop in reversed(self._hops(scope["headers"])[-MAX_HOPS:]):
            parsed = _parse(hop)
            if parsed is None:
                break
            found = str(parsed)
            if not self.trusts(found):
                break
        return found

    def _hops(self, headers: Iterable[tuple[bytes, bytes]]) -> Sequence[str]:
        values = [value.decode("latin-1") for name, value in headers if name == self.header.encode()]
        parts = [part.strip() for part in ",".join(values).split(",")]
        if self.header == "x-forwarded-for":
            return parts
        found = [FORWARDED_FOR.search(part) for part in parts]
        return [(match[1] or match[2] or "") if match else "" for match in found]


def address_of(scope: Scope) -> str | None:
    """The address that the authentication middleware found for this request; the one function to ask for it."""
    found: str | None = scope.get(ADDRESS)
    return found


def group_of(address: str | None) -> str:
    """What a limit by address counts as one: an IPv4 address, or an IPv6 /64, which one customer has."""
    parsed = _parse(address or "")
    if parsed is None:
        return address or ""
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _plain(host: str) -> str:
    parsed = _parse(host)
    return host if parsed is None else str(parsed)


def _parse(text: str) -> IPAddress | None:
    """The address in this text, with or without a port; IPv4 inside IPv6 is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed
