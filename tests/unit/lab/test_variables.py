"""Variables in a topology file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.lab.variables import expand

ENVIRON = {"A": "1", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$A ${A} x$A.y", "1 1 x1.y"),
        ("$UNSET ${UNSET}", "$UNSET ${UNSET}"),
        ("${UNSET:=d} ${UNSET:-d} ${UNSET=d} ${UNSET-d}", "d d d d"),
        ("${A:=d} ${EMPTY:=d} ${EMPTY=d}|", "1 d |"),
        ("$$A $${A}", "$A ${A}"),
        ("a $ b ${ c 5$", "a $ b ${ c 5$"),
        ("${IMAGE:=quay.io/x/y:1.2}", "quay.io/x/y:1.2"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    """Set variables are replaced, unset ones stay, defaults stand in, $$ escapes."""
    assert expand(text, ENVIRON) == expanded


@given(st.text(alphabet="$A{}:=-x \n"))
def test_lines_stay(text: str) -> None:
    """Expansion never raises and keeps the number of lines, so places stay right."""
    assert expand(text, ENVIRON).count("\n") == text.count("\n")
