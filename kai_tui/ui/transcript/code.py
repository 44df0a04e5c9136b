"""Colour for code. Pygments is loaded at the first code block, never before."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from kai_tui.ui.transcript.rows import Row, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pygments.lexer import Lexer

TAB = 4
_LONGEST_COLOURED = 20_000
"""Characters; lexers of hostile input are slow, and such a block is no code to read."""

_STYLES = {
    "Comment": "syntax-comment",
    "Keyword": "syntax-keyword",
    "Operator.Word": "syntax-keyword",
    "Name.Function": "syntax-name",
    "Name.Class": "syntax-name",
    "Name.Tag": "syntax-name",
    "Name.Attribute": "syntax-builtin",
    "Name.Builtin": "syntax-builtin",
    "Name.Decorator": "syntax-builtin",
    "Name.Constant": "syntax-number",
    "Literal.Number": "syntax-number",
    "Literal.String": "syntax-string",
    "Generic.Inserted": "syntax-inserted",
    "Generic.Deleted": "syntax-deleted",
    "Generic.Heading": "syntax-name",
    "Generic.Subheading": "syntax-name",
}


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    """The lexer of that name; None when there is none. Never guesses: guessing costs 85 ms."""
    # The stub leaves the type of its options open.
    from pygments.lexers import get_lexer_by_name  # pyright: ignore[reportUnknownVariableType]
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _style(token: str) -> str | None:
    """The style of a pygments token type, or of its nearest known parent."""
    name = token.removeprefix("Token.")
    while name:
        style = _STYLES.get(name)
        if style is not None:
            return style
        name = name.rpartition(".")[0]
    return None


def _coloured(code: str, lexer: Lexer) -> list[list[Span]]:
    """Spans of each line of `code`."""
    lines: list[list[Span]] = [[]]
    column = 0
    for _, token, text in lexer.get_tokens_unprocessed(code):
        style = _style(str(token))
        pieces = text.split("\n")
        for index, piece in enumerate(pieces):
            if index:
                lines.append([])
                column = 0
            if piece:
                if style is not None:
                    lines[-1].append(Span(column, column + len(piece), style))
                column += len(piece)
    return lines


def coloured(code: str, language: str) -> list[list[Span]]:
    """Spans of each line of safe code without tabs; empty when its language is not known or it is too long."""
    lexer = _lexer(language.lower()) if len(code) <= _LONGEST_COLOURED else None
    return _coloured(code, lexer) if lexer is not None else []


def expand_tabs(line: str) -> str:
    """Tabs as spaces up to the next stop."""
    return line.expandtabs(TAB) if "\t" in line else line


@contextmanager
def without_colours() -> Generator[None]:
    """Rows made inside are not coloured: whoever only reads them need not wait for it. Never await inside."""
    before = _Colours.wanted
    _Colours.wanted = False
    try:
        yield
    finally:
        _Colours.wanted = before


class _Colours:
    wanted = True


def code_rows(code: str, language: str = "", *, base: str = "code-block") -> list[Row]:
    """One row for each line of `code`, which must be safe text without a final line end."""
    expanded = [expand_tabs(line) for line in code.split("\n")]
    wanted = language and _Colours.wanted and len(code) <= _LONGEST_COLOURED
    lexer = _lexer(language.lower()) if wanted else None
    spans: Sequence[list[Span]]
    if lexer is None:
        spans = [[] for _ in expanded]
    else:
        spans = _coloured("\n".join(expanded), lexer)
    rows: list[Row] = []
    for index, (original, line) in enumerate(zip(code.split("\n"), expanded, strict=True)):
        rows.append(
            Row(
                line,
                spans[index] if index < len(spans) else [],
                base=base,
                wrap="cells",
                copied=original if original != line else None,
            )
        )
    return rows
