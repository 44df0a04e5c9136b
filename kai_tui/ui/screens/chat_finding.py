"""Find in the chat: the line in which one writes, and the conversation in which it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.screens.chat_reading import ChatReading

if TYPE_CHECKING:
    from textual.widget import Widget

    from kai_tui.ui.transcript.view import Transcript
    from kai_tui.ui.widgets.find_bar import FindBar


class ChatFinding(ChatReading):
    """Ctrl+F, `/`, `n` and `N`."""

    _find_bar: FindBar | None = None
    _found_from: Widget | None = None
    """What had the focus before."""

    async def action_find(self, words: str = "") -> None:
        """Write what to find; in the line already: back to where one was before."""
        bar = self._find_bar
        if bar is not None and bar.is_written_in and not words:
            self._end_finding(back=True, read=False)
            return
        if self._noted:
            self._tell(Notice("There is nothing to find in yet."))
            return
        if bar is None:
            from kai_tui.ui.widgets.find_bar import FindBar

            bar = self._find_bar = FindBar()
            # Waited for: what is typed next is meant for it.
            await self.query_one("#conversation").mount(bar, after=self._reading)
        if not bar.is_written_in:
            self._found_from = self.focused
        bar.open(words or None)

    async def action_find_here(self) -> None:
        """The same while reading."""
        await self.action_find()

    async def action_find_next(self) -> None:
        """To the next place of what was looked for."""
        await self._step_to(1)

    async def action_find_before(self) -> None:
        """To the place before."""
        await self._step_to(-1)

    async def _step_to(self, direction: int) -> None:
        bar = self._find_bar
        if bar is None or not bar.query_text.strip():
            await self.action_find()
            return
        if not self._transcript.finding:
            bar.show()
            self._transcript.find(bar.query_text)
            return
        self._transcript.find_next(direction)

    def on_find_bar_wanted(self, message: FindBar.Wanted) -> None:
        message.stop()
        bar = self._find_bar
        if bar is not None and bar.is_open and message.query == bar.query_text:
            self._transcript.find(message.query)
            if not message.query.strip():
                bar.show_count(0, 0, complete=True)

    def on_find_bar_step(self, message: FindBar.Step) -> None:
        message.stop()
        self._transcript.find_next(message.direction)

    def on_find_bar_left(self, message: FindBar.Left) -> None:
        message.stop()
        if message.read:
            self.set_focus(self._transcript)
        else:
            self._end_finding(back=False, read=False)

    def on_transcript_found(self, message: Transcript.Found) -> None:
        message.stop()
        if self._find_bar is not None:
            self._find_bar.show_count(
                message.number, message.total, complete=message.complete, in_sight=message.in_sight
            )

    def on_transcript_finding_ended(self) -> None:
        """Another chat is shown."""
        if self._find_bar is not None and self._find_bar.is_open:
            self._end_finding(back=False, read=False)

    def leaves_finding(self) -> bool:
        """Esc outside of the line ends the search first; whether it did."""
        if self._find_bar is None or not self._find_bar.is_open:
            return False
        self._end_finding(back=False, read=self._transcript.has_focus)
        return True

    def _end_finding(self, *, back: bool, read: bool) -> None:
        bar = self._find_bar
        if bar is None:
            return
        written = bar.is_written_in
        self._transcript.end_finding(back=back)
        bar.close()
        before, self._found_from = self._found_from, None
        if written:
            self.set_focus(before if before is not None and before.is_attached else self._composer)
