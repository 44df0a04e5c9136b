"""A tool's result as details."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tool_results import (
    ErrorResult,
    TableResult,
    TextResult,
    ToolResult,
    listing_of,
    result_links,
    result_view,
    table_head,
)
from kai_tui.ui.transcript.renderers.tool_data import (
    MEASURED,
    Detail,
    masked,
    pretty,
    table_details,
    text_details,
)


def result_details(part: ToolPart, most: int) -> Iterator[Detail]:
    """The pieces of what the tool gave back: at most so many rows of tables, JSON pretty, errors as errors."""
    if part.error_text is not None:
        yield Detail("label", "Error")
        yield from text_details("error", part.error_text or "(no reason given)")
    if "output" not in part.fields:
        return
    output = part.output
    head = table_head(output, max(most, MEASURED))
    view = head[0] if head is not None else result_view(output)
    listing = listing_of(view.text) if isinstance(view, TextResult) else None
    if listing is not None:
        output, view = listing
    yield Detail("label", "Error" if isinstance(view, ErrorResult) else "Result")
    if isinstance(view, TableResult) and view.columns:
        yield from table_details(
            view.columns, view.rows, most, head[1] if head is not None else len(view.rows)
        )
    yield from _view_details(
        view, cast("Mapping[str, object]", part.input) if isinstance(part.input, dict) else {}
    )
    for link in result_links(output):
        yield Detail("link", f"{safe_line(link.title)}  {safe_line(link.url)}", href=link.url)


def _view_details(view: ToolResult, asked: Mapping[str, object]) -> Iterator[Detail]:
    """`asked`: the arguments of the call, which stand above; what says the same again is left out."""
    if isinstance(view, ErrorResult):
        yield from text_details("error", view.text)
    elif isinstance(view, TableResult):
        # Its rows stand above.
        rest = {
            key: value
            for key, value in view.rest.items()
            if key != "links" and value not in (None, "", [], {}) and asked.get(key) != value
        }
        if rest:
            yield from text_details("code", pretty(masked(rest)), "json")
    elif isinstance(view, TextResult):
        yield from text_details("text", view.text or "(nothing)")
    else:
        yield from text_details("code", pretty(masked(view.value)), "json")
