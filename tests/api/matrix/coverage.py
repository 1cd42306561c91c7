"""What the application really routes and which identifiers it takes, held against what is declared."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from fastapi import FastAPI
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from tests.api.matrix.declared import CARRIED, MOUNTS, VALUES
from tests.api.matrix.route_access import TARGET, Case, Route

Key = tuple[str, str]


def served(app: FastAPI) -> set[Key]:
    """Method and path of every route of the application; ANY for mounts and for what speaks another protocol."""
    found = set()
    for context in iter_route_contexts(app.routes):
        methods = set(context.methods or {"ANY"})
        # Where there is GET, HEAD is the same function.
        found |= {(m, str(context.path)) for m in methods - ({"HEAD"} if "GET" in methods else set())}
    return found


def gaps(app: FastAPI, declared: Mapping[Key, Route]) -> list[str]:
    """What the declaration lacks or has too much, a line each: routes, and identifiers that no case varies."""
    real = served(app)
    lines = [f"{m} {p}: the route has no declared access" for m, p in sorted(real - set(declared) - MOUNTS)]
    lines += [f"{m} {p}: declared, and no such route" for m, p in sorted((set(declared) | MOUNTS) - real)]
    for key in sorted(real & set(declared)):
        route = declared[key]
        named = {i for i in identifiers(app, key) if i not in CARRIED and not _is_value(i, route)}
        varied = {i for case in route.cases for i in varied_by(case)}
        lines += [f"{key[0]} {key[1]}: undeclared identifier {i}" for i in sorted(named - varied)]
        lines += [f"{key[0]} {key[1]}: no such identifier {i}" for i in sorted(varied - named)]
    return lines


def identifiers(app: FastAPI, key: Key) -> set[str]:
    """All that a caller fills in: `name` in the path, `?name` in the query, `.name` in a body, `@name` in a header."""
    method, template = key
    found = set(re.findall(r"\{(\w+)(?::\w+)?\}", template))
    [context] = [c for c in iter_route_contexts(app.routes) if c.path == template and method in (c.methods or {"ANY"})]
    if isinstance(context.original_route, APIRoute):
        # From the function itself: a route may stay out of the schema, and nothing that it takes may.
        found |= set(_parameters(context.dependant))
    schema = app.openapi()
    if isinstance(context.original_route, APIRoute) and template not in schema["paths"]:
        # Forms of pages stand in no schema.
        found |= {f".{name}" for field in _body_fields(context.dependant) for name in _names_in(field)}
    operation = schema["paths"].get(template, {}).get(method.lower(), {})
    for content in operation.get("requestBody", {}).get("content", {}).values():
        found |= {f".{name}" for name in _leaves(content["schema"], schema)}
    return found


def _parameters(dependant: Dependant) -> Iterator[str]:
    """What a function and all that it depends on take from query and headers."""
    for sign, fields in (("?", dependant.query_params), ("@", dependant.header_params), ("@", dependant.cookie_params)):
        yield from (sign + field.alias for field in fields)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


def _body_fields(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.body_params
    for inner in dependant.dependencies:
        yield from _body_fields(inner)


def _names_in(field: ModelField) -> Iterator[str]:
    """The names of a form's fields: of a parameter its own, of a model those that it has."""
    model = field.field_info.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        yield field.alias
        return
    for name, inner in model.model_fields.items():
        yield f"{name}[]" if get_origin(inner.annotation) is list else name


def varied_by(case: Case) -> Iterator[str]:
    """The identifiers that hold this case's target."""
    yield from (name for name, value in case.path.items() if value == TARGET)
    yield from (f"?{name}" for name, value in case.query.items() if value == TARGET)
    for whole in (case.body, case.form):
        yield from (f".{name}" for name in _filled(whole))


def _is_value(identifier: str, route: Route) -> bool:
    return identifier in route.values or re.split(r"[?.@]", identifier)[-1].removesuffix("[]") in VALUES


def _filled(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _filled(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _filled(inner, f"{name}[]")
    elif value == TARGET:
        yield name


def _leaves(schema: Mapping[str, Any], root: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """The names of a schema's fields, nested ones with dots and lists with brackets."""
    while "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    for part in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(part, ()):
            yield from _leaves(inner, root, name)
    if "properties" in schema:
        for key, inner in schema["properties"].items():
            yield from _leaves(inner, root, f"{name}.{key}" if name else key)
    elif schema.get("type") == "array":
        yield from _leaves(schema["items"], root, f"{name}[]")
    elif name and schema.get("type") != "null" and not {"anyOf", "oneOf", "allOf"} & set(schema):
        yield name
