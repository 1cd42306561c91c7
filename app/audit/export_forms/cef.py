"""CEF: a line for each entry, for collectors that take no JSON. It has no records, so no hash can be computed from it.

Whatever a record says is data: no name can end a line, a field or the header, and begin another.
"""

import functools
import importlib.metadata
import ipaddress
import re
from collections.abc import Iterable, Mapping

from app.audit.export_forms.event_classes import CEF_SEVERITY, event_class
from app.audit.export_forms.row import ExportedEntry, ExportRow, read_entry

VENDOR = PRODUCT = "Clearance"
# Characters that some reader takes for the end of a line, or that act: CEF has no way to write them.
_REPLACED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], "\N{REPLACEMENT CHARACTER}")
_SPECIAL = re.compile("[\\\\|=\x00-\x1f\x7f-\x9f\u2028\u2029]")
_IN_HEADER = str.maketrans(_REPLACED | {ord("\\"): "\\\\", ord("|"): "\\|"})
_IN_FIELD = str.maketrans(_REPLACED | {ord("\\"): "\\\\", ord("="): "\\=", ord("\n"): "\\n", ord("\r"): "\\r"})


def cef_lines(entries: Iterable[ExportedEntry]) -> bytes:
    """A line for each entry."""
    version = importlib.metadata.version("clearance")
    return "".join(_line(entry, version) for entry in entries).encode()


def _line(entry: ExportedEntry, version: str) -> str:
    row, _ = read_entry(entry)
    fields = {name: value for name, value in _fields(entry, row).items() if value}
    # Of most entries no field has anything to escape, which is seen of all at once.
    if _SPECIAL.search("".join(fields.values())):
        fields = {name: _escaped(value, _IN_FIELD) for name, value in fields.items()}
    said = " ".join([f"{name}={value}" for name, value in fields.items()])
    return f"{_header(row.kind, version)}|{said}\n"


@functools.lru_cache(256)
def _header(kind: str, version: str) -> str:
    severity = str(CEF_SEVERITY[event_class(kind).severity])
    header = ("CEF:0", VENDOR, PRODUCT, version, kind, kind.replace(".", " "), severity)
    return "|".join(_escaped(part, _IN_HEADER) for part in header)


def _escaped(text: str, escapes: Mapping[int, str]) -> str:
    return text.translate(escapes) if _SPECIAL.search(text) else text


def _fields(entry: ExportedEntry, row: ExportRow) -> Mapping[str, str | None]:
    """The fields of CEF's dictionary; those that are its own to fill have the name that they have here."""
    own = {
        "cn1": ("seq", str(entry.seq)),
        "cn2": ("policyEpoch", None if row.policy_epoch is None else str(row.policy_epoch)),
        "cs1": ("trail", row.trail),
        "cs2": ("key", row.key),
        "cs3": ("via", row.via),
        "cs4": ("leafHash", entry.leaf_hash.hex()),
        "cs5": ("documents", " ".join(row.documents)),
        "cs6": ("model", row.model),
        "flexString1": ("label", row.label),
    }
    labelled = {f"{name}Label": label for name, (label, value) in own.items() if value}
    return {
        "rt": None if row.time is None else str(int(1000 * row.time.timestamp())),
        "externalId": row.id,
        "suid": row.user,
        "suser": row.name,
        **_source(row.address),
        "act": row.action,
        "outcome": row.outcome,
        "reason": row.reason,
        "duid": row.target,
        "msg": row.question,
        **{name: value for name, (_, value) in own.items()},
        **labelled,
    }


def _source(address: str | None) -> Mapping[str, str]:
    """The field for an address of its family; what is none is a host's name."""
    if not address:
        return {}
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return {"shost": address}
    return {"src": address} if version == 4 else {"c6a2": address, "c6a2Label": "Source IPv6 Address"}
