"""The open chat as a markdown file: what was said, and on demand what every tool was given and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from kai_tui.services.naming import short_name
from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_copying import ChatCopying

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.ui.modals.save_as import Saved

_SLICE = 0.008
"""Seconds of reading messages before keys are heard again."""


class ChatExport(ChatCopying):
    """Writes nothing by itself: the user names the file."""

    def action_export_chat(self) -> None:
        """Save the chat on screen as markdown."""
        session = self._session
        if session is None or not session.messages:
            self._tell(Notice("There is nothing to export yet."))
            return
        self.run_worker(self._offer_export(session), group="export", exclusive=True, exit_on_error=False)

    async def _offer_export(self, session: ChatSession) -> None:
        from kai_tui.ui.modals.save_as import SaveAs, SaveFormat

        plain = await self._chat_in_pieces(session, calls=False)
        whole = await self._chat_in_pieces(session, calls=True)
        if self._session is not session or not self.is_active:
            return  # the user went elsewhere meanwhile
        secrets = list(self.kai_secrets())
        formats = [
            SaveFormat(
                "messages", ".md", "Markdown: what was said, a tool call in a word. Secrets are hidden.",
                _clean(plain, secrets),
            ),
            SaveFormat(
                "with tool details", ".md",
                "Markdown: also what every tool was given and answered. Secrets are hidden.",
                _clean(whole, secrets),
            ),
        ]  # fmt: skip

        def answered(saved: Saved | None) -> None:
            if saved is not None:
                self._tell(Notice(saved.sentence))

        app_of(self).push_screen(
            SaveAs(session.title or "chat", formats, heading="Export this chat"), answered
        )

    async def _chat_in_pieces(self, session: ChatSession, *, calls: bool) -> list[str]:
        """In slices: messages that are not read yet are read in their turn, and keys come first."""
        from kai_tui.conversation.chat_text import chat_pieces

        pieces: list[str] = []
        begun = perf_counter()
        for piece in chat_pieces(
            session.title,
            tuple(session.messages),
            assistant=short_name(self.workspace.account),
            note=lambda message: "asked again later" if session.is_superseded(message.id) else "",
            denied=lambda call: session.decision(call) is False,
            calls=calls,
        ):
            pieces.append(piece)
            if perf_counter() - begun > _SLICE:
                await asyncio.sleep(0)
                begun = perf_counter()
        return pieces


def _clean(pieces: Sequence[str], secrets: Sequence[str]) -> Callable[[], Iterator[str]]:
    """The document without secrets and without what could act on a terminal; made in the thread that writes it."""

    def parts() -> Iterator[str]:
        from kai_tui.conversation.safe_text import redact, safe_copy

        for number, piece in enumerate(pieces):
            yield ("\n" if number else "") + safe_copy(redact(piece, secrets)) + "\n"

    return parts
