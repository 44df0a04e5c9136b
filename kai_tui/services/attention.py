"""What all chats of an account want of the user: which work, which wait for a decision, which ended unseen.

What ended unseen, and what waits, is noted on disk: it is still marked after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

from kai_tui.services.notice import Notice
from kai_tui.services.observers import Observers

if TYPE_CHECKING:
    from kai_tui.conversation.events import FinishReason
    from kai_tui.services.approval_service import ApprovalService
    from kai_tui.services.changes import SessionChange
    from kai_tui.services.chat_service import ChatService
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.disk_keeper import DiskKeeper
    from kai_tui.services.history_service import HistoryService

Want: TypeAlias = Literal["waiting", "failed", "new", "working"]
"""A call waits for a decision; a reply broke off; an answer nobody has looked at; a reply streams."""
Event: TypeAlias = Literal["ended", "failed", "decision", "job", "notice"]

_UNSEEN: tuple[Want, ...] = ("waiting", "failed", "new")
_ARRIVED = "Your message had arrived after all."


class ChatState(NamedTuple):
    """What one chat wants."""

    want: Want
    title: str
    """Raw."""
    decisions: int = 0
    """How many calls wait; 0 for a chat that waited when the program ended and was not opened since."""


class Happening(NamedTuple):
    """Something happened in a chat, on screen or not."""

    chat_id: str
    title: str
    """Raw."""
    event: Event
    notice: Notice | None = None


class Attention:
    """Marks of chats, and what happens in them. Observers run on the event loop's thread."""

    def __init__(
        self, chats: ChatService, approvals: ApprovalService, history: HistoryService, keeper: DiskKeeper
    ) -> None:
        self._chats = chats
        self._approvals = approvals
        self._history = history
        self._keeper = keeper
        self._unseen: dict[str, ChatState] = {}
        """What nobody has looked at, in the order it happened."""
        self._asking: dict[str, int] = {}
        """Chats that wait for decisions, the longest waiting first, and for how many."""
        self._working: dict[str, None] = {}
        self._doubtful: set[tuple[str, str]] = set()
        """(chat id, message id) of messages of which it is not known whether they arrived."""
        self._noted: dict[str, Want] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._restored = self._left = False
        self._marks: Observers[None] = Observers()
        self._happenings: Observers[Happening] = Observers()
        self.looked_at: Callable[[str], bool] = lambda chat_id: False
        """Whether the user sees the end of this chat now; set by the screen."""
        chats.hear(self._heard)
        approvals.observe(lambda _: self._questions())
        history.observe(lambda _: self._drop_deleted())

    # What the screen reads

    @property
    def states(self) -> Mapping[str, ChatState]:
        """What chats want: those that wait first, then failed, then new, then working; each the oldest first."""
        states = {
            chat_id: ChatState("waiting", self._title(chat_id), count)
            for chat_id, count in self._asking.items()
        }
        for want in _UNSEEN:
            for chat_id, state in self._unseen.items():
                if state.want == want and chat_id not in states and chat_id not in self._working:
                    states[chat_id] = state
        for chat_id in self._working:
            states.setdefault(chat_id, ChatState("working", self._title(chat_id)))
        return states

    def next_after(self, here: str | None) -> str | None:
        """The chat to go to from `here`: one that waits, else a failed one, else one with something new."""
        states = {key: state.want for key, state in self.states.items() if state.want != "working"}
        for want in _UNSEEN:
            group = [chat_id for chat_id, each in states.items() if each == want]
            if here in group and len(group) > 1:
                return group[(group.index(here) + 1) % len(group)]
            others = [chat_id for chat_id in group if chat_id != here]
            if others:
                return others[0]
        return None

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear when `states` may be different; call the result to stop hearing."""
        return self._marks.add(callback)

    def on_happening(self, callback: Callable[[Happening], None]) -> Callable[[], None]:
        """Hear what happens in any chat; call the result to stop hearing."""
        return self._happenings.add(callback)

    def running(self) -> list[ChatState]:
        """Chats that would be left in the middle: those that wait for a decision, then those that work."""
        return [state for state in self.states.values() if state.decisions or state.want == "working"]

    # What the user does

    def job_ended(self, session: ChatSession, notice: Notice) -> None:
        """A job that a chat started has ended. It marks the chat unless somebody sees it end."""
        chat_id = session.chat_id
        if self._left:
            return
        if not self.looked_at(chat_id):
            bad = notice.severity == "error" or self._unseen.get(chat_id, _NOTHING).want == "failed"
            self._unseen.pop(chat_id, None)
            self._unseen[chat_id] = ChatState("failed" if bad else "new", session.title)
            self._changed(chat_id)
        self._tell(Happening(chat_id, session.title, "job", notice))

    def seen(self, chat_id: str) -> None:
        """The user saw the end of this chat."""
        if self._unseen.pop(chat_id, None) is not None:
            self._changed(chat_id)

    def waits_no_more(self, chat_id: str) -> None:
        """What waited in this chat in an earlier run is settled or gone: it has news, and no question."""
        state = self._unseen.get(chat_id)
        if state is not None and state.want == "waiting" and chat_id not in self._asking:
            del self._unseen[chat_id]
            if not self.looked_at(chat_id):
                self._unseen[chat_id] = ChatState("new", self._title(chat_id) or state.title)
            self._changed(chat_id)

    # The account opens and closes

    async def restore(self) -> None:
        """Marks of an earlier run, once. Never raises."""
        if self._restored:
            return
        self._restored = True
        for chat_id, note in (await self._keeper.unseen()).items():
            if not isinstance(note, dict):
                continue
            fields = cast("Mapping[str, Any]", note)
            want, title = fields.get("want"), fields.get("title")
            if want in _UNSEEN and chat_id not in self._unseen and not self._history.is_deleted(chat_id):
                self._noted[chat_id] = want
                if not self.looked_at(chat_id) and chat_id not in self._chats.sessions:
                    self._unseen[chat_id] = ChatState(want, title if isinstance(title, str) else "")
                self._changed(chat_id)

    def leave(self) -> None:
        """The account is left: replies that run in chats nobody looks at end unseen; what waits goes on waiting."""
        if self._left:
            return
        self._left = True
        for chat_id in list(self._working):
            if chat_id not in self._asking and not self.looked_at(chat_id):
                self._unseen[chat_id] = ChatState("failed", self._title(chat_id))
                self._keep_note(chat_id, "failed")

    async def aclose(self) -> None:
        """All notes are on disk."""
        while self._writing:
            await asyncio.gather(*self._writing, return_exceptions=True)
            await asyncio.sleep(0)

    # News

    def _heard(self, session: ChatSession, change: SessionChange) -> None:
        from kai_tui.services.changes import MessageChanged, TitleChanged, TurnChanged, TurnEnded

        if self._left:
            return
        chat_id = session.chat_id
        match change:
            case TurnEnded(reason):
                # What waits in the queue begins in this same round: the chat goes on then.
                asyncio.get_running_loop().call_soon(self._ended, session, reason)
                self._work(session)
            case TurnChanged():
                self._work(session)
            case TitleChanged(title):
                if chat_id in self._unseen:
                    before = self._unseen[chat_id]
                    self._unseen[chat_id] = ChatState(before.want, title, before.decisions)
                    self._noted.pop(chat_id, None)
                if chat_id in self.states:
                    self._changed(chat_id)
            case Notice() as notice:
                if notice.code == "news" and not self.looked_at(chat_id) and chat_id not in self._unseen:
                    self._unseen[chat_id] = ChatState("new", session.title)
                    self._changed(chat_id)
                self._tell(Happening(chat_id, session.title, "notice", notice))
            case MessageChanged(message_id):
                self._delivery(session, message_id)
            case _:
                pass

    def _work(self, session: ChatSession) -> None:
        chat_id = session.chat_id
        busy = session.turn.busy
        if busy == (chat_id in self._working):
            return
        if busy:
            self._working[chat_id] = None
            self._unseen.pop(chat_id, None)
        else:
            del self._working[chat_id]
        self._changed(chat_id)

    def _ended(self, session: ChatSession, reason: FinishReason) -> None:
        chat_id = session.chat_id
        if self._left or self._chats.sessions.get(chat_id) is not session or session.turn.busy:
            return
        if reason == "cancelled":
            return  # the user's own doing
        bad = reason in ("error", "lost")
        if not self.looked_at(chat_id):
            # A job of it may have failed meanwhile.
            before = self._unseen.pop(chat_id, _NOTHING).want
            want: Want = "failed" if bad or before == "failed" else "new"
            self._unseen[chat_id] = ChatState(want, session.title)
            self._changed(chat_id)
        self._tell(Happening(chat_id, session.title, "failed" if bad else "ended"))

    def _delivery(self, session: ChatSession, message_id: str) -> None:
        key, state = (session.chat_id, message_id), session.delivery(message_id)
        if state == "unsure":
            self._doubtful.add(key)
        elif key in self._doubtful:
            self._doubtful.discard(key)
            if state == "sent":
                self._tell(Happening(session.chat_id, session.title, "notice", Notice(_ARRIVED)))

    def _questions(self) -> None:
        counts: dict[str, int] = {}
        for each in self._approvals.pending:
            counts[each.chat_id] = counts.get(each.chat_id, 0) + 1
        if self._left or counts == self._asking:
            return
        before = self._asking
        # Who waits keeps its place; those who came stand behind.
        kept = {chat_id: counts[chat_id] for chat_id in before if chat_id in counts}
        self._asking = kept | counts
        for chat_id in counts.keys() | before.keys():
            if chat_id in counts and self._unseen.get(chat_id, _NOTHING).want == "waiting":
                del self._unseen[chat_id]
            self._changed(chat_id)
        for chat_id in counts:
            if chat_id not in before:
                self._tell(Happening(chat_id, self._title(chat_id), "decision"))

    def _drop_deleted(self) -> None:
        for chat_id in [each for each in self._unseen if self._history.is_gone(each)]:
            del self._unseen[chat_id]
            self._changed(chat_id)

    # Telling and keeping

    def _changed(self, chat_id: str) -> None:
        state = self.states.get(chat_id)
        if state is None:
            self._history.let_go(chat_id)
        else:
            self._history.keep_at_hand(chat_id, state.title)
        self._keep_note(chat_id, state.want if state is not None and state.want in _UNSEEN else None)
        self._marks.tell(None)

    def _keep_note(self, chat_id: str, want: Want | None) -> None:
        if self._noted.get(chat_id) == want or self._history.is_deleted(chat_id):
            return
        if want is None:
            del self._noted[chat_id]
        else:
            self._noted[chat_id] = want
        note = {"want": want, "title": self._title(chat_id)} if want is not None else None
        task = asyncio.get_running_loop().create_task(self._keeper.keep_note(chat_id, "unseen", note))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _tell(self, happening: Happening) -> None:
        self._happenings.tell(happening)

    def _title(self, chat_id: str) -> str:
        session = self._chats.sessions.get(chat_id)
        if session is not None:
            return session.title
        state = self._unseen.get(chat_id)
        return state.title if state is not None else ""


_NOTHING = ChatState("working", "")


def in_words(states: Iterable[ChatState]) -> str:
    """`2 other chats: 1 waits, 1 new`; empty when there are none."""
    counts: dict[Want, int] = {}
    for state in states:
        counts[state.want] = counts.get(state.want, 0) + 1
    total = sum(counts.values())
    if not total:
        return ""
    words = {
        "waiting": ("waits", "wait"),
        "failed": ("failed", "failed"),
        "new": ("new", "new"),
        "working": ("works", "work"),
    }
    parts = [
        f"{counts[want]} {words[want][counts[want] > 1]}"
        for want in ("waiting", "failed", "new", "working")
        if want in counts
    ]
    return f"{total} other {'chat' if total == 1 else 'chats'}: {', '.join(parts)}"
