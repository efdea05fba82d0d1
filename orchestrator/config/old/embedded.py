"""Places inside a text that is itself a scalar of a document, such as a ConfigMap's data."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.config.tree import Mapping, Mark, Scalar, Sequence, Tree


@dataclass(frozen=True, slots=True)
class Embedded:
    """Where the lines of an embedded text are in the document around it.

    In a block scalar (`|`) line N of the text is `first_line + N` of the document, `indent` columns
    further in. In any other notation only the scalar's own place can be told: `first_line` is None.
    """

    start: Mark
    first_line: int | None = None
    indent: int = 0

    def place(self, inner: Mark) -> Mark:
        """Place in the document of a place in the text."""
        if self.first_line is None:
            return self.start
        return Mark(self.first_line + inner.line, self.indent + inner.column)

    def words(self, inner: Mark) -> str:
        """Say where in the text a place is, if `place` does not tell it."""
        return f" (line {inner.line} of the text)" if self.first_line is None else ""


def embedded(document: str, scalar: Scalar) -> Embedded:
    """Find out how a scalar's lines lie in the text of its document."""
    outer = document.replace("\r\n", "\n").split("\n")[scalar.mark.line :]
    inner = scalar.text.split("\n")
    for index, line in enumerate(inner):
        if line.strip():
            written = outer[index] if index < len(outer) else ""
            if not written.endswith(line) or written[: -len(line)].strip():
                break
            return Embedded(scalar.mark, scalar.mark.line, len(written) - len(line))
    return Embedded(scalar.mark)


def moved(node: Tree, where: Embedded) -> Tree:
    """Copy a tree with its places in the document; what an alias repeats is copied once."""
    return _moved(node, where, {})


def _moved(node: Tree, where: Embedded, done: dict[int, Tree]) -> Tree:
    known = done.get(id(node))
    if known is not None:
        return known
    mark = where.place(node.mark)
    copy: Tree
    if isinstance(node, Scalar):
        copy = node._replace(mark=mark)
    elif isinstance(node, Sequence):
        copy = Sequence([_moved(item, where, done) for item in node.items], mark)
    else:
        copy = Mapping(
            {key: _moved(value, where, done) for key, value in node.entries.items()},
            {key: where.place(place) for key, place in node.marks.items()},
            [(key, where.place(place)) for key, place in node.repeated],
            mark,
        )
    done[id(node)] = copy
    return copy
