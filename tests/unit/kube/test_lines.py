"""Lines out of the pieces of a stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.kube.lines import Lines, TooLongError


@given(
    st.lists(st.binary(max_size=12).filter(lambda text: b"\n" not in text), max_size=8), st.data()
)
def test_pieces_make_no_difference(texts: list[bytes], data: st.DataObject) -> None:
    """However a stream is cut, the same lines come out, without empty ones."""
    stream = b"".join(text + b"\n" for text in texts)
    lines, found = Lines(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += lines.feed(stream[:size])
        stream = stream[size:]
    assert found == [text for text in texts if text.strip()]


def test_a_line_without_end_is_refused() -> None:
    """A line longer than any object is refused, whether it comes at once or in pieces."""
    assert Lines(longest=10).feed(b"0123456789\n") == [b"0123456789"]
    with pytest.raises(TooLongError):
        Lines(longest=10).feed(b"0123456789a\n")
    lines = Lines(longest=10)
    lines.feed(b"01234")
    lines.feed(b"56789")
    with pytest.raises(TooLongError, match="longer than 10 bytes"):
        lines.feed(b"a")
