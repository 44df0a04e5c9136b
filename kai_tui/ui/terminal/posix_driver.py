"""The driver for Linux and macOS with the walls put in (textual-notes §9). Not importable on Windows."""

from __future__ import annotations

import os
import selectors
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

from kai_tui.ui.terminal.host import host_of, tell
from kai_tui.ui.terminal.input import InputDecoder, SafeParser
from kai_tui.ui.terminal.output import LastingFile, walled
from kai_tui.ui.terminal.posix import install_signal_handlers, take_keys

if TYPE_CHECKING:
    from textual.app import App

    from kai_tui.ui.terminal.announce import Announcement
    from kai_tui.ui.terminal.osc52 import ClipboardWrite

_WAKE_SECONDS = 0.1
_READ_BYTES = 4096


class SafePosixDriver(LinuxDriver):
    """Reads through `SafeParser`, writes through `walled`, and outlives its terminal."""

    def __init__(self, app: App[Any], *, mouse: bool = True, size: tuple[int, int] | None = None, **_: Any):
        # Never `debug`: with TEXTUAL_DEBUG set, Textual writes every key typed to keys.log.
        super().__init__(app, debug=False, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType] - Textual's `App` without its parameter
        self._away = False
        """Whether the terminal is another program's now."""
        self._file: Any = LastingFile(cast(TextIO, self._file), self._terminal_gone)

    def start_application_mode(self) -> None:
        """Take the terminal, and from then on give it back when a signal ends the program."""
        install_signal_handlers(self._app)
        host_of(self._app).terminal_taken()
        before = take_keys(self.fileno, self._patch_lflag, self._patch_iflag)
        self._away = False
        super().start_application_mode()
        if before is not None:
            self.attrs_before = before

    def suspend_application_mode(self) -> None:
        """Give the terminal to another program: what is drawn meanwhile is lost, and drawn anew afterwards."""
        super().suspend_application_mode()
        self._away = True

    def write(self, data: str) -> None:
        """Write what is ours of `data`."""
        if not self._away:
            super().write(walled(data))

    def announce(self, announcement: Announcement) -> None:
        """The one door for notifications and bells: what is drawn or written never gets to it."""
        if not self._away:
            super().write(announcement.sequence())

    def put_on_clipboard(self, write: ClipboardWrite) -> None:
        """The one door to the terminal's clipboard; nothing else that is written gets there."""
        if not self._away:
            super().write(write.sequence())

    def _terminal_gone(self) -> None:
        tell(self._loop, host_of(self._app).terminal_gone)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except (OSError, EOFError):
            self._terminal_gone()
        except Exception as error:  # noqa: BLE001 - the end of a thread: the app must hear of it
            tell(self._loop, host_of(self._app).thread_failed, error)

    def run_input_thread(self) -> None:
        """Textual's loop around our decoder and our parser."""
        parser = SafeParser()
        decoder = InputDecoder()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_WAKE_SECONDS):
                    text = decoder.decode(os.read(self.fileno, _READ_BYTES))
                    for event in parser.feed(text) if text else ():
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
