"""Asking again, editing the last message, forking a chat, answering a call that was left open."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.backends.errors import BackendError
from kai_tui.services.notice import Notice
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.app_of import app_of
from kai_tui.ui.needs import without
from kai_tui.ui.screens.chat_queue import ChatQueue
from kai_tui.ui.screens.chat_turns import ChatTurns

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.session_rewrites import LastQuestion

_IN_THE_LIST = frozenset(("retry_unsent", "edit_last", "regenerate", "fork_chat", "drop_quote"))
"""Plain letters mean nothing here while the list of chats has the focus."""


class ChatRewrites(ChatQueue, ChatTurns):
    """Actions about what was asked already."""

    _previewed: ChatSession | None = None
    """The fork whose quote is on screen."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done here and now."""
        session = self._session
        if action in _IN_THE_LIST and app_of(self).screen is self and self._in_list:
            return False
        if action == "drop_quote":
            return session is not None and self._droppable(session)
        if action == "answer_left_open":
            return session is not None and self.caps.tool_results and bool(session.left_open())
        return super().check_action(action, parameters)

    @property
    def _in_list(self) -> bool:
        return self.focused is not None and self._sidebar in self.focused.ancestors_with_self

    # Again

    def action_retry_unsent(self) -> None:
        """Send again what did not arrive; else ask again what was not answered."""
        session = self._session
        if session is None:
            return
        last = session.last_question()
        unsent = any(session.delivery(each.id) in ("not-sent", "unsure") for each in session.messages)
        if session.turn.busy or unsent or last is None:
            super().action_retry_unsent()
        elif last.outcome != "answered":
            self._ask_again(session, last)
        else:
            again = key_name(action("regenerate").keys[0])
            self._tell(Notice(f"Everything was sent and answered. {again} while reading asks again."))

    def action_regenerate(self) -> None:
        """Ask the last question again, in a new turn."""
        session = self._session
        last = session.last_question() if session is not None else None
        if session is None or last is None:
            self._tell(Notice("Nothing was asked here yet."))
        elif session.turn.busy:
            self._tell(Notice("The reply still comes. Esc stops it."))
        elif last.outcome in ("unsure", "not-sent"):
            session.retry(last.message.id)
        else:
            self._ask_again(session, last)

    def _ask_again(self, session: ChatSession, last: LastQuestion) -> None:
        if session.gone:
            fork = key_name(action("fork_chat").keys[0])
            self._tell(Notice(f"This chat is not on the server any more. {fork} while reading forks it."))
        elif last.outcome == "lost":
            self.run_worker(
                self._look_and_ask(session, last), group="rewrite", exclusive=True, exit_on_error=False
            )
        elif last.ran or last.may_have_run:
            self._confirm_again(session, last)
        else:
            session.ask_again(last.message.id)
            self._transcript.jump_to_end()

    async def _look_and_ask(self, session: ChatSession, last: LastQuestion) -> None:
        """The connection was lost: the server may have gone on. Look first, then let the user decide."""
        try:
            if await session.has_more(last.message.id):
                self._tell(Notice("The server went on meanwhile: this is its answer now. Nothing was sent."))
                return
        except BackendError as error:
            self._tell(
                Notice(f"Nothing was sent: the chat could not be read first. {error.sentence}", "error")
            )
            return
        found = session.last_question()
        if found is not None and found.message.id == last.message.id and session is self._session:
            self._confirm_again(session, found)

    def _confirm_again(self, session: ChatSession, last: LastQuestion) -> None:
        from kai_tui.ui.modals.confirm import Confirm

        dialog = Confirm("Ask again?", risks_of(last), yes="Ask again", name="confirm-ask-again")
        holder = object()
        session.hold_queue(holder)

        def answered(yes: bool | None) -> None:
            if yes and not session.ask_again(last.message.id):
                self._tell(Notice("The chat went on meanwhile. Nothing was sent.", "warning"))
            session.release_queue(holder)
            if yes:
                self._transcript.jump_to_end()

        app_of(self).push_screen(dialog, answered)

    # In other words

    def action_edit_last(self) -> None:
        """Lend the prompt to the last message; sending it makes a new turn."""
        if self._is_lent():
            return
        session = self._session
        last = session.last_question() if session is not None else None
        if session is None or last is None:
            self._tell(Notice("Nothing was asked here yet."))
            return
        if session.turn.busy:
            self._tell(Notice("The reply still comes. Esc stops it; then its question can be edited."))
            return
        if session.gone:
            self._tell(Notice("This chat is not on the server any more. What you write begins a new one."))
            return
        if last.outcome == "unsure":
            again = key_name(action("retry_unsent").keys[0])
            then = "sends it again as it is" if session.kept_here else "looks first"
            self._tell(Notice(f"It is not known whether this message arrived. {again} {then}."))
            return
        question_id = last.message.id
        holder = object()
        session.hold_queue(holder)

        def send(text: str) -> None:
            if not session.ask_again(question_id, text):
                self._composer.load(text)
                self._tell(
                    Notice(
                        "The chat went on meanwhile. Nothing was sent; your text is in the prompt.", "warning"
                    )
                )

        self._lend(last.words, edit_words(last), send, lambda: session.release_queue(holder))

    # Forks

    def action_fork_chat(self) -> None:
        """A new chat that begins with this one, up to the message under the cursor."""
        session = self._session
        if session is None or not session.messages:
            self._tell(Notice("There is nothing to fork yet."))
            return
        here = self._transcript.message_under_cursor if self._transcript.has_focus else None
        forked = self.workspace.chats.fork(session, (here or session.messages[-1]).id)
        if forked is None:
            self._tell(Notice("Nothing up to here can be quoted."))
            return
        if session.turn.busy:
            self._tell(Notice("The reply there still comes: what was here of it is quoted."))
        self._start_in(forked)

    @abstractmethod
    def _start_in(self, session: ChatSession) -> None:
        """Go to a chat that has no messages yet."""

    def _show_conversation(self, session: ChatSession) -> None:
        """Draw a chat; of a fork without messages what will be sent in front of the first one."""
        self._previewed = session if session.quote and not session.messages else None
        glimpsed = self._end_glimpse(session)
        if self._previewed is None:
            (self._transcript.show_again if glimpsed else self._transcript.show)(session)
            return
        from kai_tui.ui.screens.fork_preview import ForkPreview

        self._transcript.show(ForkPreview(session.quote))

    def _end_preview(self) -> None:
        """The first message is on its way, or the quote was dropped."""
        session = self._previewed
        if session is not None and session is self._session and (session.messages or not session.quote):
            self._show_conversation(session)

    def _show_loan(self) -> None:
        super()._show_loan()
        session = self._session
        if self._loan is not None or session is None or session is not self._previewed:
            return
        self._purpose.add_class("-shown")
        self._purpose.update(fork_words(session))

    @staticmethod
    def _droppable(session: ChatSession) -> bool:
        """Whether a quote waits to be sent, or did not reach the server."""
        if not session.messages:
            return bool(session.quote)
        last = session.last_question()
        return last is not None and last.outcome == "not-sent" and last.quotes

    def action_drop_quote(self) -> None:
        """Begin the fork without the quote; a first message that was refused with it is sent without it."""
        session = self._session
        if session is None or not self._droppable(session):
            return
        last = session.last_question()
        if last is not None:
            session.ask_again(last.message.id, last.words, keep_quote=False)
            return
        session.drop_quote()
        self._tell(Notice("The quote is not sent. This is a new chat now."))

    # Calls that were left open

    def action_answer_left_open(self) -> None:
        """Ask about a call that a reply left open, to answer it the old way."""
        session = self._session
        if session is not None:
            self.run_worker(self._offer_left_open(session), group="rewrite", exit_on_error=False)

    async def _offer_left_open(self, session: ChatSession) -> None:
        try:
            backend = await self.workspace.backend()
        except BackendError as error:
            self._tell(Notice(error.sentence, "error"))
            return
        if not session.answer_left_open(backend):
            self._tell(Notice(without("answer_left_open", self.assistant)))
        else:
            self._desk.review(session.chat_id)


def names_of(last: LastQuestion) -> str:
    """Tools that ran for a question, in a sentence; empty when none did that changes something."""
    from kai_tui.conversation.safe_text import safe_line

    ran = ", ".join(safe_line(name, 60) for name in last.ran)
    perhaps = ", ".join(safe_line(name, 60) for name in last.may_have_run)
    sentences = [f"{ran} ran already." if ran else "", f"{perhaps} may have run." if perhaps else ""]
    return " ".join(each for each in sentences if each)


def risks_of(last: LastQuestion) -> Content:
    """What asking again may do twice."""
    from kai_tui.conversation.safe_text import safe_line

    lines: list[Content] = [
        Content.styled(safe_line(" ".join(last.words.split()), 200), "$text-muted"),
        Content(""),
    ]
    ran = ", ".join(safe_line(name, 60) for name in last.ran)
    perhaps = ", ".join(safe_line(name, 60) for name in last.may_have_run)
    if ran:
        lines.append(Content(f"The assistant had already run {ran}. Asking again may run it twice."))
    if perhaps:
        lines.append(Content(f"It may have run {perhaps}: the outcome was not seen."))
    if last.outcome == "lost":
        lines.append(
            Content(
                "The connection was lost before the answer ended. The server has nothing more of it now, "
                "but it may still be at work on it."
            )
        )
    return Content("\n").join(lines)


def edit_words(last: LastQuestion) -> Content:
    """The line over the prompt while the last message is edited."""
    if last.outcome == "not-sent":
        return Content.assemble(
            ("Editing a message that was not sent", "bold"),
            (" · Enter sends it in its place · Esc leaves it", "$text-muted"),
        )
    names = names_of(last)
    return Content.assemble(
        ("Editing your last message", "bold"),
        (" · Enter asks in a new turn · Esc leaves it\n", "$text-muted"),
        ("The server keeps the old question and answer and still sees them. ", "$text-muted"),
        (names, "$text-warning"),
    )


def fork_words(session: ChatSession) -> Content:
    """The line over the prompt of a fork that has no messages."""
    read, drop = (key_name(action(name).keys[0]) for name in ("browse", "drop_quote"))
    return Content.assemble(
        ("The server does not know the old chat", "bold"),
        (f": its text above is sent along, {len(session.quote):,} characters. ", "$text-muted"),
        (f"{read} to read it, then {drop} to drop it", "$text-muted"),
    )
