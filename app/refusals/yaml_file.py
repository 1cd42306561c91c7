"""The file of refusals: its schema, read to values. `docs/refusals.md` says what each key means; pure but for the
files with keys that it names.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError

from app.identity.subject import Label
from app.llm.endpoint import PublicModelHost, endpoint
from app.llm.protocol import Endpoint
from app.refusals.patterns import UnboundedPattern, pattern, phrase
from app.refusals.rules import ACTIONS, FORMS, WHEN_OUT, Category, GuardModel, ModelUse, RefusalsFile, WhenOut
from app.refusals.yaml_nodes import NodeReader, RefusalsFileError
from app.settings import ModelSettings

LABELS = ("public", "internal", "confidential", "restricted")
MIN_EXAMPLES = 20
# Of what a category or the file may hold: more would make reading it slow.
MAX_CATEGORIES, MAX_MODELS, MAX_PHRASES, MAX_PATTERNS, MAX_EXAMPLES = 30, 8, 300, 100, 300
DEFAULT_SECONDS = 3.0
DEFAULT_FALSE_REFUSALS = 0.005
_FILE_KEYS = ("version", "question_label", "false_refusals", "harmless", "models", "categories")
_MODEL_KEYS = ("name", "form", "url", "model", "key_file", "seconds", "internal", "max_label")
_CATEGORY_KEYS = (
    "name", "action", "message", "phrases", "patterns", "exceptions", "exempt_roles", "examples", "harmless",
    "models",
)  # fmt: skip
_USE_KEYS = ("name", "codes", "when_out")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2}")
Value = TypeVar("Value")


def parse(text: str, *, name: str) -> RefusalsFile:
    """The file called `name`. Raises RefusalsFileError."""
    reader = NodeReader(name)
    root = reader.compose(text)
    if root is None:
        raise RefusalsFileError(f"{name}: the file is empty; write `version: 1` and `categories:`")
    fields = reader.mapping(root, _FILE_KEYS, "the file", needed=("version", "categories"))
    if getattr(fields["version"], "value", None) != "1":
        raise reader.wrong(fields["version"], "`version` must be 1: this is the only form of the file so far")
    label = Label.parse(
        _optional(fields, "question_label", lambda n: reader.one_of(n, LABELS, "`question_label`"), "internal")
    )
    models: dict[str, GuardModel] = {}
    for node in reader.items(fields["models"], "`models`", most=MAX_MODELS) if "models" in fields else ():
        made = _model(reader, node, label)
        if made.name in models:
            raise reader.wrong(node, f"two models are named {made.name!r}")
        models[made.name] = made
    rate = _optional(fields, "false_refusals", lambda n: _rate(reader, n), DEFAULT_FALSE_REFUSALS)
    categories: dict[str, Category] = {}
    for node in reader.items(fields["categories"], "`categories`", most=MAX_CATEGORIES):
        category = _CategoryReader(reader, models).read(node)
        if category.name in categories:
            raise reader.wrong(node, f"two categories are named {category.name!r}")
        categories[category.name] = category
    if not categories:
        raise reader.wrong(fields["categories"], "`categories` is empty: write at least one, or unset the file")
    return RefusalsFile(label, rate, tuple(categories.values()), models, _questions(reader, fields, "the file"))


class _CategoryReader:
    def __init__(self, reader: NodeReader, models: Mapping[str, GuardModel]) -> None:
        self._reader, self._models = reader, models

    def read(self, node: Any) -> Category:
        reader = self._reader
        fields = reader.mapping(node, _CATEGORY_KEYS, "a category", needed=("name", "action"))
        name = _name(reader, fields["name"], "`name` of a category")
        where = f"category {name!r}"
        action = reader.one_of(fields["action"], ACTIONS, f"`action` of {where}")
        if action != "flag" and "message" not in fields:
            raise reader.wrong(node, f"{where} has no `message`: write what who asks is told")
        if action == "flag" and "message" in fields:
            raise reader.wrong(fields["message"], f"{where} only flags, so nobody is told: leave `message` out")
        examples = _questions(reader, fields, where, "examples")
        if "examples" in fields and len(examples) < MIN_EXAMPLES:
            raise reader.wrong(
                fields["examples"],
                f"{where} has {len(examples)} examples: write at least {MIN_EXAMPLES}, or none and phrases instead",
            )
        category = Category(
            name=name,
            action=action,
            messages=_optional(fields, "message", lambda n: self._messages(n, where), {}),
            phrases=self._compiled(fields, "phrases", where),
            patterns=self._compiled(fields, "patterns", where),
            exceptions=self._exceptions(fields["exceptions"], where) if "exceptions" in fields else (),
            exempt_roles=frozenset(self._roles(fields["exempt_roles"], where) if "exempt_roles" in fields else ()),
            examples=examples,
            harmless=_questions(reader, fields, where),
            models=self._uses(fields["models"], where, flags=action == "flag") if "models" in fields else (),
        )
        if not (category.phrases or category.patterns or category.examples or category.models):
            raise reader.wrong(node, f"{where} finds nothing: write `phrases`, `patterns`, `examples` or `models`")
        return category

    def _messages(self, node: Any, where: str) -> dict[str, str]:
        if isinstance(node, yaml.ScalarNode):
            return {"en": self._reader.limited(node, f"`message` of {where}", longest=2_000)}
        if not isinstance(node, yaml.MappingNode) or not node.value:
            raise self._reader.wrong(node, f"`message` of {where} must be a text, or texts by language: `en: …`")
        for key, _ in node.value:
            if not _LANGUAGE.fullmatch(str(key.value)):
                raise self._reader.wrong(key, f"`message` of {where}: {key.value!r} is no language like en or de")
        fields = self._reader.mapping(node, [str(key.value) for key, _ in node.value], f"`message` of {where}")
        return {language: self._reader.limited(text, f"`{language}` of {where}") for language, text in fields.items()}

    def _compiled(self, fields: Mapping[str, Any], key: str, where: str) -> tuple[re.Pattern[str], ...]:
        if key not in fields:
            return ()
        compiled, most = (phrase, MAX_PHRASES) if key == "phrases" else (pattern, MAX_PATTERNS)
        found = []
        for node, text in self._reader.texts(fields[key], f"`{key}` of {where}", most=most):
            try:
                found.append(compiled(text))
            except UnboundedPattern as error:
                raise self._reader.wrong(node, f"{text[:60]!r} in `{key}` of {where}: {error}") from None
        return tuple(found)

    def _exceptions(self, node: Any, where: str) -> tuple[re.Pattern[str], ...]:
        fields = self._reader.mapping(node, ("phrases", "patterns"), f"`exceptions` of {where}")
        there = f"the exceptions of {where}"
        return (*self._compiled(fields, "phrases", there), *self._compiled(fields, "patterns", there))

    def _roles(self, node: Any, where: str) -> tuple[str, ...]:
        roles = tuple(text for _, text in self._reader.texts(node, f"`exempt_roles` of {where}", most=100))
        if "everyone" in roles:
            raise self._reader.wrong(node, f"`everyone` is exempt from {where}: leave the category out")
        return roles

    def _uses(self, node: Any, where: str, *, flags: bool) -> tuple[ModelUse, ...]:
        uses = []
        for entry in self._reader.items(node, f"`models` of {where}", most=MAX_MODELS):
            fields = self._reader.mapping(entry, _USE_KEYS, f"a model of {where}", needed=("name",))
            name = self._reader.limited(fields["name"], f"`name` of a model of {where}")
            if name not in self._models:
                known = ", ".join(self._models) or "there is none"
                raise self._reader.wrong(fields["name"], f"no model of the file is named {name!r}; {known}")
            codes = self._reader.texts(fields["codes"], f"`codes` of {where}", most=100) if "codes" in fields else []
            when_out: WhenOut = "pass" if flags else "refuse"
            if "when_out" in fields:
                when_out = self._reader.one_of(fields["when_out"], WHEN_OUT, f"`when_out` of {where}")
            uses.append(ModelUse(name, frozenset(text for _, text in codes), when_out))
        return tuple(uses)


def _model(reader: NodeReader, node: Any, question_label: Label) -> GuardModel:
    fields = reader.mapping(node, _MODEL_KEYS, "a model", needed=("name", "form", "url"))
    name = _name(reader, fields["name"], "`name` of a model")
    where = f"model {name!r}"
    form = reader.one_of(fields["form"], FORMS, f"`form` of {where}")
    if form != "classifier" and "model" not in fields:
        meaning = {"llama-guard": "the model's name there", "guardrails-ai": "the name of the guard"}
        raise reader.wrong(node, f"{where} has no `model`: write {meaning.get(form, 'the id of the configuration')}")
    goes_to = _endpoint(reader, fields, where)
    if question_label > goes_to.max_label:
        raise reader.wrong(
            fields["url"],
            f"{where} may see text up to the label {goes_to.max_label.text!r}, and questions have the label "
            f"{question_label.text!r}: name an internal endpoint (`internal: true` if it is in your house), or write "
            "`question_label: public` at the top if questions may leave it",
        )
    seconds = _optional(
        fields, "seconds", lambda n: reader.number(n, f"`seconds` of {where}", least=0.05, most=30), DEFAULT_SECONDS
    )
    key = _optional(fields, "key_file", lambda n: _key(reader, n, where), None)
    return GuardModel(name, form, goes_to, seconds, key)


def _endpoint(reader: NodeReader, fields: Mapping[str, Any], where: str) -> Endpoint:
    url = reader.limited(fields["url"], f"`url` of {where}")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise reader.wrong(fields["url"], f"`url` of {where} must be like http://host:8000/v1, without a name or query")
    label = _optional(fields, "max_label", lambda n: reader.one_of(n, LABELS, f"`max_label` of {where}"), None)
    internal = _optional(fields, "internal", lambda n: reader.true(n, f"`internal` of {where}"), None)
    named = _optional(fields, "model", lambda n: reader.limited(n, f"`model` of {where}", longest=200), "")
    try:
        return endpoint(ModelSettings.model_validate(
            {"base_url": url, "name": named, "internal": internal, "max_label": label}
        ))  # fmt: skip
    except PublicModelHost:
        raise reader.wrong(
            fields["url"],
            f"{where}: text above 'public' would go to {parts.hostname}, which looks like a host on the public "
            "internet; name it by its private name or address, or leave `internal` and `max_label` out",
        ) from None
    except ValidationError:
        raise reader.wrong(fields["url"], f"{where} cannot be used as it stands: look at `url`, `model`") from None


def _key(reader: NodeReader, node: Any, where: str) -> str:
    path = Path(reader.limited(node, f"`key_file` of {where}"))
    try:
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise reader.wrong(
            node, f"`key_file` of {where} cannot be read: write the path of a file with the key"
        ) from None
    if not key or not key.isprintable() or not key.isascii():
        raise reader.wrong(node, f"`key_file` of {where} holds no key: write it alone, in one line")
    return key


def _name(reader: NodeReader, node: Any, where: str) -> str:
    name = reader.limited(node, where)
    if not _NAME.fullmatch(name):
        raise reader.wrong(node, f"{where} must be small letters, digits and hyphens, at most 40: it stands in the log")
    return name


def _rate(reader: NodeReader, node: Any) -> float:
    return reader.number(node, "`false_refusals`", least=0, most=0.2)


def _questions(reader: NodeReader, fields: Mapping[str, Any], where: str, key: str = "harmless") -> tuple[str, ...]:
    if key not in fields:
        return ()
    return tuple(text for _, text in reader.texts(fields[key], f"`{key}` of {where}", most=MAX_EXAMPLES))


def _optional(fields: Mapping[str, Any], key: str, read: Callable[[Any], Value], default: Value) -> Value:
    return read(fields[key]) if key in fields else default


__all__ = ["RefusalsFileError", "parse"]
