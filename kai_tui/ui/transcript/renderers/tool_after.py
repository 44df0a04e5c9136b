"""What stands below a tool card's line when it changed something: where to look at it."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tool_results import Link as Place
from kai_tui.ui.transcript.renderers.notice import host_of
from kai_tui.ui.transcript.rows import Lead, Link, Row, Span

MOST_LINKS = 3
"""Links below a closed card; all are in the opened one."""
_TITLE = 120


def link_row(place: Place, lead: tuple[Lead, ...] = (Lead("  ↗ ", "muted"),)) -> Row:
    """One place: its title, and the host it is on. Choosing it asks; nothing opens by itself."""
    title = safe_line(place.title, _TITLE) or "link"
    host = safe_line(host_of(place.url), 80)
    text = f"{title}  {host}" if host and host not in title else title
    spans = [Span(0, len(title), "link")]
    if len(text) > len(title):
        spans.append(Span(len(title), len(text), "muted"))
    return Row(text, spans, [Link(0, len(title), place.url)], lead=lead, wrap="cut")


def link_rows(places: Sequence[Place]) -> list[Row]:
    """The first few places, and how many more there are."""
    rows = [link_row(place) for place in places[:MOST_LINKS]]
    more = len(places) - MOST_LINKS
    if more > 0:
        rows.append(Row(f"and {more} more in the opened card", base="muted", lead=(Lead("    ", ""),)))
    return rows
