"""A tool's result as details."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

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

_TOON: Final = re.compile(r"[A-Za-z_]\w*\[#?\d{1,6}[|\t]?\]")
_LONGEST_LISTING: Final = 200_000
"""Characters of a listing that is read as a table; reading it takes 0.1 s."""


def result_details(part: ToolPart) -> Iterator[Detail]:
    """The pieces of what the tool gave back: tables as tables, JSON pretty, errors as errors."""
    if part.error_text is not None:
        yield Detail("label", "Error")
        yield from text_details("error", part.error_text or "(no reason given)")
    if "output" not in part.fields:
        return
    output = part.output
    view = result_view(output)
    listing = _listing(view.text) if isinstance(view, TextResult) else None
    if listing is not None:
        output, view = listing
    yield Detail("label", "Error" if isinstance(view, ErrorResult) else "Result")
    yield from _view_details(
        view, cast("Mapping[str, object]", part.input) if isinstance(part.input, dict) else {}
    )
    for link in result_links(output):
        yield Detail("link", f"{safe_line(link.title)}  {safe_line(link.url)}", href=link.url)


def _listing(text: str) -> tuple[object, TableResult] | None:
    """A listing in TOON that is about one list of flat objects: what it holds, and that as a table."""
    if _TOON.match(text) is None or len(text) > _LONGEST_LISTING:
        return None
    from kai_tui.conversation.toon import NotToon, decode_toon

    try:
        value = decode_toon(text)
    except NotToon:
        return None
    view = result_view(value)
    return (value, view) if isinstance(view, TableResult) else None


def _view_details(view: ToolResult, asked: Mapping[str, object]) -> Iterator[Detail]:
    """`asked`: the arguments of the call, which stand above; what says the same again is left out."""
    if isinstance(view, ErrorResult):
        yield from text_details("error", view.text)
    elif isinstance(view, TableResult):
        if view.columns:
            yield from table_details(view.columns, view.rows)
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
