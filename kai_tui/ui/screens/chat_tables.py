"""Tables of the conversation on the whole screen, and what is asked about them."""

from __future__ import annotations

import asyncio
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_part import ChatPart

if TYPE_CHECKING:
    from kai_tui.conversation.tables.opening import Opening
    from kai_tui.ui.tables.marked import Marked
    from kai_tui.ui.transcript.view import Transcript


class ChatTables(ChatPart):
    """Opens the table viewer."""

    _viewer_loaded = False
    """Whether its code was asked for."""

    def on_transcript_cursor_moved(self, message: Transcript.CursorMoved) -> None:
        """Who reads may open a table: loading the viewer takes longer than opening it."""
        if not self._viewer_loaded:
            self._viewer_loaded = True
            self.run_worker(partial(asyncio.to_thread, _load_viewer), exit_on_error=False)

    def on_transcript_table_chosen(self, message: Transcript.TableChosen) -> None:
        message.stop()
        self.action_open_table()

    def action_open_table(self) -> None:
        """The table under the reading cursor, else the newest in sight."""
        from kai_tui.ui.tables.finding import table_at

        stop = self._transcript.stop
        found = table_at(stop) if stop is not None else None
        if found is None:
            seen = (table_at(each) for each in self._transcript.stops_in_sight())
            found = next((each for each in seen if each is not None), None)
        if found is not None:
            self.show_table(found)
        else:
            self._tell(Notice("There is no table in sight. Scroll to one first."))

    def show_table(self, opening: Opening) -> None:
        """The viewer over everything."""
        from kai_tui.ui.tables.viewer import TableViewer
        from kai_tui.ui.terminal.copying_app import copy_from

        app_of(self).push_screen(TableViewer(opening, partial(copy_from, self)), self._asked_about)

    def _asked_about(self, marked: Marked | None) -> None:
        """What was marked goes into the prompt; nothing is sent."""
        if marked is None:
            return
        from kai_tui.conversation.tables.asking import context_of

        if self._composer.read_only:
            self._tell(
                Notice(
                    "This chat takes no messages now, so the cells were not put into the prompt.", "warning"
                )
            )
            return
        context = context_of(
            marked.table, of_rows=marked.of_rows, of_columns=marked.of_columns, first_row=marked.first_row
        )
        self.set_focus(self._composer)
        self._composer.put_context(context.heading, context.cells)


def _load_viewer() -> None:
    for name in ("finding", "viewer"):
        import_module(f"kai_tui.ui.tables.{name}")
