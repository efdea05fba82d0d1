"""Configuration made of words and blocks in braces, as keepalived and ExaBGP have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orchestrator.config.imports.result import UnreadableImportError

MAX_DEPTH = 32
OPEN, CLOSE, END = "{", "}", "end"

_WORD = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|\'[^\'\n]*\'|[{}]|[^\s{}"\'#!][^\s{}#!]*')
_STATEMENT_WORD = re.compile(
    r'"(?:[^"\\\n]|\\[^\n])*"|\'[^\'\n]*\'|[{};\[\]()]|[^\s{};\[\]()"\'#]+'
)
_ESCAPED = re.compile(r"\\(.)")


class Token(NamedTuple):
    """A word, or one of OPEN, CLOSE and END as `mark` with no text."""

    line: int
    text: str
    mark: str = ""


class Statement(NamedTuple):
    """Words, and the statements of the block behind them if there is one."""

    line: int
    words: tuple[str, ...]
    block: tuple[Statement, ...] | None = None

    @property
    def name(self) -> str:
        """First word, or nothing."""
        return self.words[0] if self.words else ""

    @property
    def rest(self) -> tuple[str, ...]:
        """Words after the first."""
        return self.words[1:]

    @property
    def inner(self) -> tuple[Statement, ...]:
        """Statements of the block."""
        return self.block or ()

    def text(self) -> str:
        """Return the words as one reads them."""
        return " ".join(self.words)


def keepalived_tokens(text: str) -> Iterator[Token]:
    """Words of keepalived: a statement ends with its line, comments begin with # or !."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from _tokens(_words(line, _WORD, "#!"), number)
        yield Token(number, "", END)


def exabgp_tokens(text: str) -> Iterator[Token]:
    """Words of ExaBGP: a statement ends with a semicolon, comments begin with #."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from _tokens(_words(line, _STATEMENT_WORD, "#"), number)


def _words(line: str, pattern: re.Pattern[str], comment: str) -> Iterator[str]:
    position = 0
    while position < len(line):
        if line[position] in comment:
            return
        found = pattern.match(line, position)
        if found is None:
            position += 1
            continue
        yield found[0]
        position = found.end()


def _tokens(words: Iterable[str], line: int) -> Iterator[Token]:
    for word in words:
        if word in (OPEN, CLOSE):
            yield Token(line, "", word)
        elif word == ";":
            yield Token(line, "", END)
        elif word[0] in "\"'" and len(word) > 1 and word[-1] == word[0]:
            yield Token(line, _ESCAPED.sub(r"\1", word[1:-1]))
        else:
            yield Token(line, word)


class _Open:
    """A block that is not closed yet, and the statement that is being written in it."""

    def __init__(self, line: int, words: tuple[str, ...]) -> None:
        self.line = line
        self.words = words
        self.done: list[Statement] = []
        self.pending: list[str] = []
        self.pending_line = line

    def add(self, token: Token) -> None:
        """Add a word to the statement."""
        if not self.pending:
            self.pending_line = token.line
        self.pending.append(token.text)

    def end(self) -> None:
        """Finish the statement."""
        if self.pending:
            self.done.append(Statement(self.pending_line, tuple(self.pending)))
        self.pending = []

    def head(self, line: int) -> tuple[int, tuple[str, ...]]:
        """Take the words before a brace; one on a line of its own belongs to the line before."""
        if not self.pending and self.done and self.done[-1].block is None:
            last = self.done.pop()
            return last.line, last.words
        head = (self.pending_line if self.pending else line), tuple(self.pending)
        self.pending = []
        return head


def statements(tokens: Iterable[Token]) -> tuple[Statement, ...]:
    """Build the tree of a file. Raises UnreadableImportError when braces do not pair."""
    stack = [_Open(1, ())]
    for token in tokens:
        if token.mark == OPEN:
            if len(stack) > MAX_DEPTH:
                raise UnreadableImportError(token.line, f"nested deeper than {MAX_DEPTH} levels")
            stack.append(_Open(*stack[-1].head(token.line)))
        elif token.mark == CLOSE:
            _close(stack, token.line)
        elif token.mark == END:
            stack[-1].end()
        else:
            stack[-1].add(token)
    if len(stack) > 1:
        raise UnreadableImportError(stack[-1].line, "the block that begins here is not closed")
    stack[0].end()
    return tuple(stack[0].done)


def _close(stack: list[_Open], line: int) -> None:
    if len(stack) == 1:
        raise UnreadableImportError(line, "a } without a {")
    closed = stack.pop()
    closed.end()
    stack[-1].done.append(Statement(closed.line, closed.words, tuple(closed.done)))
