"""A tool's result as details."""

from __future__ import annotations

from collections.abc import Iterator

from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tool_results import (
    ErrorResult,
    TableResult,
    TextResult,
    ToolResult,
    result_links,
    result_view,
)
from kai_tui.ui.transcript.renderers.tool_data import (
    Detail,
    masked,
    pretty,
    table_details,
    text_details,
)


def result_details(part: ToolPart) -> Iterator[Detail]:
    """The pieces of what the tool gave back: tables as tables, JSON pretty, errors as errors."""
    if part.error_text is not None:
        yield Detail("label", "Error")
        yield from text_details("error", part.error_text or "(no reason given)")
    if "output" not in part.fields:
        return
    view = result_view(part.output)
    yield Detail("label", "Error" if isinstance(view, ErrorResult) else "Result")
    yield from _view_details(view)
    for link in result_links(part.output):
        yield Detail("link", f"{safe_line(link.title)}  {safe_line(link.url)}", href=link.url)


def _view_details(view: ToolResult) -> Iterator[Detail]:
    if isinstance(view, ErrorResult):
        yield from text_details("error", view.text)
    elif isinstance(view, TableResult):
        if view.columns:
            yield from table_details(view.columns, view.rows)
        rest = {
            key: value
            for key, value in view.rest.items()
            if key != "links" and value not in (None, "", [], {})
        }
        if rest:
            yield from text_details("code", pretty(masked(rest)), "json")
    elif isinstance(view, TextResult):
        yield from text_details("text", view.text or "(nothing)")
    else:
        yield from text_details("code", pretty(masked(view.value)), "json")
