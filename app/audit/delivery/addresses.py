"""The targets of delivery as the settings name them: one setting, a target on a line or between commas."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from app.db.tables.deliveries import DeliveryForm, TargetKind
from app.settings import require_safe_url

_KINDS: dict[str, TargetKind] = {each: each for each in get_args(TargetKind)}
_FORMS: dict[str, DeliveryForm] = {each: each for each in get_args(DeliveryForm)}
_FILES: tuple[str, ...] = ("credentials", "header", "ca", "certificate")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# What each kind can be told beside where it is.
_OPTIONS: dict[TargetKind, frozenset[str]] = {
    "folder": frozenset(),
    "s3": frozenset({"credentials", "region", "ca"}),
    "syslog": frozenset({"ca", "certificate", "longest"}),
    "http": frozenset({"header", "ca", "certificate"}),
}
_NUMBERS = {"records": 500, "bytes": 1_000_000, "seconds": 10, "longest": 65_536}
MAX_RECORDS, MAX_BYTES = 10_000, 64_000_000


@dataclass(frozen=True)
class BatchLimits:
    """A batch is delivered when it has so many records or bytes of them, or when its oldest record is so old."""

    records: int = _NUMBERS["records"]
    bytes: int = _NUMBERS["bytes"]
    seconds: int = _NUMBERS["seconds"]


@dataclass(frozen=True)
class DeliveryAddress:
    """A target: its name, under which its position is kept, what it is, where, and in which form it takes records.

    `files` are those that it needs: `credentials`, `header`, `ca`, `certificate`; `longest`: bytes of one message.
    """

    name: str
    kind: TargetKind
    where: str
    form: DeliveryForm
    limits: BatchLimits = BatchLimits()
    files: dict[str, Path] = field(default_factory=dict)
    region: str = "us-east-1"
    longest: int = _NUMBERS["longest"]

    @classmethod
    def parse_all(cls, given: str) -> "list[DeliveryAddress]":
        """Read 'NAME KIND WHERE FORM [OPTION=VALUE …]', with commas or new lines between; raises ValueError."""
        found = [cls._parse(each.split()) for each in re.split(r"[,\n]", given) if each.strip()]
        names = [each.name for each in found]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two targets are called {twice[0]}: their positions would be one")
        return found

    @classmethod
    def _parse(cls, words: list[str]) -> "DeliveryAddress":
        if len(words) < 4:
            raise ValueError("a target is NAME KIND WHERE FORM, as in: archive folder /var/lib/log jsonl")
        name, kind, where, form, *more = words
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a target: small letters, digits, dots, dashes")
        known, known_form = _KINDS.get(kind), _FORMS.get(form)
        if known is None:
            raise ValueError(f"{name}: {kind!r} is none of {', '.join(_KINDS)}")
        if known_form is None:
            raise ValueError(f"{name}: {form!r} is none of {', '.join(_FORMS)}")
        options = dict(_option(name, each) for each in more)
        allowed = _OPTIONS[known] | {"records", "bytes", "seconds"}
        if unknown := sorted(set(options) - allowed):
            raise ValueError(f"{name}: {unknown[0]} is no option of {kind}: {', '.join(sorted(allowed))}")
        numbers = {each: _number(name, each, options[each]) for each in _NUMBERS if each in options}
        longest = numbers.pop("longest", _NUMBERS["longest"])
        limits = BatchLimits(**numbers)
        if limits.records > MAX_RECORDS or limits.bytes > MAX_BYTES:
            raise ValueError(f"{name}: a batch has at most {MAX_RECORDS} records and {MAX_BYTES} bytes")
        _check_place(name, known, where, options)
        files = {each: Path(options[each]) for each in _FILES if each in options}
        return cls(name, known, where, known_form, limits, files, options.get("region", "us-east-1"), longest)


def _option(name: str, given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not (key and equals and value):
        raise ValueError(f"{name}: {given!r} is no OPTION=VALUE")
    return key, value


def _number(name: str, key: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and int(value) > 0):
        raise ValueError(f"{name}: {key} is a whole number above 0")
    return int(value)


def _check_place(name: str, kind: TargetKind, where: str, options: dict[str, str]) -> None:
    """Refuse a place that cannot be one of this kind."""
    if kind == "folder" and not Path(where).is_absolute():
        raise ValueError(f"{name}: name the folder by its whole path")
    if kind == "syslog":
        host_and_port(where)
    if kind in {"s3", "http"}:
        require_safe_url(where, f"{name}: its URL")
    if kind == "s3":
        if "credentials" not in options:
            raise ValueError(f"{name}: name the file of its credentials: credentials=FILE")
        bucket_of(where)


def host_and_port(where: str) -> tuple[str, int]:
    """'HOST:PORT', with an IPv6 address in brackets; raises ValueError."""
    host, _, port = where.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError(f"{where!r} is no HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def bucket_of(where: str) -> tuple[str, str, str]:
    """Of 'https://HOST/BUCKET/PREFIX' the endpoint, the bucket, and the prefix, '' or with a slash at its end."""
    scheme, _, rest = where.partition("://")
    host, _, path = rest.partition("/")
    bucket, _, prefix = path.partition("/")
    if not bucket:
        raise ValueError(f"{where!r} names no bucket: https://HOST/BUCKET/PREFIX")
    prefix = prefix.strip("/")
    return f"{scheme}://{host}", bucket, f"{prefix}/" if prefix else ""
