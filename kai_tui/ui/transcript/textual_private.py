"""Every private name of Textual 8.2 the transcript leans on, in one place.

The dependency is pinned to the minor version they were read in.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, cast

from textual.filter import ANSIToTruecolor
from textual.reactive import Reactive
from textual.scrollbar import ScrollBar
from textual.selection import SelectEnd
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from typing import Any

    from rich.style import Style
    from textual.color import Color
    from textual.filter import LineFilter
    from textual.geometry import Size
    from textual.screen import Screen


def extend_selection(screen: Screen[Any], widget: Widget) -> None:
    """While the mouse selects and the view scrolls under it: select up to what is under it now.

    Textual scrolls at the edge but moves the selection's end only with the mouse.
    """
    state = screen._select_state  # pyright: ignore[reportPrivateUsage] # no public way
    if not screen._selecting or state is None or state.end is None:  # pyright: ignore[reportPrivateUsage]
        return
    if state.start.content_widget is not widget:
        return
    under, offset = screen.get_widget_and_offset_at(*state.screen_offset)
    if under is not widget or offset is None:
        return
    end = SelectEnd(state.end.container, widget, offset)
    screen._select_state = state.update_end(  # pyright: ignore[reportPrivateUsage]
        state.screen_offset, end
    )


def set_virtual_size(widget: Widget, size: Size) -> None:
    """Set `virtual_size` without the layout of the whole screen that assigning it brings.

    Public names, but typed as if the class attribute were the value.
    """
    widget.set_reactive(cast("Reactive[Size]", Widget.virtual_size), size)


def place_scrollbar(widget: Widget, total: int, top: float, *, step: int = 1) -> None:
    """Tell the vertical scrollbar how much there is and what is shown of it.

    It is drawn again only when its thumb moves, by `step` eighths of a cell: assigning the two values
    draws every line of it at every token, at the price of the text itself.
    """
    if not widget.show_vertical_scrollbar:
        return
    bar = widget.vertical_scrollbar
    before = _thumb(bar, step)
    bar.set_reactive(ScrollBar.window_virtual_size, total)
    bar.set_reactive(ScrollBar.position, bar.validate_position(top))
    if _thumb(bar, step) != before:
        bar.refresh()


def _thumb(bar: ScrollBar, step: int) -> tuple[int, int] | None:
    """Where the thumb begins and ends, in `step` eighths of a cell, as `ScrollBarRender.render_bar` has it."""
    size, window, total = bar.size.height, bar.window_size, bar.window_virtual_size
    if not size or not window or window >= total or size == total:
        return None
    length = max(1.0, window / (total / size))
    start = int((size - length) * bar.position / (total - window) * 8)
    return start // step, (start + ceil(length * 8)) // step


def fills_its_lines(widget: Widget) -> bool:
    """Whether nothing but its own lines is drawn of a widget: no border, no padding, nothing that fades it."""
    styles = widget.styles
    return (
        not any(styles.gutter)
        and not any(edge for edge, _ in styles.outline)
        and not styles.tint.a
        and not styles.has_rule("hatch")
        and styles.text_opacity == 1.0
        and widget.opacity == 1.0
    )


@lru_cache(maxsize=1024)
def is_true(style: Style) -> bool:
    """Whether Textual's filter for a terminal's own colours leaves this style as it is: it names all its colours."""
    ink, ground = style.color, style.bgcolor
    return (
        (ink is None or ink.triplet is not None)
        and (ground is None or ground.triplet is not None)
        and not (style.dim and ink is not None)
    )


def filtered(strip: Strip, line_filter: LineFilter, ground: Color) -> Strip:
    """`Strip.apply_filter`, but the strip itself where the filter takes nothing out: that is nearly always.

    Textual makes a second strip, and caches it in the first.
    """
    before = strip._segments  # pyright: ignore[reportPrivateUsage] - the list itself tells whether it was changed
    if type(line_filter) is ANSIToTruecolor and all(
        control is None and (style is None or is_true(style)) for _, style, control in before
    ):
        # It makes a new list of the same segments.
        return strip
    after = line_filter.apply(before, ground)
    return strip if after is before else strip.apply_filter(line_filter, ground)
