"""SCIM filters and sort orders as conditions of a directory: names and values resolved, nothing evaluated."""

import datetime as dt
from typing import Any

from scim2_models import BaseModel, InvalidFilterException, Resource, SearchRequest
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ScimFilter,
    ValuePath,
    coerce_value,
)

from app.admin.directory_filter import (
    AnyElement,
    Compared,
    Condition,
    EntryAttribute,
    IsPresent,
    Joined,
    Negated,
    ValueKind,
)

# A filter of hundreds of terms is no question of a directory.
MAX_TERMS = 50
NOTHING = Joined((), every=False)


def condition_of(model: type[Resource[Any]], scim_filter: ScimFilter[Any]) -> Condition:
    """The filter as a condition on entries of this model. Raises InvalidFilterException."""
    translator = _Translator(model)
    condition = translator.visit(scim_filter.ast)
    if translator.terms > MAX_TERMS:
        raise InvalidFilterException(detail=f"A filter may have {MAX_TERMS} terms.")
    return condition


def sort_attribute(model: type[Resource[Any]], request: SearchRequest[Any]) -> EntryAttribute | None:
    """What entries of this model are sorted by, if by anything that they have."""
    binding = request.sort_binding(model)
    return None if binding is None else _attribute(binding)


class _Translator(FilterVisitor[Condition]):
    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model
        self.terms = 0

    def visit_comparison(self, node: Comparison) -> Condition:
        binding = self._resolve(node.attr_path, comparison=True)
        if binding is None:
            return NOTHING
        value = coerce_value(binding, node.value, node.op)
        if isinstance(value, dt.datetime) and value.tzinfo is None:
            value = value.replace(tzinfo=dt.UTC)
        return Compared(_attribute(binding), node.op.value, binding.comparable(value))

    def visit_present(self, node: Present) -> Condition:
        binding = self._resolve(node.attr_path)
        return NOTHING if binding is None else IsPresent(_attribute(binding))

    def visit_not(self, node: Not) -> Condition:
        return Negated(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        return Joined(tuple(self.visit(term) for term in node.terms), node.op is LogicalOperator.and_)

    def visit_value_path(self, node: ValuePath) -> Condition:
        binding = self._resolve(node.attr_path)
        if binding is None:
            return NOTHING
        if not isinstance(binding.field_type, type) or not issubclass(binding.field_type, BaseModel):
            raise InvalidFilterException(detail=f"Nothing can be selected from '{node.attr_path}'.")
        inner = _Translator(binding.field_type)
        inner.terms = self.terms
        selected = AnyElement(_attribute(binding), inner.visit(node.val_filter))
        self.terms = inner.terms
        return selected

    def _resolve(self, path: AttrPath, *, comparison: bool = False) -> AttributeBinding | None:
        """What a path names in the model. A search refused already what no type of resource has; what another has is
        never so of this one.
        """
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise InvalidFilterException(detail=f"A filter may have {MAX_TERMS} terms.")
        bound = ScimFilter[self._model](f"{path} pr")  # type: ignore[name-defined]  # a model known when it runs
        found: AttributeBinding | None = (bound.resolve_comparison if comparison else bound.resolve)(path, strict=False)
        return found


def _attribute(binding: AttributeBinding) -> EntryAttribute:
    """The place of a bound attribute in the JSON of an entry: an extension's are below its schema."""
    schema = str(getattr(binding.model, "__schema__", None) or "")
    names = binding.urn.removeprefix(f"{schema}:").split(".") if schema else binding.urn.split(".")
    above = (schema,) if schema and ":extension:" in schema else ()
    if binding.is_multivalued:
        head, sub = names[0], names[1] if len(names) > 1 else None
        return EntryAttribute((*above, head), sub, many=True, exact=binding.case_exact, kind=_kind(binding))
    return EntryAttribute((*above, *names), exact=binding.case_exact, kind=_kind(binding))


def _kind(binding: AttributeBinding) -> ValueKind:
    target = binding.target_type
    if not isinstance(target, type):
        return "complex"
    if issubclass(target, bool):
        return "flag"
    if issubclass(target, dt.datetime):
        return "moment"
    return "text" if issubclass(target, str) else "complex"
