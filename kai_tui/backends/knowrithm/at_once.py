"""The answer of an older server, which waits for it before it replies (knowrithm.md §5)."""

from __future__ import annotations

from typing import Any

from kai_tui.backends.knowrithm.turns import answer_to
from kai_tui.backends.knowrithm.wire import MessageRow, objects, one_of, rows_of
from kai_tui.backends.tolerant import read_rows


def at_once(body: Any, text: str, seen: set[str]) -> MessageRow | None:
    """The answer in the reply of an older server: the history, or just the message (§5)."""
    rows = rows_of(MessageRow, body, "messages", "history", "conversation_history")
    if rows:
        return answer_to(rows, "", text, seen) or next(
            (row for row in rows[-1:] if row.answers and row.id not in seen), None
        )
    for name in ("assistant_message", "ai_message", "message"):
        row = one_of(MessageRow, body, name)
        if row is not None and row.answers and row.role:
            return row
    for fields in objects(body):
        said = fields.get("response") or fields.get("answer")
        if isinstance(said, str) and said:
            return next(iter(read_rows(MessageRow, [{"content": said}])), None)
    return None
