"""Where text may go, from the settings: what is not in the house sees public text, and more only by a confirmation."""

import ipaddress
import socket
from urllib.parse import urlsplit

from app.identity.subject import Label
from app.llm.protocol import Endpoint, is_loopback
from app.settings import ModelSettings

CONFIRM = "CLEARANCE_MODEL__ALLOW_RESTRICTED_TEXT_ON_PUBLIC_HOST"
# Names that no public name server answers for (RFC 2606, 6761, 6762 appendix G, 8375), and those of a cluster.
PRIVATE_SUFFIXES = frozenset(
    ("corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "private", "svc", "test")
)
HOME_NETWORK = "home.arpa"


class PublicModelHost(ValueError):
    """The settings would send text above `public` to a host on the public internet, and nobody has confirmed that."""


def endpoint(model: ModelSettings) -> Endpoint:
    """The model endpoint; text above `public` goes to one that is declared internal or on loopback alone.

    Raises PublicModelHost where the settings say more than the name or address of the host lets us believe.
    """
    internal = model.internal
    if internal is None:
        internal = is_loopback(model.base_url) or _host(model.base_url) in model.hosts()
    highest = Label.RESTRICTED if internal else Label.PUBLIC
    if model.max_label:
        highest = Label.parse(model.max_label)
    if highest > Label.PUBLIC and is_public(model.base_url) and not model.allow_restricted_text_on_public_host:
        raise PublicModelHost(
            f"text up to the label '{highest.text}' would go to {_host(model.base_url) or 'no host'}, which looks like"
            " one on the public internet. If the model is not in your house, leave CLEARANCE_MODEL__INTERNAL and"
            " CLEARANCE_MODEL__MAX_LABEL unset: it then sees public text alone. If it is, name it by its private name"
            f" or address, or confirm with {CONFIRM}=true"
        )
    return Endpoint(model.base_url, model.name, internal, highest)


def is_public(base_url: str) -> bool:
    """Whether the host may be on the public internet, judged by its name or address alone; nothing is resolved.

    A name server's answer changes, and may be another one tomorrow. So: an address outside the private ranges, a name
    with a dot that is not of a private zone, and whatever cannot be read.
    """
    host = _host(base_url)
    address = _address(host)
    if address is not None:
        return address.is_global
    labels = host.split(".")
    if not all(labels):
        return True
    return len(labels) > 1 and labels[-1] not in PRIVATE_SUFFIXES and not host.endswith(f".{HOME_NETWORK}")


def _host(base_url: str) -> str:
    """The host's name, in lower case and without the dot that may end it."""
    return (urlsplit(base_url).hostname or "").removesuffix(".")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that `host` is, also in the old forms that the resolver takes ("2130706433", "0x7f.1")."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return getattr(address, "ipv4_mapped", None) or address
