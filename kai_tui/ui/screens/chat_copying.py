"""Copying: a block, a message, the last answer, the whole chat; and whose the mouse is."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from kai_tui.services.naming import short_name
from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_reading import ChatReading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kai_tui.conversation.messages import Message
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.ui.modals.copy_menu import CopyChoice, CopyOption

_SLICE = 0.008
"""Seconds of reading messages before keys are heard again."""
_REST = 0.002
_PIECE = 10_000
"""Characters that are looked through for secrets at once: some milliseconds."""
_NOTHING = Notice("There is nothing to copy yet.")
_NO_ANSWER = Notice("There is no answer to copy yet.")


class ChatCopying(ChatReading):
    """Actions that copy from their source, never what the screen made of it."""

    def action_copy_menu(self) -> None:
        """Choose what to copy, and how."""
        from kai_tui.ui.modals.copy_menu import CopyMenu

        session = self._session
        if isinstance(app_of(self).screen, CopyMenu):
            return
        if session is None or not session.messages:
            self._tell(_NOTHING)
            return
        transcript = self._transcript
        selected = self.get_selected_text() or ""
        block = transcript.source_under_cursor
        name, prose = transcript.what_under_cursor, transcript.prose_under_cursor
        message = transcript.message_under_cursor
        options = _options(session.messages, selected, block, message)

        def chosen(choice: CopyChoice | None) -> None:
            if choice is not None:
                if choice.what == "selection":
                    self.copy(selected, "what is selected")
                elif choice.what == "block":
                    # Code, a tool's data and a user's words are no markdown: plain already.
                    self._copy_as(block, name, plain=choice.plain and prose)
                else:
                    self._copy_chosen(session, choice, message)

        app_of(self).push_screen(CopyMenu(options), chosen)

    def _copy_chosen(self, session: ChatSession, choice: CopyChoice, message: Message | None) -> None:
        from kai_tui.conversation.chat_text import message_source

        plain = choice.plain
        if choice.what == "chat":
            self._copy_chat(session, plain=plain)
        elif choice.what == "answer":
            self._copy_answer(session, plain=plain)
        elif message is not None:
            calls = choice.what == "calls"
            what = "the message with its tool calls" if calls else "the message"
            self._copy_as(message_source(message, calls=calls), what, plain=plain and message.role != "user")

    def _copy_as(self, source: str, what: str, *, plain: bool) -> None:
        if plain:
            from kai_tui.ui.transcript.plain_text import plain_text

            source, what = plain_text(source), f"{what} as plain text"
        if source.strip():
            self.copy(source, what)
        else:
            self._tell(Notice(f"There are no words in {what} to copy."))

    def mouse_changed(self) -> None:
        """The mouse went to the terminal or came back: the status line says so."""
        self._refresh_words()

    def action_copy_message(self) -> None:
        """Copy the message under the reading cursor, as it was written."""
        from kai_tui.conversation.chat_text import has_calls, message_source

        message = self._transcript.message_under_cursor
        if message is None:
            self.action_copy_answer()
            return
        text = message_source(message)
        if not text and has_calls(message):
            self._copy_as(message_source(message, calls=True), "the message's tool calls", plain=False)
            return
        self._copy_as(text, "the message", plain=False)

    def action_copy_answer(self) -> None:
        """Copy the newest answer, as it was written."""
        if self._session is not None:
            self._copy_answer(self._session, plain=False)
        else:
            self._tell(_NO_ANSWER)

    def _copy_answer(self, session: ChatSession, *, plain: bool) -> None:
        from kai_tui.conversation.chat_text import last_answer, message_source

        message = last_answer(session.messages)
        if message is None:
            self._tell(_NO_ANSWER)
            return
        self._copy_as(message_source(message), "the last answer", plain=plain)

    def action_copy_chat(self) -> None:
        """Copy the whole chat as markdown."""
        if self._session is not None and self._session.messages:
            self._copy_chat(self._session, plain=False)
        else:
            self._tell(_NOTHING)

    def _copy_chat(self, session: ChatSession, *, plain: bool) -> None:
        # The last one asked for counts: a long chat takes a moment.
        self.run_worker(
            self._read_and_copy(session, plain=plain), group="copy-chat", exclusive=True, exit_on_error=False
        )

    async def _read_and_copy(self, session: ChatSession, *, plain: bool) -> None:
        from kai_tui.conversation.chat_text import chat_pieces
        from kai_tui.conversation.safe_text import redact

        # Message by message: those that are not read yet are read in their turn.
        messages = tuple(session.messages)
        secrets = list(self.kai_secrets())
        pieces: list[str] = []
        hidden = False
        begun = perf_counter()
        for piece in chat_pieces(
            session.title,
            messages,
            assistant=short_name(self.workspace.account),
            note=lambda message: "asked again later" if session.is_superseded(message.id) else "",
            denied=lambda call: session.decision(call) is False,
        ):
            # Not in a thread: a search in a text holds up everything else, there as here.
            for part in _paragraphs(piece):
                clean = redact(part, secrets)
                hidden = hidden or clean != part
                pieces.append(clean)
                if perf_counter() - begun > _SLICE:
                    await asyncio.sleep(_REST)
                    begun = perf_counter()
        text = "\n\n".join(pieces)
        what = f"the whole chat ({_counted(len(messages), 'message')}{', secrets hidden' if hidden else ''})"
        if plain:
            from kai_tui.ui.transcript.plain_text import plain_text

            text, what = await asyncio.to_thread(plain_text, text), f"{what} as plain text"
        self.copy(text, what)

    def kai_secrets(self) -> Sequence[str]:
        """Tokens in use now, which no copy of a whole chat may carry."""
        from kai_tui.ui.terminal.safe_app import SafeApp

        app = app_of(self)
        return list(app.live_secrets()) if isinstance(app, SafeApp) else ()


def _paragraphs(text: str) -> Iterator[str]:
    """A long text in pieces that were apart by an empty line."""
    start = 0
    while len(text) - start > _PIECE:
        end = text.find("\n\n", start + _PIECE)
        if end < 0:
            break
        yield text[start:end]
        start = end + 2
    yield text[start:]


def _options(
    messages: Sequence[Message], selected: str, block: str, message: Message | None
) -> list[CopyOption]:
    from kai_tui.conversation.chat_text import has_calls, last_answer, message_source
    from kai_tui.ui.modals.copy_menu import CopyOption

    found: list[CopyOption] = []
    if selected:
        found.append(CopyOption("selection", "s", "What is selected", _size(selected)))
    if block:
        found.append(CopyOption("block", "b", "This block", _size(block)))
    if message is not None:
        text = message_source(message)
        if text:
            found.append(CopyOption("message", "m", "This message", _size(text)))
        if has_calls(message):
            found.append(CopyOption("calls", "t", "This message with its tool calls", ""))
    answer = last_answer(messages)
    if answer is not None:
        found.append(CopyOption("answer", "a", "The last answer", _size(message_source(answer))))
    if messages:
        found.append(CopyOption("chat", "w", "The whole chat", _counted(len(messages), "message")))
    return found


def _size(text: str) -> str:
    lines = text.rstrip("\n").count("\n") + 1
    return _counted(lines, "line") if lines > 1 else _counted(len(text), "character")


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
