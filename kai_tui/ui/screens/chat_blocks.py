"""What the screen does for the reading cursor: the keys in the footer, files, sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_part import ChatPart

if TYPE_CHECKING:
    from kai_tui.ui.transcript.view import Transcript


class ChatBlocks(ChatPart):
    """Blocks under the reading cursor."""

    def reading_keys(self) -> tuple[tuple[str, str], ...]:
        """The keys for what is read; none while the focus is elsewhere."""
        if not self._reads:
            return ()
        transcript = self._transcript
        from kai_tui.ui.reading_keys import reading_keys

        return reading_keys(
            transcript.stop,
            jumping=transcript.jumping,
            on_link=transcript.link is not None,
            links=bool(transcript.links_here()),
            selected=transcript in self.selections,
        )

    def on_transcript_cursor_moved(self, message: Transcript.CursorMoved) -> None:
        message.stop()
        self._refresh_keys()

    def on_transcript_remarked(self, message: Transcript.Remarked) -> None:
        message.stop()
        self._tell(Notice(message.sentence))

    def on_transcript_save_requested(self, message: Transcript.SaveRequested) -> None:
        message.stop()
        from kai_tui.conversation.safe_text import safe_code
        from kai_tui.ui.modals.save_as import SaveAs, Saved, SaveFormat

        def answered(saved: Saved | None) -> None:
            if saved is not None:
                self._tell(Notice(saved.sentence))

        if not self.is_current:
            return  # a question came while the table was read
        if message.table is not None:
            from kai_tui.ui.modals.save_table import save_table

            app_of(self).push_screen(save_table(message.table), answered)
            return
        text = str(safe_code(message.text)).rstrip("\n") + "\n"
        stem, dot, ending = message.suggested_name.rpartition(".")
        how = SaveFormat(
            ending, f"{dot}{ending}", "The block as it is shown, and nothing else.", lambda: (text,)
        )
        app_of(self).push_screen(SaveAs(stem, [how], heading="Save block"), answered)
