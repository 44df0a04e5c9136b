"""The driver for Windows with the walls put in (textual-notes §9). Importable on Windows only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO, cast

from textual.drivers import win32
from textual.drivers.windows_driver import WindowsDriver

from kai_tui.ui.terminal.host import host_of, tell
from kai_tui.ui.terminal.input import SafeParser
from kai_tui.ui.terminal.output import LastingFile, walled

if TYPE_CHECKING:
    from textual.app import App

    from kai_tui.ui.terminal.announce import Announcement
    from kai_tui.ui.terminal.osc52 import ClipboardWrite

# Its reading thread makes the parser itself and can not be told which.
setattr(win32, "XTermParser", SafeParser)  # noqa: B010


class SafeWindowsDriver(WindowsDriver):
    """Reads through `SafeParser`, writes through `walled`, and outlives its terminal."""

    def __init__(self, app: App[Any], *, mouse: bool = True, size: tuple[int, int] | None = None, **_: Any):
        super().__init__(app, debug=False, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType] - Textual's `App` without its parameter
        self._file: Any = LastingFile(cast(TextIO, self._file), self._terminal_gone)

    def start_application_mode(self) -> None:
        """Take the terminal."""
        host_of(self._app).terminal_taken()
        super().start_application_mode()

    def write(self, data: str) -> None:
        """Write what is ours of `data`."""
        super().write(walled(data))

    def announce(self, announcement: Announcement) -> None:
        """The one door for notifications and bells: what is drawn or written never gets to it."""
        super().write(announcement.sequence())

    def put_on_clipboard(self, write: ClipboardWrite) -> None:
        """The one door to the terminal's clipboard; nothing else that is written gets there."""
        super().write(write.sequence())

    def _terminal_gone(self) -> None:
        tell(self._loop, host_of(self._app).terminal_gone)
