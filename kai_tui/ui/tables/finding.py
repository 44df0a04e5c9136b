"""Which table the reading cursor is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.tables.opening import Opening, opening_of_result
from kai_tui.conversation.tables.reading import table_of_markdown

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Stop


def table_at(stop: Stop) -> Opening | None:
    """The table a stop shows: one in an answer, or what a tool answered with; None where it is none."""
    shows = stop.unit.shows
    if isinstance(shows, ToolPart):
        if "output" not in shows.fields or shows.error_text is not None:
            return None
        return opening_of_result(shows.output)
    if stop.kind in ("card", "table") and (sheet := stop.unit.table()) is not None:
        return Opening(sheet)
    if stop.kind not in ("table", "list", "quote"):
        return None
    # A list or a quote is one stop; a table inside it is reached from there.
    table = table_of_markdown(stop.source())
    return Opening(table) if table is not None else None
