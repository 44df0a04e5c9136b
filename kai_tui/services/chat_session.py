"""One open chat: its messages, its running turn and the turn's state machine (design.md §4)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable

from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessagesReset, Notice
from kai_tui.services.keeper import ForgetfulKeeper
from kai_tui.services.session_asked_before import SessionAskedBefore
from kai_tui.services.session_rewrites import SessionRewrites
from kai_tui.services.session_running import SessionRunning
from kai_tui.services.session_state import NEW_CHAT_TITLE, SessionTools
from kai_tui.services.session_taking_up import SessionTakingUp
from kai_tui.services.session_written import SessionWritten

_STOPPED = Finish("cancelled", detail="Stopped before the reply was seen. This is what the server had of it.")


class ChatSession(SessionTakingUp, SessionRewrites, SessionAskedBefore, SessionRunning, SessionWritten):
    """State and effects of one chat. Public attributes are read by the screen, changed only here."""

    def __init__(
        self,
        chat_id: str,
        tools: SessionTools,
        *,
        title: str = NEW_CHAT_TITLE,
        messages: Iterable[Message] = (),
        stored: bool = False,
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)

    # What the user does

    def send(self, text: str) -> None:
        """Send a message, or queue it while a turn runs or older ones wait. Returns at once. Blank text is ignored."""
        if not text.strip():
            return
        if self.turn.busy or self.queue:
            self.enqueue(text)
            return
        self._begin(self._outgoing(str(uuid.uuid4()), self._first_words(text)))

    def retry(self, message_id: str) -> None:
        """Send a not-sent message again, with the same message id (N10); check an unsure one first, where that
        can be checked."""
        message = self.find(message_id)
        state = self._deliveries.get(message_id)
        if message is None or self.turn.busy:
            return
        if state == "unsure" and not self.kept_here:
            self._look_up(self._check_again(message_id))
        elif state in ("not-sent", "unsure"):
            self.messages.remove(message)
            # It stands where it is sent now; until it arrives it is in the outbox.
            self._in_background(self._tools.keeper.drop_message(self.chat_id, message_id))
            self._tell(MessagesReset())
            self._begin(self._outgoing(message_id, message.text), message)

    def stop(self) -> None:
        """Stop the running reply within 250 ms; what came stays (P10)."""
        if not self.turn.busy:
            return
        if self.give_up_left_open():
            return
        if self._round is not None:
            self._tell(Notice("Approve or deny the request first: it is the assistant that waits for you."))
            return
        self._break_off(
            Finish("cancelled", detail=None if self.kept_here else self.may_go_on),
            "Stopped before the server answered.",
            _STOPPED,
        )

    # What the service does

    async def aclose(self, *, keep: bool = True) -> None:
        """Stop the turn and keep what came; without `keep` nothing (more) is kept: the chat was deleted."""
        self._closing = True
        self._nudged.set()
        self._nudged.set()
        if not keep:
            self._tools = self._tools._replace(keeper=ForgetfulKeeper())
        if self._round is not None:
            # It waits for the user, and goes on doing so when the chat is opened again.
            self._run = None
            self._forget_questions()
            self._set_phase("finished")
        elif self.turn.busy:
            self.stop()
        self._forget_questions()
        self._checkpoints.stop()
        for task in self._lookups if keep else self._background:
            task.cancel()
        if self._task is not None:
            self._background.add(self._task)
            self._task.add_done_callback(self._over)
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)
            # Tasks that are done leave the set in the loop's next round, and from Python 3.12 on gathering
            # only such tasks does not wait for it.
            await asyncio.sleep(0)
