"""What one can do with the conversation on screen: scroll, read, copy, open links."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_part import ChatPart
from kai_tui.ui.terminal.copying_app import copy_from

if TYPE_CHECKING:
    from kai_tui.ui.transcript.view import Transcript


class ChatReading(ChatPart):
    """Actions of the group Reading."""

    def action_page_up(self) -> None:
        """Scroll the conversation, or what stands in its place."""
        (self._note if self._noted else self._transcript).action_page_up()

    def action_page_down(self) -> None:
        """Scroll the conversation, or what stands in its place."""
        (self._note if self._noted else self._transcript).action_page_down()

    def action_jump_to_start(self) -> None:
        """To the first message."""
        self._transcript.scroll_to(y=0, animate=False)

    def action_jump_to_end(self) -> None:
        """To the newest line, and follow again."""
        self._transcript.jump_to_end()

    def action_browse(self) -> None:
        """Put the focus on the conversation, or back."""
        if self._transcript.has_focus:
            self.set_focus(self._composer)
        elif self._session is not None and (self._session.messages or self._session.quote):
            self.set_focus(self._transcript)

    def on_transcript_follow_changed(self, message: Transcript.FollowChanged) -> None:
        self._pill.lines = None if message.following else message.new_lines
        self.query_one("#pill-row").set_class(not message.following, "-shown")
        self.look()

    def on_new_lines_pill_pressed(self) -> None:
        self._transcript.jump_to_end()

    def on_transcript_tool_toggled(self, message: Transcript.ToolToggled) -> None:
        message.stop()
        if self._session is not None:
            self._session.want_document(message.message_id, message.part_index)

    # Copying and links

    def on_transcript_copy_requested(self, message: Transcript.CopyRequested) -> None:
        self.copy(message.text, message.what or self._transcript.what_under_cursor)

    def copy(self, text: str, what: str = "the text") -> None:
        """Foreign text to the clipboard; what is copied is what is seen, and it is said how."""
        copy_from(self, text, what)

    def on_transcript_link_chosen(self, message: Transcript.LinkChosen) -> None:
        self.open_link(message.href)

    def open_link(self, href: str) -> None:
        """Ask whether an address is to be opened, or say why it never is. `href` is raw."""
        from kai_tui.ui.modals.open_link import OpenLink, refusal

        href = href.strip()
        why = refusal(href)
        if why is not None:
            self._tell(Notice(why, "warning"))
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._browse_to(href), exit_on_error=False)

        app_of(self).push_screen(OpenLink(href), answered)

    async def _browse_to(self, href: str) -> None:
        import webbrowser

        # In a thread: it may wait for the browser, and some systems start one in the terminal.
        opened = await asyncio.to_thread(webbrowser.open, href)
        if not opened:
            self._tell(Notice("No browser was found. The address is copied instead.", "warning"))
            self.copy(href, "the address")
