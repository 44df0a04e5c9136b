"""Every private name of Textual 8.2 the transcript leans on, in one place.

The dependency is pinned to the minor version they were read in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.selection import SelectEnd

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget


def extend_selection(screen: Screen, widget: Widget) -> None:
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
