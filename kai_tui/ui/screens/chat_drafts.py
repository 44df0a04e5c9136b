"""Keeps what is being typed: on disk within half a second, in memory for every chat of this run (P6)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

if TYPE_CHECKING:
    from textual.widget import Widget

    from kai_tui.services.workspace import Workspace

SAVE_SECONDS = 0.4


class DraftKeeper:
    """Saves the draft of the open chat at most every `SAVE_SECONDS`, never later than that."""

    def __init__(self, host: Widget, workspace: Workspace, read: Callable[[], tuple[str, str]]) -> None:
        """`read` gives the open chat's id and everything that is not sent yet."""
        self._host = host
        self._workspace = workspace
        self._read = read
        self._timer: Timer | None = None
        self._kept: dict[str, str] = {}

    def changed(self) -> None:
        """Something was typed."""
        if self._timer is None:
            self._timer = self._host.set_timer(SAVE_SECONDS, self._due)

    def known(self, chat_id: str) -> str | None:
        """The draft of a chat of this run; None when this run never showed it."""
        return self._kept.get(chat_id)

    def remember(self, chat_id: str, text: str) -> None:
        """What stands in the prompt of a chat that is left."""
        self._kept[chat_id] = text

    async def flush(self) -> None:
        """Save now: before the program is left."""
        await self.leave()

    def leave(self) -> Coroutine[Any, Any, None]:
        """Read what stands in the prompt now; the result saves it, and may run after the prompt changed."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        return self._workspace.save_draft(*self._read())

    async def forget(self, chat_id: str) -> None:
        """The chat is gone, or its draft moved elsewhere."""
        self._kept.pop(chat_id, None)
        await self._workspace.save_draft(chat_id, "")

    async def _due(self) -> None:
        self._timer = None
        await self.flush()
