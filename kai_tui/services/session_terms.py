"""What holds for one chat from its first message on, and what its messages are about (kai.md §4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from kai_tui.backends.base import Chat, ChatTerms, Outgoing
from kai_tui.services.changes import TermsChanged
from kai_tui.services.session_switch import SessionSwitch
from kai_tui.services.terms import KnownTerms, path_noted, paths_noted, terms_noted, visibility_of


class SessionTerms(SessionSwitch):
    """Visibility, read-only and the object a chat is about. On disk at once; restored with the chat."""

    _terms_kept: bool = False
    """Whether there is a note about the terms."""

    @property
    def terms_decided(self) -> bool:
        """Whether the first message is (or may be) on the server: later ones change nothing."""
        return self.stored or any(self._deliveries.get(message.id) != "not-sent" for message in self.messages)

    def set_terms(self, terms: ChatTerms) -> bool:
        """Choose what holds for this chat; False when its first message has decided that already."""
        if self.terms_decided:
            return False
        self.terms = terms
        self.known_terms = KnownTerms(terms.visibility, terms.read_only)
        self._keep_terms()
        self._tell(TermsChanged())
        return True

    def set_context(self, path: str | None) -> None:
        """The messages from now on are about this page of the web interface; None: about nothing."""
        if path == self.context_path:
            return
        self.context_path = path
        self._keep_contexts()
        self._tell(TermsChanged())

    def restore(self, notes: Mapping[str, Any], *, visibility: str = "", unsent: Iterable[str] = ()) -> None:
        """Take over what was noted about the chat. `visibility`: the server's word, which wins over ours.

        `unsent`: ids of messages of an earlier run that may not have arrived.
        """
        self.restore_tokens(notes.get("usage"))
        self._restore_switch(notes.get("read-only"))
        self.restore_jobs(notes.get("jobs"))
        self.restore_before(notes.get("before"))
        noted = terms_noted(notes.get("terms"))
        theirs = visibility_of(visibility)
        self._terms_kept = noted is not None
        self.known_terms = KnownTerms(
            theirs or (noted.visibility if noted is not None else None),
            noted.read_only if noted is not None else None,
        )
        self.terms = noted or ChatTerms()
        if theirs is not None:
            self.terms = replace(self.terms, visibility=theirs)
        about = notes.get("about")
        self.context_path = path_noted(about)
        paths = paths_noted(about)
        self._contexts = {message_id: paths.get(message_id) for message_id in unsent}

    def take_over(self, notes: Mapping[str, Any]) -> None:
        """What was chosen for a chat that never began holds for this new one, which takes its draft."""
        noted = terms_noted(notes.get("terms"))
        if noted is not None:
            self.set_terms(noted)
        if notes.get("read-only") is True:
            self.switch_read_only(True)
        path = path_noted(notes.get("about"))
        if path is not None:
            self.set_context(path)

    def refresh(self, chat: Chat, *, final: bool = True) -> None:
        """Show the chat as the server has it now, with its word on who may read it."""
        theirs = visibility_of(chat.summary.visibility)
        if theirs is not None and theirs != self.known_terms.visibility:
            self.terms = replace(self.terms, visibility=theirs)
            self.known_terms = replace(self.known_terms, visibility=theirs)
            self._tell(TermsChanged())
        super().refresh(chat, final=final)

    # What turns do

    def _written(self, message_id: str) -> None:
        """A message was written now: it is about what the chat is about now, however long it waits."""
        if message_id not in self._contexts:
            self._contexts[message_id] = self.context_path
            if self.context_path is not None:
                # Before the outbox row, which is made next: a restart finds both or only this.
                self._keep_contexts()

    def _outgoing(self, message_id: str, text: str) -> Outgoing:
        """A message as it is sent in this chat."""
        self._written(message_id)
        return Outgoing(message_id, text, context_path=self._contexts[message_id], terms=self.terms)

    def _decide_terms(self) -> None:
        """A message is sent: its terms hold. Noted even when usual, so that they can be told later."""
        if not self._terms_kept and self.known_terms.read_only is not None:
            self._keep_terms()

    async def _settle(self, message_id: str) -> None:
        await super()._settle(message_id)
        if self._deliveries.get(message_id) == "sent" and self._contexts.pop(message_id, None) is not None:
            self._keep_contexts()

    def _keep_terms(self) -> None:
        self._terms_kept = True
        self._in_background(self._tools.keeper.keep_note(self.chat_id, "terms", asdict(self.terms)))

    def _keep_contexts(self) -> None:
        paths = {message_id: path for message_id, path in self._contexts.items() if path is not None}
        note = {"path": self.context_path, "messages": paths} if self.context_path or paths else None
        self._in_background(self._tools.keeper.keep_note(self.chat_id, "about", note))
