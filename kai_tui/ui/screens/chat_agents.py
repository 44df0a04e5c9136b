"""Whom the chat on screen is with: chosen from a list, asked for before a message would go to nobody."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from kai_tui.backends.agents import NO_AGENT
from kai_tui.backends.errors import BackendError
from kai_tui.services.notice import Notice
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.app_of import app_of
from kai_tui.ui.screens.chat_offers import ChatOffers

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession

_STAYS = "This chat stays with whom it was begun. Whom you choose here gets a new chat."
_ASKED = (
    "{} answers only through somebody you choose. Your message stands in the prompt: Enter sends it then."
)


class ChatAgents(ChatOffers):
    """Opens the list; never sends anything."""

    def denies(self, action: str) -> bool:
        return super().denies(action) or (action == "choose_agent" and not self.workspace.agents.offered)

    def action_choose_agent(self) -> None:
        """The list of agents."""
        if not self.workspace.agents.offered:
            self._tell(Notice(f"There is nobody to choose from here: you talk to {self.assistant}."))
            return
        session = self._session
        stays = session is not None and self._begun(session) and not self._may_change(session)
        self._open_agents(_STAYS if stays else "")

    def _open_agents(self, why: str) -> None:
        from kai_tui.ui.modals.agents import AgentsDialog

        if isinstance(app_of(self).screen, AgentsDialog):
            return
        session = self._session

        def closed(agent_id: str | None) -> None:
            if agent_id is not None:
                self.run_worker(self._choose_agent(agent_id, session), group="agent", exit_on_error=False)

        chat_id = session.chat_id if session is not None else None
        app_of(self).push_screen(AgentsDialog(self.workspace.agents, chat_id, why=why), closed)

    def _begun(self, session: ChatSession) -> bool:
        """Whether the server has something of this chat: what was not sent is still with nobody."""
        return session.stored

    def _may_change(self, session: ChatSession) -> bool:
        return self.workspace.agents.may_change(session.chat_id)

    async def _choose_agent(self, agent_id: str, session: ChatSession | None) -> None:
        begun = session is not None and self._begun(session)
        goes_on = session if begun and session is not None and self._may_change(session) else None
        if begun and session is not None and agent_id == self.workspace.agents.chosen(session.chat_id):
            return
        try:
            await self.workspace.choose_agent(agent_id, chat_id=goes_on.chat_id if goes_on else None)
        except BackendError as error:
            self._tell(Notice(error.sentence, "warning"))
            return
        if begun and goes_on is None and session is self._session:
            self.action_new_chat()
        self._refresh_words()

    @abstractmethod
    def action_new_chat(self) -> None:
        """A fresh chat."""

    # Before and after a message

    def _may_send(self, text: str) -> bool:
        session = self._session
        if session is not None and not self.lent and self.workspace.agents.must_choose(session.chat_id):
            self._open_agents(_ASKED.format(self.assistant))
            return False
        return super()._may_send(text)

    def _tell(self, notice: Notice) -> None:
        if notice.code != NO_AGENT:
            super()._tell(notice)
            return
        again = key_name(action("retry_unsent").keys[0])
        if self.is_active and not self._typed() and self.workspace.agents.offered:
            self._open_agents(f"{notice.sentence} {again} sends your message then.")
            return
        # Somebody is writing: a list that comes up by itself would take the letters.
        key = key_name(action("choose_agent").keys[0])
        super()._tell(Notice(f"{notice.sentence} {key} lists whom you can choose.", "warning"))

    def on_agents_news(self) -> None:
        self._refresh_words()
