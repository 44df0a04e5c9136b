"""What goes with the messages of one chat: chosen for the next one, kept with each until it has arrived.

On disk at once, like the words (P6): a restart, the queue, a retry and other words for the same question
lose none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kai_tui.backends.base import Backend, BackendError, Outgoing, Unsupported
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessageChanged, MessagesReset, TermsChanged, TurnChanged
from kai_tui.services.session_state import SessionTools
from kai_tui.services.session_terms import SessionTerms

if TYPE_CHECKING:
    from kai_tui.backends.base import Attachment
    from kai_tui.services.enclosures import Enclosure


class SessionEnclosures(SessionTerms):
    """Files and addresses beside the words."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self.enclosed: tuple[Enclosure, ...] = ()
        """What goes with the next message."""
        self._enclosures: dict[str, tuple[Enclosure, ...]] = {}
        """What goes with messages that were written and have not arrived, by their ids."""

    # What the user does

    def enclose(self, *more: Enclosure) -> None:
        """Let these go with the next message, too."""
        self.use_enclosures((*self.enclosed, *more))

    def take_out(self, enclosure: Enclosure) -> None:
        """The next message goes without it."""
        self.use_enclosures(tuple(each for each in self.enclosed if each is not enclosure))

    def goes_with(self, message_id: str) -> tuple[Enclosure, ...]:
        """What goes with a message that has not arrived."""
        return self._enclosures.get(message_id, ())

    def use_enclosures(self, enclosed: tuple[Enclosure, ...]) -> None:
        """Let just these go with the next message."""
        if enclosed != self.enclosed:
            self.enclosed = enclosed
            self._keep_enclosures()
            self._tell(TermsChanged())

    # On disk

    def restore(self, notes: Mapping[str, Any], *, visibility: str = "", unsent: Iterable[str] = ()) -> None:
        """Take over what was noted about the chat."""
        unsent = list(unsent)
        super().restore(notes, visibility=visibility, unsent=unsent)
        note = notes.get("enclosed")
        if note is None:
            return
        from kai_tui.services.enclosures import draft_noted, messages_noted

        self.enclosed = draft_noted(note)
        noted = messages_noted(note)
        self._enclosures = {message_id: noted[message_id] for message_id in unsent if message_id in noted}

    def take_over(self, notes: Mapping[str, Any]) -> None:
        """What was chosen for a chat that never began holds for this new one, which takes its draft."""
        super().take_over(notes)
        if notes.get("enclosed") is not None:
            from kai_tui.services.enclosures import draft_noted

            self.use_enclosures((*draft_noted(notes.get("enclosed")), *self.enclosed))

    def _keep_enclosures(self) -> None:
        from kai_tui.services.enclosures import note_of

        note = note_of(self.enclosed, self._enclosures)
        self._in_background(self._tools.keeper.keep_note(self.chat_id, "enclosed", note))

    # What turns do

    def _written(self, message_id: str) -> None:
        super()._written(message_id)
        if message_id not in self._enclosures:
            self._enclosures[message_id] = self.enclosed
            if self.enclosed:
                # Before the outbox row, which is made next: a restart finds both or only this.
                self.enclosed = ()
                self._keep_enclosures()
                self._tell(TermsChanged())

    def _go_with(self, message_id: str, enclosures: tuple[Enclosure, ...]) -> None:
        """A message takes the place of another one, with what went with that."""
        self._enclosures[message_id] = enclosures
        if enclosures:
            self._keep_enclosures()

    def _back_to_draft(self, message_id: str) -> None:
        """The words of a message go back into the prompt: so does what goes with it."""
        back = self._enclosures.pop(message_id, ())
        if back:
            self.enclosed = (*back, *self.enclosed)
            self._keep_enclosures()
            self._tell(TermsChanged())

    def take_back(self, message_id: str) -> str:
        text = super().take_back(message_id)
        if text and self._enclosures.pop(message_id, None):
            self._keep_enclosures()
        return text

    def _new_message(self, outgoing: Outgoing) -> Message:
        """A message of the user as it is shown from now on."""
        message = Message.user(outgoing.message_id, outgoing.text, about=outgoing.context_path)
        enclosures = self.goes_with(message.id)
        if enclosures:
            from kai_tui.services.enclosures import put_into

            put_into(message, enclosures)
        return message

    async def _with_enclosures(self, run: object, backend: Backend, outgoing: Outgoing) -> Outgoing:
        """The message with what goes along, made ready now. Raises BackendError: nothing was sent then."""
        enclosures = self.goes_with(outgoing.message_id)
        if not enclosures:
            return outgoing
        from kai_tui.services.enclosures import of_attachment, ready

        if backend.attachments is None or not self._caps(backend).attachments:
            raise Unsupported("No files can go with a message here. Write it again without them.")
        found: list[Attachment] = []
        kept: list[Enclosure] = []
        for each in enclosures:
            if each.local:
                self._status = f"Making {each.name} ready…"
                self._tell(TurnChanged())
            try:
                attachment = await ready(each, backend.attachments)
            except BackendError as error:
                error.delivery = "not-sent"  # of the message
                raise
            found.append(attachment)
            # What the server has by now is not stored there again when the message goes once more.
            inside = attachment.url.startswith("data:")
            kept.append(each if inside else replace(of_attachment(attachment), name=each.name))
            self._show_sent(outgoing.message_id, [*map(of_attachment, found), *enclosures[len(found) :]])
        self._status = None
        if tuple(kept) != enclosures:
            self._go_with(outgoing.message_id, tuple(kept))
        return replace(outgoing, attachments=tuple(found))

    def _show_sent(self, message_id: str, enclosures: Iterable[Enclosure]) -> None:
        from kai_tui.services.enclosures import put_into

        message = self.find(message_id)
        if message is not None:
            put_into(message, enclosures)
            self._tell(MessageChanged(message_id))

    async def _settle(self, message_id: str) -> None:
        await super()._settle(message_id)
        if self._deliveries.get(message_id) == "sent" and self._enclosures.pop(message_id, None):
            self._keep_enclosures()

    def add_unsent(self, message_id: str, text: str, state: Any, why: str) -> None:
        super().add_unsent(message_id, text, state, why)
        message, enclosures = self.find(message_id), self.goes_with(message_id)
        if message is not None and enclosures:
            from kai_tui.services.enclosures import put_into

            put_into(message, enclosures)
            self._tell(MessagesReset())
