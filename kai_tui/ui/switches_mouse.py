"""The mouse for the program, or for the terminal to select with: one key, remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.ui.app_part import AppPart

if TYPE_CHECKING:
    from kai_tui.services.preferences import Preferences


class SwitchesMouse(AppPart):
    """The app's part of it. Everything the mouse can do here, keys can do too."""

    preferences: Preferences

    def wants_mouse(self) -> bool:
        return self.preferences.mouse

    @property
    def mouse_words(self) -> str:
        """What the palette calls the switch now."""
        return "Give the mouse to the terminal" if self.preferences.mouse else "Take the mouse back"

    def action_toggle_mouse(self) -> None:
        """Give the mouse to the terminal, or take it back."""
        on = not self.preferences.mouse
        self.preferences.set("mouse", "on" if on else "off")
        driver = self._driver
        if driver is not None:
            from kai_tui.ui.terminal.mouse_modes import use_mouse

            use_mouse(driver, on)
        if not on:
            # Nothing tells that the pointer left what it stood on.
            self._set_mouse_over(None, None)
        self.mouse_changed()
        self.notify(
            "The mouse works in kai-tui again."
            if on
            else "The mouse is the terminal's: select and copy with it there. Alt+M takes it back.",
            markup=False,
        )

    def mouse_changed(self) -> None:
        """Whoever shows it should look again."""
