"""Label selectors as they are declared in every kind that has them."""

from __future__ import annotations

import re

from orchestrator.config.schema import (
    Broken,
    Choice,
    Field,
    Holds,
    ListOf,
    MapOf,
    Record,
    Text,
    Values,
)
from orchestrator.model.selector import Operator, Requirement, Selector

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LABEL_KEY = Text(
    "a label key", re.compile(rf"(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}"), 317
)
LABEL_VALUE = Text("a label value", re.compile(rf"(?:{_NAME})?"), 63)


def _values_fit(values: Values) -> Broken | None:
    needs = values["operator"] in ("In", "NotIn")
    if needs and not values["values"]:
        return Broken("values", f"operator {values['operator']} needs values")
    if not needs and values["values"]:
        return Broken("values", f"operator {values['operator']} takes no values", "remove them")
    return None


def _alike(values: Values) -> Values:
    """Return a condition as MetalLB compares it: the order of its values does not matter."""
    if not isinstance(values["values"], tuple):
        return values
    return {**values, "values": tuple(sorted(values["values"]))}


def _same_selector(values: Values) -> Values:
    conditions = values["matchExpressions"]
    if not isinstance(conditions, tuple):
        return values
    return {**values, "matchExpressions": tuple(_alike(item) for item in conditions)}


_EXPRESSION = Record(
    fields=(
        Field("key", LABEL_KEY, "Label key the condition is about.", required=True),
        Field(
            "operator",
            Choice(tuple(operator.value for operator in Operator)),
            "How the label is compared.",
            required=True,
        ),
        Field(
            "values",
            ListOf(LABEL_VALUE, max_items=1000, unique=True),
            "Values to compare with; needed by In and NotIn only.",
            default=(),
        ),
    ),
    rules=(
        Holds(
            "`values` go with In and NotIn",
            _values_fit,
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        ),
    ),
    words="a condition on a label",
)


def _values_are_used(values: Values) -> Broken | None:
    """In v1beta1 values are required, so an operator that takes none cannot be written."""
    if values["operator"] in ("In", "NotIn"):
        return None
    hint = "write the BGPPeer as metallb.io/v1beta2, where values may be left out"
    return Broken("operator", f"operator {values['operator']} takes no values", hint)


_KEY, _OPERATOR, _VALUES = _EXPRESSION.fields

_EXPRESSION_V1BETA1 = Record(
    fields=(
        _KEY,
        _OPERATOR,
        Field(
            "values",
            ListOf(LABEL_VALUE, min_items=1, max_items=1000, unique=True),
            "Values to compare with.",
            required=True,
        ),
    ),
    rules=(
        Holds("`operator` is In or NotIn", _values_are_used, "self.operator in ['In', 'NotIn']"),
    ),
    words="a condition on a label",
)


def _selector_of(expression: Record, words: str) -> Record:
    return Record(
        fields=(
            Field(
                "matchLabels",
                MapOf(LABEL_VALUE, LABEL_KEY),
                "Labels that must be equal.",
                default={},
            ),
            Field(
                "matchExpressions",
                ListOf(expression, max_items=100, unique=True, identity=_alike),
                "Conditions that must all hold.",
                default=(),
            ),
        ),
        words=words,
    )


SELECTOR = _selector_of(_EXPRESSION, "a label selector")
SELECTOR_V1BETA1 = _selector_of(_EXPRESSION_V1BETA1, "a label selector of v1beta1")
"""MetalLB's own selector of BGPPeer v1beta1: every field of a condition is required."""


def selectors_field(name: str, doc: str) -> Field:
    """Declare a list of selectors of which one must match."""
    return Field(name, selector_list(SELECTOR), doc, default=())


def selector_list(item: Record) -> ListOf:
    """Make the type of a list of selectors, each of which may be there once."""
    return ListOf(item, max_items=100, unique=True, identity=_same_selector)


def selector(values: Values) -> Selector:
    """Make the model's selector from read values."""
    equal = [
        Requirement(key, Operator.IN, frozenset({value}))
        for key, value in sorted(values["matchLabels"].items())
    ]
    conditions = [
        Requirement(item["key"], Operator(item["operator"]), frozenset(item["values"]))
        for item in values["matchExpressions"]
    ]
    return Selector((*equal, *conditions))


def selectors(items: tuple[Values, ...]) -> tuple[Selector, ...]:
    """Make the model's selectors from a list."""
    return tuple(selector(item) for item in items)
