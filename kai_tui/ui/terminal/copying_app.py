"""The app's clipboard: every copy of the program goes this way, Textual's own too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual.app import App, ReturnType

from kai_tui.conversation.safe_text import safe_copy, safe_prose

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from kai_tui.ui.terminal.clipboard import Clipboard, Copied
    from kai_tui.ui.terminal.osc52 import ClipboardWrite


class TakesCopies(Protocol):
    """A driver of ours."""

    def put_on_clipboard(self, write: ClipboardWrite) -> None:
        """See `SafePosixDriver.put_on_clipboard`."""
        ...


class CopyingApp(App[ReturnType]):
    """An app that copies the surest way there is and says which one it was."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._copier: Clipboard | None = None
        super().__init__(*args, **options)

    def crash_folder(self) -> Path:
        """Where private files of this run go; see `SafeApp`."""
        raise NotImplementedError

    def copy_text(self, text: str, what: str = "the text") -> None:
        """Copy foreign text as it is shown, and say what became of it. `what` names it: "the message"."""
        self._copy(text, what, quiet=False)

    def copy_to_clipboard(self, text: str) -> None:
        """What text fields call when something is cut or copied: a word only when it got nowhere."""
        self._copy(text, "the text", quiet=True)

    def _copy(self, text: str, what: str, *, quiet: bool) -> None:
        # As it is shown, without hidden characters and without a line end at the end (T23).
        safe = safe_copy(text)
        self._clipboard = str(safe)
        self.run_worker(self._copied(str(safe), what, quiet=quiet), group="copy", exit_on_error=False)

    async def _copied(self, text: str, what: str, *, quiet: bool) -> None:
        if self._copier is None:
            self._copier = self.make_clipboard()
        copied = await self._copier.copy(text, what)
        if copied is not None and not (quiet and copied.done):
            self.tell_copied(copied)

    def tell_copied(self, copied: Copied) -> None:
        """Say it. A file's path must stay long enough to be read."""
        self.notify(
            safe_prose(copied.sentence),
            severity="information" if copied.done else "warning",
            timeout=6 if copied.done else 20,
            markup=False,
        )

    def make_clipboard(self) -> Clipboard:
        """The clipboard of this run; without a terminal nothing of this computer is touched."""
        from kai_tui.ui.terminal.clipboard import Clipboard

        if self.is_headless:
            return Clipboard(lambda _: True, self.crash_folder, {}, tools=lambda _: ())
        return Clipboard(self._send_to_terminal, self.crash_folder)

    def _send_to_terminal(self, write: ClipboardWrite) -> bool:
        driver = self._driver
        if driver is None or not hasattr(driver, "put_on_clipboard"):
            return False
        cast("TakesCopies", driver).put_on_clipboard(write)
        return True


def copy_from(node: DOMNode, text: str, what: str = "the text") -> None:
    """Copy foreign text for a widget or a screen, and say what became of it."""
    app = cast("App[Any]", node.app)  # pyright: ignore[reportUnknownMemberType] the open parameter
    if isinstance(app, CopyingApp):
        app.copy_text(text, what)
    else:
        app.copy_to_clipboard(safe_copy(text))
