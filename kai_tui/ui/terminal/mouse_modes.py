"""Who gets the mouse: the program, or the terminal for its own selecting.

Leans on private names of Textual 8.2's drivers (Linux, Windows), in this one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from textual.driver import Driver


def use_mouse(driver: Driver, on: bool) -> None:
    """Have the terminal report the mouse, or leave it to the terminal. Stays so over suspend and resume."""
    inside = cast("Any", driver)
    if on == inside._mouse or not hasattr(inside, "_enable_mouse_support"):
        return
    # The terminal tells its size in pixels: Textual then reads the mouse in pixels too.
    pixels = getattr(inside, "_in_band_window_resize", False)
    if on:
        inside._mouse = True
        inside._enable_mouse_support()
        if pixels:
            inside._enable_mouse_pixels()
    else:
        if pixels:
            inside.write("\x1b[?1016l")
        inside._disable_mouse_support()
        inside._mouse = False
    inside.flush()
