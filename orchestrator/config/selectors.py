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
    rules=(Holds("`values` go with In and NotIn", _values_fit),),
    words="a condition on a label",
)

SELECTOR = Record(
    fields=(
        Field(
            "matchLabels", MapOf(LABEL_VALUE, LABEL_KEY), "Labels that must be equal.", default={}
        ),
        Field(
            "matchExpressions",
            ListOf(_EXPRESSION, max_items=100),
            "Conditions that must all hold.",
            default=(),
        ),
    ),
    words="a label selector",
)


def selectors_field(name: str, doc: str) -> Field:
    """Declare a list of selectors of which one must match."""
    return Field(name, ListOf(SELECTOR, max_items=100, unique=True), doc, default=())


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
