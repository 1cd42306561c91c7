"""What Entra ID and Okta send that the specification does not have, put into its words. Pure: JSON in, JSON out.

Whatever is not known here goes on as it came, to be judged by the library. Nothing here may widen a request: a removal
that names whom it removes stays one of just these.
"""

import json
from collections.abc import Mapping
from typing import Any

# What a directory may send back to us as it got it, and never changes.
READ_ONLY = frozenset({"id", "meta", "groups", "schemas"})
MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager"


class UnclearRemoval(ValueError):
    """A removal of members that names none in a way that can be understood: it must never empty the group."""


def normalize(method: str, path: str, body: bytes) -> bytes:
    """The body in the words of the specification; as it came if it is no JSON object. Raises UnclearRemoval."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(given, dict):
        return body
    if path.strip("/").lower() == "bulk":
        return json.dumps(_bulk(given)).encode()
    return json.dumps(_request(method, given)).encode()


def _bulk(body: dict[str, Any]) -> dict[str, Any]:
    return {key: _operations(each, _bulk_operation) if _is(key, "operations") else each for key, each in body.items()}


def _bulk_operation(operation: dict[str, Any]) -> dict[str, Any]:
    method = str(_get(operation, "method") or "").upper()
    return {
        key: _request(method, value) if _is(key, "data") and isinstance(value, dict) else value
        for key, value in operation.items()
    }


def _request(method: str, body: dict[str, Any]) -> dict[str, Any]:
    if method.upper() != "PATCH":
        return {key: _members(value) if _is(key, "members") else value for key, value in body.items()}
    return {
        key: _operations(value, _patch_operation) if _is(key, "operations") else value for key, value in body.items()
    }


def _operations(value: Any, one: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [one(each) if isinstance(each, dict) else each for each in value]


def _patch_operation(operation: dict[str, Any]) -> dict[str, Any]:
    """`op` in small letters, members by their id alone, a manager as an object, and no read-only attributes."""
    op, path, value = _get(operation, "op"), _get(operation, "path"), _get(operation, "value")
    op = op.lower() if isinstance(op, str) else op
    given = {"op": op}
    if path is not None and path != "":
        given["path"] = path
    if isinstance(path, str) and _is(path, "members"):
        if op == "remove" and _has(operation, "value"):
            given["value"] = _named(value)
            return given
        value = _members(value)
    elif isinstance(path, str) and _is(path, MANAGER):
        value = _manager(value)
    elif "path" not in given and isinstance(value, dict):
        value = _whole(value)
    if _has(operation, "value"):
        given["value"] = value
    return given


def _whole(value: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an operation without a path."""
    kept = {key: each for key, each in value.items() if key.lower() not in READ_ONLY}
    return {
        key: _members(each) if _is(key, "members") else _manager(each) if _is(key, MANAGER) else each
        for key, each in kept.items()
    }


def _members(value: Any) -> Any:
    """Members by their ids alone: what else is said of them is ours to say."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return value
    return [_bare(each) if isinstance(each, dict) and _has(each, "value") else each for each in value]


def _bare(member: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": _get(member, "value")}


def _named(value: Any) -> list[dict[str, str]]:
    """The members that a removal names, which are some. Raises UnclearRemoval."""
    found = _members(value)
    named = [each["value"] for each in found if isinstance(each, dict) and isinstance(each.get("value"), str)] if (
        isinstance(found, list)
    ) else []  # fmt: skip
    if not named or len(named) != len(found) or not all(named):
        raise UnclearRemoval("A removal of members names each of them by its value.")
    return [{"value": each} for each in named]


def _manager(value: Any) -> Any:
    """Entra ID sends the id alone, or a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return {"value": value} if isinstance(value, str) and value else value


def _is(key: str, name: str) -> bool:
    return key.lower() == name


def _has(given: Mapping[str, Any], name: str) -> bool:
    return any(_is(key, name) for key in given)


def _get(given: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in given.items() if _is(key, name)), None)
