"""Opening a chat: what is kept of it here can be read at once, while the server is asked for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kai_tui.ui.screens.chat_part import ChatPart

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.glimpse import Glimpse

SOON = 0.25
"""Seconds after which the server is taken to need longer: the rest of the copy is read, and said what is seen."""


class ChatGlimpse(ChatPart):
    """Shows the copy of a chat that opens. Sending, deciding and voting begin when it is open."""

    def _show_glimpse(self, chat_id: str) -> None:
        """Begin to read the copy of a chat that is being opened now."""
        self._glimpsed = None
        self.run_worker(self._glimpse(chat_id), group="glimpse", exclusive=True, exit_on_error=False)

    async def _glimpse(self, chat_id: str) -> None:
        from kai_tui.services.glimpse import SCREENFULS

        found = await self.workspace.chats.glimpse(chat_id, newest=SCREENFULS)
        if found is None or not self._still_opens(chat_id):
            return
        self._draw_glimpse(chat_id, found)
        await asyncio.sleep(SOON)
        if not self._still_opens(chat_id):
            return
        self._says_copy = True
        self._refresh_words()
        whole = await self.workspace.chats.glimpse(chat_id) if len(found.messages) >= SCREENFULS else None
        if whole is not None and self._still_opens(chat_id):
            self._draw_glimpse(chat_id, whole)

    def _still_opens(self, chat_id: str) -> bool:
        return self._opening == chat_id and self._session is None and self._problem is None

    def _draw_glimpse(self, chat_id: str, found: Glimpse) -> None:
        from kai_tui.ui.screens.copy_preview import CopyPreview

        again = self._glimpsed == chat_id
        self._glimpsed = chat_id
        (self._transcript.show_again if again else self._transcript.show)(CopyPreview(found))
        self._refresh_words()

    def _end_glimpse(self, session: ChatSession | None) -> bool:
        """The chat is open, or cannot be opened; whether it is the one that is seen already."""
        seen = self._glimpsed is not None and session is not None and session.chat_id == self._glimpsed
        self._glimpsed, self._says_copy = None, False
        return seen
