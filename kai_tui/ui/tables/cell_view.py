"""One cell as a whole: wrapped, scrolled; JSON laid out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from kai_tui.conversation.json_text import BadJson, decode_json
from kai_tui.conversation.safe_text import safe_code, safe_line
from kai_tui.ui.modals.reading_view import Paragraph, Passage
from kai_tui.ui.tables.reading import Reading

MOST_JSON = 500_000
"""Characters that are looked at as JSON; more would make the key wait."""


_PIECE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def laid_out(raw: str) -> str | None:
    """A cell that is a JSON object or list over several lines; None for any other.

    Numbers stay as they are written and names that come twice come twice: reading and writing it anew would change them.
    """
    if raw.lstrip()[:1] not in ("{", "[") or len(raw) > MOST_JSON:
        return None
    try:
        decode_json(raw)
        return "".join(_indented(_PIECE.findall(raw)))
    except (BadJson, ValueError, RecursionError):
        return None


def _indented(pieces: Sequence[str]) -> Iterator[str]:
    depth, before = 0, ""
    for piece in pieces:
        if piece in ("}", "]"):
            depth -= 1
            yield piece if before in ("{", "[") else f"\n{'  ' * depth}{piece}"
        else:
            if before in ("{", "[", ","):
                yield f"\n{'  ' * depth}"
            if piece == ":":
                yield ": "
            else:
                yield json.dumps(json.loads(piece), ensure_ascii=False) if piece[0] == '"' else piece
            depth += piece in ("{", "[")
        before = piece


class CellView(Reading):
    """Shows the whole text of a cell."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "as_written", show=False)]

    def __init__(self, name: str, raw: str, where: str, copy: Callable[[str, str], None]) -> None:
        """`name`: of the column, raw. `where`: which row, safe. `copy` takes a raw text and what it is."""
        self._json = laid_out(raw)
        more = " · m as it is written" if self._json is not None else ""
        super().__init__(name="table-cell", keys=f"↑ ↓ scroll · c copy{more} · Esc back")
        self._column, self._raw, self._where = name, raw, where
        self._copy = copy
        self._as_json = self._json is not None

    def titles(self) -> tuple[str, str]:
        kind = " · JSON" if self._as_json else ""
        size = f"{len(self._raw):,} character{'' if len(self._raw) == 1 else 's'}"
        return f"{safe_line(self._column, 60) or 'Cell'}{kind}", f"{self._where} · {size}"

    def paragraphs(self) -> Sequence[Paragraph]:
        if not self._raw:
            return [Passage("(empty)", "names")]
        text = self._json if self._as_json and self._json is not None else self._raw
        return [Passage(safe_code(text), "value", wrap="cells" if self._as_json else "words")]

    def action_as_written(self) -> None:
        """JSON laid out, or as it stands in the table."""
        if self._json is not None:
            self._as_json = not self._as_json
            self.show()

    def action_copy(self) -> None:
        """Copy the cell, as it is shown."""
        self._copy(self._json if self._as_json and self._json is not None else self._raw, "the cell")
