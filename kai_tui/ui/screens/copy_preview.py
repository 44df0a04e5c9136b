"""A chat that is being opened: the transcript shows the copy kept here until the server has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.ui.screens.fork_preview import Preview

if TYPE_CHECKING:
    from kai_tui.services.glimpse import Glimpse


class CopyPreview(Preview):
    """What the transcript draws from (`TranscriptSource`): the messages, and nothing that could be decided."""

    def __init__(self, glimpse: Glimpse) -> None:
        super().__init__(glimpse.messages)
        self._superseded = glimpse.superseded

    def is_superseded(self, message_id: str) -> bool:
        return message_id in self._superseded
