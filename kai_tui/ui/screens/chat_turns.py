"""What the screen does about turns: says which chat is on it, looks again, leaves chats that are gone."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.bridge import TokenNews
from kai_tui.ui.screens.chat_loan import ChatLoan

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession


class ChatTurns(ChatLoan):
    """Actions about the turn of the open chat."""

    _watching: ChatSession | None = None

    def _refresh_words(self) -> None:
        self._keep_watch(self._session)
        super()._refresh_words()

    def _keep_watch(self, session: ChatSession | None) -> None:
        """Tell the sessions which of them is on screen: only that one may send again by itself."""
        if self._watching is session:
            return
        before, self._watching = self._watching, session
        if before is not None:
            before.set_watched(False)
        if session is not None:
            session.set_watched(True)

    def _show_loan(self) -> None:
        super()._show_loan()
        session = self._session
        if self.lent or session is None or not session.gone:
            return
        self._purpose.set_class(True, "-shown")
        self._purpose.update(
            Content.assemble(
                ("This chat no longer exists on the server", "bold"),
                (" · Enter starts a new chat with your text", "$text-muted"),
            )
        )

    # The account

    def account_changed(self) -> None:
        """It has another name or colour."""
        self._refresh_words()

    def on_token_news(self, message: TokenNews) -> None:
        self.token_refused(message.why, asked=False)

    def token_refused(self, why: str, *, asked: bool) -> None:
        """The server does not take the token any more: ask for another one, over this chat."""
        from kai_tui.ui.app import KaiApp

        app = app_of(self)
        if isinstance(app, KaiApp):
            app.sign_in_again(why, asked=asked)

    def sign_in_put_away(self) -> None:
        """The user wants no new token now."""
        what = "token" if self.workspace.account.kind == "kai" else "credential"
        self._tell(
            Notice(
                f"The {what} stays as it is. You can read here; sending needs a new one: "
                "find “sign in again” among the commands.",
            )
        )
        self._refresh_words()

    def action_sign_in_again(self) -> None:
        """Give this account another token."""
        if self.workspace.account.kind == "sandbox":
            self._tell(Notice("The sandbox needs no token."))
            return
        what = "token" if self.workspace.account.kind == "kai" else "credential"
        self.token_refused(f"You asked to change the {what} of this account.", asked=True)

    def _tell(self, notice: Notice) -> None:
        if notice.code == "sign-in":
            # The row below the message says that it was not sent; the dialog says why.
            self.token_refused(notice.sentence, asked=True)
            return
        super()._tell(notice)

    # Looking again

    def action_look_again(self) -> None:
        """Read the open chat from the server again."""
        if self._session is None or not self._is_there("look_again"):
            return
        if not self._session.messages:
            self._tell(Notice("There is nothing to look for in an empty chat."))
        elif self.workspace.chats.is_behind(self._session.chat_id):
            self._go_to(self._session.chat_id)
        else:
            self._session.look_again()

    def action_retry_unsent(self) -> None:
        """Send again what did not arrive."""
        session = self._session
        if session is None:
            return
        if session.turn.busy:
            self._tell(Notice("A reply is still on its way. Stop it first, or wait."))
            return
        for message in reversed(session.messages):
            state = session.delivery(message.id)
            if state == "not-sent" and session.gone:
                enclosures = session.goes_with(message.id)
                text = session.take_back(message.id)
                fresh = self._leave_gone()
                aside = fresh.enclosed
                fresh.use_enclosures(enclosures)
                fresh.send(text)
                fresh.use_enclosures(aside)
                return
            if state in ("not-sent", "unsure"):
                session.retry(message.id)
                return
        self._tell(Notice("Everything was sent."))

    def _leave_gone(self) -> ChatSession:
        """The chat is not on the server any more: go on in a new one."""
        session = self.workspace.chats.new_chat()
        if self._session is not None:
            session.use_enclosures(self._session.enclosed)
            self._session.use_enclosures(())
        self._show(session)
        return session

    @abstractmethod
    def _show(self, session: ChatSession) -> None:
        """Bring a chat on screen."""
