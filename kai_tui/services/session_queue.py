"""Messages that wait for the running turn to end; the oldest goes first, always.

After a turn that ended badly, and after a restart, they wait for a word of the user: what they were
meant to follow may not have happened.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kai_tui.backends.base import Outgoing
from kai_tui.conversation.events import FinishReason
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import Notice, QueueChanged
from kai_tui.services.session_left_open import SessionLeftOpen
from kai_tui.services.session_state import SessionTools
from kai_tui.services.turn import ENDED_WELL, Queued


class SessionQueue(SessionLeftOpen):
    """The type-ahead queue of one chat. Every change of it is on disk at once (P6)."""

    def __init__(
        self, chat_id: str, tools: SessionTools, *, title: str, messages: Iterable[Message], stored: bool
    ) -> None:
        super().__init__(chat_id, tools, title=title, messages=messages, stored=stored)
        self._held: set[object] = set()

    @property
    def queue_paused(self) -> bool:
        """Whether the oldest waiting message waits for a word of the user."""
        return bool(self.queue) and self.queue[0].paused

    def enqueue(self, text: str, *, quietly: bool = False) -> None:
        """Let a message wait behind all others; `quietly`: the user knows why. Blank text is ignored."""
        if not text.strip():
            return
        waiting = Queued(str(uuid.uuid4()), text)
        self._written(waiting.id)
        self.queue.append(waiting)
        if quietly:
            pass
        elif self.turn.phase == "waiting-for-approval":
            self._tell(Notice("The assistant waits for your decision. Your message is sent after it."))
        elif not self.turn.busy:
            self._tell(Notice("Older messages wait before it. Enter on the empty prompt sends the first."))
        self._queue_changed()
        if quietly:
            self._go_on()

    def send_next(self) -> bool:
        """Send the oldest waiting message now. False while a turn runs and when nothing waits."""
        if self.turn.busy or not self.queue or self._held:
            return False
        following = self.queue.pop(0)
        # First the message as one that is being sent, then the rest: it is never in neither.
        self._begin(self._outgoing(following.id, following.text))
        self._queue_changed()
        return True

    def resume_queue(self) -> None:
        """Let all waiting messages go by themselves again, one after each turn."""
        self.queue[:] = [replace(each, paused=False) for each in self.queue]
        self._queue_changed()
        self._go_on()

    def pause_queue(self) -> None:
        """Let all waiting messages wait for a word of the user."""
        self.queue[:] = [replace(each, paused=True) for each in self.queue]
        self._queue_changed()

    def hold_queue(self, holder: object) -> None:
        """Send nothing that waits until `release_queue`: somebody looks at it or changes it."""
        self._held.add(holder)

    def release_queue(self, holder: object) -> None:
        """`holder` is done. What may go by itself goes now."""
        self._held.discard(holder)
        self._go_on()

    def take_newest(self) -> str | None:
        """Take the newest waiting message back; None when nothing waits."""
        if not self.queue:
            return None
        taken = self.queue.pop()
        self._back_to_draft(taken.id)
        self._queue_changed()
        return taken.text

    def edit_queued(self, message_id: str, text: str) -> bool:
        """Change a waiting message in its place (its id may change, too); a blank text removes it. False when it does not wait any more."""
        place = self._place_of(message_id)
        if place is None:
            return False
        if text.strip():
            self.queue[place] = replace(self.queue[place], text=text, id=self._id_for_other_words(message_id))
        else:
            del self.queue[place]
        self._queue_changed()
        return True

    def _id_for_other_words(self, message_id: str) -> str:
        """A message that may have arrived under its id keeps that for what it said then: the new words are another."""
        if message_id not in self._doubted:
            return message_id
        fresh = str(uuid.uuid4())
        self._go_with(fresh, self.goes_with(message_id))
        self._contexts[fresh] = self._contexts.get(message_id)
        if self._contexts[fresh] is not None:
            self._keep_contexts()
        return fresh

    def remove_queued(self, message_id: str) -> tuple[int, Queued] | None:
        """Take a message out; its place and itself, for `put_back`. None when it does not wait any more."""
        place = self._place_of(message_id)
        if place is None:
            return None
        removed = self.queue.pop(place)
        self._queue_changed()
        return place, removed

    def put_back(self, place: int, removed: Queued) -> None:
        """Undo `remove_queued`."""
        self.queue.insert(min(place, len(self.queue)), removed)
        self._queue_changed()

    def move_queued(self, message_id: str, by: int) -> None:
        """Let a message go earlier (-1) or later (1)."""
        place = self._place_of(message_id)
        if place is None or not 0 <= place + by < len(self.queue):
            return
        moved = self.queue.pop(place)
        self.queue.insert(place + by, moved)
        self._queue_changed()

    def restore_queue(self, waiting: Sequence[tuple[str, str]]) -> None:
        """(message id, text) of what waited when the program ended; waits on, for a word of the user."""
        known = {each.id for each in self.queue}
        left = [
            Queued(message_id, text, paused=True)
            for message_id, text in waiting
            if message_id not in known and self.find(message_id) is None
        ]
        if left or any(self.find(message_id) is not None for message_id, _ in waiting):
            self.queue[:0] = left
            # A disk that was full may have kept one of them here that was sent.
            self._doubted.update(each.id for each in left)
            self._queue_changed()

    # What turns do to it

    def _turn_over(self, reason: FinishReason) -> None:
        if self.queue and reason not in ENDED_WELL:
            self.pause_queue()
        self._go_on()

    def _hold_back(self, outgoing: Outgoing) -> None:
        self.queue.insert(0, Queued(outgoing.message_id, outgoing.text))
        self._queue_changed()

    def _go_on(self) -> None:
        # Outside of a turn only a question whose stream was lost is pending: its answer comes first.
        if not self.queue_paused and not self._closing and not self.pending_calls():
            self.send_next()

    def _place_of(self, message_id: str) -> int | None:
        return next((place for place, each in enumerate(self.queue) if each.id == message_id), None)

    def _queue_changed(self) -> None:
        waiting = [(each.id, each.text) for each in self.queue]
        self._in_background(self._tools.keeper.keep_queue(self.chat_id, waiting))
        self._tell(QueueChanged())
