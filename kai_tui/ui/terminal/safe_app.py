"""The App every screen of ours runs in: foreign text can not act, crashes leak nothing, signals end well."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, cast

from textual import constants
from textual.app import ReturnType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.worker import WorkerFailed

from kai_tui.conversation.safe_text import Safe, safe_line, safe_prose
from kai_tui.ui.terminal.compositor import least_update
from kai_tui.ui.terminal.copying_app import CopyingApp
from kai_tui.ui.terminal.frames import Front
from kai_tui.ui.terminal.host import tell
from kai_tui.ui.terminal.output import SafeFilter, StyledFilter, say
from kai_tui.ui.terminal.posix import (
    forget_output,
    remember_terminal,
    remove_signal_handlers,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

    from kai_tui.ui.terminal.announce import Announcement

CRASHED = 1
INTERRUPTED = 130
HUNG_UP = 129
MAX_ASIDE = 5
"""Reports of failures on the side in one run; one that repeats would fill the disk."""


JUST_SAID = 1.0
"""Seconds before a dialog opened from which a notice stays in sight over it."""


class Announcer(Protocol):
    """A driver of ours."""

    def announce(self, announcement: Announcement) -> None:
        """See `SafePosixDriver.announce`."""
        ...


class SafeApp(CopyingApp[ReturnType]):
    """Derive the app from this and start it with `run_and_exit_code`.

    - every line drawn passes a filter, everything written passes the driver's wall (P11);
    - notifications are literal text, whatever is asked for (T9); links are refused here (T10);
    - a crash leaves a report without secrets, one sentence and exit code 1 (T15, X2);
    - TERM, HUP, INT and QUIT give the terminal back and end with 128 + number (X1).
    """

    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False

    def __init__(self, *args: Any, **options: Any) -> None:
        self._safe_filter = SafeFilter()
        self._styled_filter = StyledFilter()
        self._crash_words: Safe | None = None
        self._crash_told = False
        self._failures_aside = 0
        self._terminal_lost = False
        self._front = Front()
        super().__init__(*args, **options)

    # What the app built on this one says about itself

    def crash_folder(self) -> Path:
        """Where crash reports go: the state folder."""
        from kai_tui.storage.paths import app_paths

        return app_paths().state

    def live_secrets(self) -> Iterable[str]:
        """Tokens in use now, so that reports can be cleared of them. Called only after a crash."""
        return ()

    def wants_mouse(self) -> bool:
        """Whether the mouse is the program's at the start."""
        return True

    # Start and end

    def run_and_exit_code(self) -> int:
        """Run until the user leaves; the exit code for `sys.exit`."""
        remember_terminal()
        with _thread_errors_to(self._thread_hook):
            try:
                self.run(mouse=self.wants_mouse())
            except KeyboardInterrupt:
                return INTERRUPTED
            except Exception as error:  # noqa: BLE001 - nothing of an error may reach the terminal
                self.thread_failed(error)
        if self._terminal_lost:
            forget_output()
        self._tell_crash()
        return CRASHED if self.crashed else self.return_code or 0

    @property
    def crashed(self) -> bool:
        """Whether an error of our own ended the program."""
        return self._crash_words is not None

    async def _on_mount(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._loop_failed)

    async def _shutdown(self) -> None:
        await super()._shutdown()
        remove_signal_handlers()

    def get_driver_class(self) -> type[Driver]:
        """The platform's driver with our walls; what `TEXTUAL_DRIVER` names is taken as it is."""
        if constants.DRIVER is not None:
            return super().get_driver_class()
        if sys.platform == "win32":
            from kai_tui.ui.terminal.windows_driver import SafeWindowsDriver

            return SafeWindowsDriver
        from kai_tui.ui.terminal.posix_driver import SafePosixDriver

        return SafePosixDriver

    def terminal_gone(self) -> None:
        """The terminal was closed under us: end like a hang-up."""
        self._terminal_lost = True
        if not self._exit:
            self.exit(return_code=HUNG_UP)

    # Painting

    def terminal_taken(self) -> None:
        """What the terminal shows is not known any more."""
        self._front.forget()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, least_update(renderable, self._front))  # pyright: ignore[reportUnknownMemberType]

    # Foreign text

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters and the wall."""
        first = (self._styled_filter,) if self.no_color else ()
        return [*first, *super().get_line_filters(), self._safe_filter]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: Literal["information", "warning", "error"] = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a notification. The text is literal: `markup` is never obeyed. The same one that is still shown goes."""
        said = safe_prose(message)
        # A key pressed five times would fill the window with one sentence.
        for shown in [one for one in self._notifications if one.message == said]:
            self._unnotify(shown, refresh=False)
        super().notify(said, title=safe_line(title), severity=severity, timeout=timeout, markup=False)

    def _refresh_notifications(self) -> None:
        """What a dialog is about is not covered by what was said before it opened, but for what was just said
        (perhaps why it opens again) and errors."""
        screen = self.screen if self.screen_stack else None
        opened = getattr(screen, "opened_at", None)
        if screen is None or opened is None:
            super()._refresh_notifications()
            return
        from textual.notifications import Notifications
        from textual.widgets._toast import ToastRack

        said = Notifications()
        for each in self._notifications:
            if each.raised_at >= opened - JUST_SAID or each.severity == "error":
                said.add(each)
        for rack in screen.query_children(ToastRack):
            self.call_later(rack.show, said)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Refuse: Textual opens any address unasked. Links go through our own action (T10)."""
        self.notify(f"Not opened: {safe_line(url, 200)}", severity="warning")

    def announce(self, announcement: Announcement) -> None:
        """Tell the desktop something, through the driver's own door; nowhere without a terminal."""
        driver = self._driver
        if driver is not None and not self.is_headless and hasattr(driver, "announce"):
            cast("Announcer", driver).announce(announcement)

    # Crashes

    def _handle_exception(self, error: Exception) -> None:
        self._note_crash(error)
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """End as after a crash. What Textual wants to print may hold anything and is not printed."""
        self._note_crash(RuntimeError("Textual gave up"))
        self._return_code = CRASHED
        self._close_messages_no_wait()

    def thread_failed(self, error: BaseException) -> None:
        """A thread the program can not do without died."""
        self._handle_exception(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))

    def _note_crash(self, error: BaseException) -> None:
        if self._crash_words is None:
            from kai_tui.ui.terminal.crash import report_crash

            self._crash_words = report_crash(_cause(error), self.crash_folder, self._secrets())

    def _secrets(self) -> list[str]:
        with suppress(Exception):
            return list(self.live_secrets())
        return []

    def _print_error_renderables(self) -> None:
        messages = [str(message) for message in self._exit_renderables]
        self._exit_renderables.clear()
        if self.crashed:
            if not self.is_headless:
                self._tell_crash()
        else:
            for message in messages:
                say(safe_prose(message))

    def _tell_crash(self) -> None:
        if self._crash_words is not None and not self._crash_told:
            self._crash_told = True
            say(self._crash_words)

    # Errors at places nobody waits at

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            self.failed_aside(error)

    def _thread_hook(self, args: threading.ExceptHookArgs) -> None:
        loop, error = self._loop, args.exc_value
        if loop is not None and isinstance(error, Exception):
            tell(loop, self.failed_aside, error)

    def failed_aside(self, error: Exception) -> None:
        """A task or thread on the side failed: the chat goes on, the user is told, a report is kept.

        In tests it is a crash, so that they fail.
        """
        if self.is_headless:
            self._handle_exception(error)
            return
        import logging

        logging.getLogger(__name__).error("something on the side failed", exc_info=error)
        self._failures_aside += 1
        if self._failures_aside > MAX_ASIDE:
            return
        from kai_tui.ui.terminal.crash import report_text, write_report

        kind = safe_line(type(error).__name__, 80)
        try:
            path = write_report(self.crash_folder(), report_text(error, self._secrets()))
        except OSError:
            self.notify(f"Something inside kai-tui failed ({kind}).", severity="warning")
        else:
            self.notify(f"Something inside kai-tui failed ({kind}). Report: {path}", severity="warning")


def _cause(error: BaseException) -> BaseException:
    return error.error if isinstance(error, WorkerFailed) else error


@contextmanager
def _thread_errors_to(hook: Callable[[threading.ExceptHookArgs], None]) -> Generator[None]:
    before, threading.excepthook = threading.excepthook, hook
    try:
        yield
    finally:
        threading.excepthook = before
