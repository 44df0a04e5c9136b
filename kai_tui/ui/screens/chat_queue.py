"""What one can do with messages that wait: take the newest back, change, order and send them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.backends.errors import BackendError
from kai_tui.services.notice import Notice
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_loan import ChatLoan

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.ui.modals.pending_first import PendingFirst
    from kai_tui.ui.widgets.composer import Composer

STRAY_SECONDS = 0.6
"""A second Enter so soon after the one that sent a message means nothing."""


class ChatQueue(ChatLoan):
    """Actions about the queue of the open chat."""

    _sent_at = float("-inf")
    _what_first: PendingFirst | None = None
    """The dialog that asks what becomes of a waiting decision."""

    def action_edit_queued(self) -> None:
        """Take the newest waiting message back into the prompt, above what stands there."""
        session = self._session
        if session is None or self._is_lent():
            return
        taken = session.take_newest()
        if taken is None:
            self._tell(Notice("No message waits."))
            return
        typed = self._composer.text_to_send
        self._composer.load(f"{taken}\n\n{typed}" if typed else taken)
        self.set_focus(self._composer)

    def action_show_queue(self) -> None:
        """The list of waiting messages. Nothing of it is sent while it is open."""
        from kai_tui.ui.modals.queue import SEND_FIRST, QueueDialog

        session = self._session
        if session is None or self._is_lent():
            return
        if not session.queue:
            self._tell(Notice("No message waits. What you send while a reply streams waits here."))
            return
        if isinstance(app_of(self).screen, QueueDialog):
            return
        holder = object()
        session.hold_queue(holder)

        def closed(message_id: str | None) -> None:
            if message_id and session is self._session:
                self._edit_waiting(session, message_id)
            session.release_queue(holder)
            if message_id == SEND_FIRST:
                session.send_next()

        app_of(self).push_screen(QueueDialog(session), closed)

    def _edit_waiting(self, session: ChatSession, message_id: str) -> None:
        """Lend the prompt to a waiting message; its place is kept, and nothing that waits is sent meanwhile."""
        waiting = next((each for each in session.queue if each.id == message_id), None)
        if waiting is None:
            return
        holder = object()
        session.hold_queue(holder)
        place = session.queue.index(waiting) + 1

        def changed(text: str) -> None:
            if not session.edit_queued(message_id, text):
                self._composer.load(text)

        self._lend(
            waiting.text,
            Content.assemble(
                (f"Waiting message {place} of {len(session.queue)}", "bold"),
                (" · Enter puts it back · Esc leaves it as it was", "$text-muted"),
            ),
            changed,
            lambda: session.release_queue(holder),
        )

    async def _take_up_waiting(self, chats: Sequence[str]) -> None:
        """Messages that waited when the program ended: show their chat, unless something is being done here."""
        session = self._session
        if session is None or not chats or session.chat_id in chats:
            return
        if not session.messages and not self._typed():
            try:
                found = await self.workspace.chats.open_chat(chats[0])
            except BackendError:
                return  # it stands in the list of chats, as not sent
            if self._session is session and not session.messages and not self._typed():
                self._show(found)
                self.workspace.chats.forget(session.chat_id)
                return
        title = next((row.title for row in self.workspace.history.rows if row.id == chats[0]), "")
        where = f"“{title}”" if title else "another chat"
        self._tell(Notice(f"Messages of your last visit still wait to be sent in {where}."))

    @abstractmethod
    def _show(self, session: ChatSession) -> None:
        """Bring a chat on screen."""

    def _send(self, session: ChatSession, text: str) -> None:
        """Send a message. While the assistant waits for a decision the user says first what becomes of that."""
        from kai_tui.services.approval_service import Decision

        waiting = [each for each in self.workspace.approvals.pending if each.chat_id == session.chat_id]
        if not waiting:
            session.send(text)
            return
        from kai_tui.ui.modals.pending_first import PendingChoice, PendingFirst

        # Back into the prompt: there it is kept while the user thinks about it.
        self._composer.load(text)
        self._desk.hold(True)

        def answered(choice: PendingChoice | None) -> None:
            self._what_first = None
            if choice is None:
                self._desk.hold(False)
                if not session.pending_calls():
                    self._tell(
                        Notice("It was settled meanwhile. Your message stands in the prompt: Enter sends it.")
                    )
                return
            self._composer.load("")
            session.enqueue(text, quietly=True)
            still = [each for each in self.workspace.approvals.pending if each.chat_id == session.chat_id]
            if choice == "deny":
                for each in still:
                    self.workspace.approvals.decide(each, Decision(False))
            elif choice == "keep":
                for each in still:
                    self._desk.put_off(each)
            self._desk.hold(False)
            if choice == "answer":
                self._desk.review(session.chat_id)

        self._what_first = PendingFirst(waiting, lambda: bool(session.pending_calls()), self.assistant)
        app_of(self).push_screen(self._what_first, answered)

    def questions_changed(self) -> None:
        """Questions of the assistant came, went or were put off."""
        if self._what_first is not None:
            self._what_first.look()
        self._refresh_words()

    def on_composer_entered_empty(self, message: Composer.EnteredEmpty) -> None:
        """Enter on the empty prompt: the oldest message that waits for a word goes."""
        message.stop()
        session = self._session
        if self.says_what_is_missing():
            return
        if (
            session is None
            or self.lent
            or not session.queue_paused
            or monotonic() - self._sent_at < STRAY_SECONDS
        ):
            return
        if session.gone:
            back = key_name(action("edit_queued").keys[0])
            self._tell(
                Notice(f"This chat is not on the server any more. {back} takes a message back.", "warning")
            )
        elif session.send_next():
            self._sent_at = monotonic()
            self._transcript.jump_to_end()
