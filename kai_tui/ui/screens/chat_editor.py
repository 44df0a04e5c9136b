"""The draft in the user's own editor: Ctrl+X Ctrl+E, as in a shell."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_loan import ChatLoan

if TYPE_CHECKING:
    from kai_tui.ui.widgets.composer import Composer


_SLICE = 1024
"""Characters of a paste that are looked through at once: about a millisecond."""
_OVERLAP = 256
"""Characters two slices share: a token may lie across."""


class ChatEditor(ChatLoan):
    """Hands the terminal over and takes the text back; what is being answered goes on meanwhile."""

    _in_editor = False

    def action_expand_paste(self) -> None:
        """Put a paste into the prompt as text."""
        done = self._composer.expand_chip()
        if done is None:
            self._tell(Notice("There is no paste in the prompt that stands for more text."))
        elif not done:
            self._tell(
                Notice("This paste is too big to be edited here: Ctrl+X Ctrl+E opens it in your editor.")
            )
        self.set_focus(self._composer)

    def on_composer_pasted(self, message: Composer.Pasted) -> None:
        message.stop()
        self.run_worker(self._warn_of_secrets(message.text), group="pasted", exit_on_error=False)

    async def _warn_of_secrets(self, text: str) -> None:
        """In slices: a megabyte takes a second, and keys come first."""
        from kai_tui.conversation.safe_text import redact

        for at in range(0, len(text), _SLICE):
            piece = text[max(0, at - _OVERLAP) : at + _SLICE]
            if redact(piece) != piece:
                self._tell(
                    Notice(
                        "What you pasted looks like a token or password. What you send leaves this computer, and is kept.",
                        "warning",
                    )
                )
                return
            await asyncio.sleep(0.002)

    def on_composer_editor_wanted(self, message: Composer.EditorWanted) -> None:
        message.stop()
        self.action_open_editor()

    def action_open_editor(self) -> None:
        """Write the message in the editor the user named."""
        if not self._in_editor and not self._composer.read_only:
            self._in_editor = True
            self.run_worker(self._edit_draft(), group="editor", exit_on_error=False)

    async def _edit_draft(self) -> None:
        from kai_tui.services.own_editor import EditorTrouble

        try:
            await self._through_editor()
        except EditorTrouble as trouble:
            self._tell(Notice(f"{trouble.sentence} The draft is as it was.", "warning"))
        finally:
            self._in_editor = False

    async def _through_editor(self) -> None:
        from kai_tui.services.own_editor import (
            EditorTrouble,
            editor_command,
            put_away,
            remove_sheet,
            taken_over,
            write_sheet,
        )
        from kai_tui.ui.terminal.handing_over import CannotHandOver, run_in_terminal

        before = self._composer.text_to_send
        command = editor_command(os.environ)
        try:
            sheet = await asyncio.to_thread(write_sheet, before)
        except OSError as error:
            raise EditorTrouble(f"No private file could be made ({error.strerror or error}).") from None
        # A question would open behind the editor, where nobody reads it.
        self._desk.hold(True)
        try:
            try:
                code = await run_in_terminal(app_of(self), [*command, str(sheet)])
            finally:
                # Keys that were meant for the editor may still come.
                self._desk.typed()
                self._desk.hold(False)
            text = await asyncio.to_thread(taken_over, sheet, before, command, code)
        except CannotHandOver:
            remove_sheet(sheet)
            raise EditorTrouble("This terminal cannot be handed to an editor.") from None
        except OSError as error:
            remove_sheet(sheet)
            raise EditorTrouble(f"{command[0]} could not be started ({error.strerror or error}).") from None
        except asyncio.CancelledError:
            # The program ends; the draft is kept as it was before.
            put_away(sheet, before)
            raise
        self._take_over(text, before)

    def _take_over(self, text: str, before: str) -> None:
        from kai_tui.ui.widgets.draft import Draft

        composer = self._composer
        now = composer.text_to_send
        if now != before:
            # Something else came into the prompt meanwhile: both are kept.
            text = "\n\n".join(each for each in (text, now) if each)
        if text != now:
            composer.put(Draft.of(text))
        self.set_focus(composer)
