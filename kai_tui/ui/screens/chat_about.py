"""What holds for the chat on screen, and what it is about: chosen, pasted, removed."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.services.notice import Notice
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_loan import ChatLoan

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.object_address import ObjectAddress
    from kai_tui.ui.modals.chat_terms import ChatFacts, TermsChoice
    from kai_tui.ui.widgets.composer import Composer

_LIKE_A_PAGE = "/admin/projects/"


class ChatAbout(ChatLoan):
    """The dialog "This chat", and the line over the prompt."""

    @abstractmethod
    def _begin(self) -> None:
        """Make the chat the program starts with, unless there is one."""

    def action_chat_terms(self) -> None:
        """Who can read this chat, what Kai may do in it, what it is about."""
        from kai_tui.ui.modals.chat_terms import ChatTermsDialog

        if not self._is_there("chat_terms"):
            return
        self._begin()
        session = self._session
        if session is None:
            self._tell(Notice("The chat is not open yet."))
            return
        if isinstance(app_of(self).screen, ChatTermsDialog):
            return

        def closed(choice: TermsChoice | None) -> None:
            if choice is not None:
                self._choose(session, choice)

        app_of(self).push_screen(ChatTermsDialog(self._facts(session), self.workspace.account), closed)

    def _facts(self, session: ChatSession) -> ChatFacts:
        from kai_tui.ui.modals.chat_terms import ChatFacts

        caps = self.caps
        info = self.workspace.connection.info
        return ChatFacts(
            title=session.title,
            chat_id=session.chat_id,
            terms=session.terms,
            known=session.known_terms,
            decided=session.terms_decided,
            visibility=caps.visibility,
            read_only=caps.read_only_chats,
            service=info.service if info is not None else "",
            host=info.host if info is not None else "",
            about=session.context_path,
            takes_about=caps.context_path,
        )

    def _choose(self, session: ChatSession, choice: TermsChoice) -> None:
        if choice.terms != session.terms and not session.set_terms(choice.terms):
            self._tell(
                Notice("The first message was sent meanwhile and has decided. Nothing changed.", "warning")
            )
        if choice.about is None or choice.about.path is not None:
            self._set_about(session, choice.about)

    # What it is about

    def claims_paste(self, text: str) -> bool:
        """Whether a text pasted into the empty prompt is what the chat is about from now on."""
        if _LIKE_A_PAGE not in text or self.lent or self._opening is not None:
            return False
        from kai_tui.services.object_address import object_address

        page = object_address(text, self.workspace.account)
        if page is None or not self.caps.context_path:
            return False
        if page.path is None:
            self._tell(Notice(page.why_not, "warning"))
            return False
        self._begin()
        if self._session is None:
            return False
        self._set_about(self._session, page)
        return True

    def on_composer_nothing_to_delete(self, message: Composer.NothingToDelete) -> None:
        message.stop()
        session = self._session
        if session is not None and session.context_path is not None and not self.lent:
            session.set_context(None)

    def _set_about(self, session: ChatSession, page: ObjectAddress | None) -> None:
        session.set_context(page.path if page is not None else None)
        account = self.workspace.account
        if page is not None and page.branch is not None and page.branch != account.branch_id:
            self._tell(
                Notice(
                    f"That page shows branch {page.branch}, but this account works on {account.branch}.",
                    "warning",
                )
            )
