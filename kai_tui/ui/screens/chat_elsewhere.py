"""The chats that are not on screen: their marks in the list, what they say, and the way to them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING

from textual import events
from textual.notifications import SeverityLevel
from textual.timer import Timer

from kai_tui.services.attention import in_words
from kai_tui.services.notice import Notice
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.bridge import HappeningNews
from kai_tui.ui.screens.chat_part import ChatPart

if TYPE_CHECKING:
    from kai_tui.services.attention import Happening
    from kai_tui.services.chat_session import ChatSession

MARKS_SECONDS = 1.0
"""The marks are painted at most this often, however much the chats do."""
SAME_SECONDS = 5.0
"""A chat says the same kind of thing at most this often."""
TOAST_SECONDS: Mapping[SeverityLevel, float] = {"information": 5.0, "warning": 14.0, "error": 14.0}
"""Short where the mark in the list says the same: a toast covers the prompt in a narrow window."""
DIALOG_SECONDS = 0.5
"""How long a question may take to come up by itself."""


class ChatElsewhere(ChatPart):
    """Marks, toasts and F9. Knows whether the chat on screen is really looked at."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._marks_timer: Timer | None = None
        self._painted = float("-inf")
        self._gone = False
        """Whether the account was left: what still comes is not drawn."""
        self._said: dict[tuple[str, str], float] = {}
        self._unsaid: dict[tuple[str, str], Happening] = {}
        self._beckoned: list[tuple[str, float]] = []
        """Chats of toasts that may still be up, and until when; the newest last."""

    # Whether this chat is looked at

    def on_mount(self) -> None:
        self.workspace.attention.looked_at = self._looks_at

    def _looks_at(self, chat_id: str) -> bool:
        session = self._session
        return (
            session is not None
            and session.chat_id == chat_id
            and self.is_current
            and self._transcript.follow
            and self._somebody_here()
        )

    @abstractmethod
    def _somebody_here(self) -> bool:
        """Whether somebody is at this terminal."""

    def look(self) -> None:
        """The user may see the end of the chat on screen now."""
        session = self._session
        if session is not None and self._looks_at(session.chat_id):
            self.workspace.attention.seen(session.chat_id)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        self.look()

    # Marks

    def on_attention_news(self) -> None:
        if self._gone:
            return
        self.look()
        if self._marks_timer is None:
            wait = self._painted + MARKS_SECONDS - monotonic()
            if wait > 0:
                self._marks_timer = self.set_timer(wait, self._paint_marks)
            else:
                self._paint_marks()

    def _paint_marks(self) -> None:
        self._marks_timer = None
        self._painted = monotonic()
        states = self.workspace.attention.states
        self._sidebar.show_marks({chat_id: (each.want, each.decisions) for chat_id, each in states.items()})
        self._refresh_words()

    def _others_in_words(self) -> str:
        if not self.has_class("-no-chats"):
            return ""
        here = self._session.chat_id if self._session is not None else self._opening
        states = self.workspace.attention.states
        return in_words(each for chat_id, each in states.items() if chat_id != here)

    # What they say

    def on_happening_news(self, message: HappeningNews) -> None:
        happening = message.happening
        if happening.event == "decision":
            # The question comes up by itself, unless another one is being answered.
            self.set_timer(DIALOG_SECONDS, lambda: self._tell_decision(happening))
        else:
            self._tell_of(happening)

    def _tell_decision(self, happening: Happening) -> None:
        state = self.workspace.attention.states.get(happening.chat_id)
        if state is None or not state.decisions:
            return
        if not self._desk.shows(happening.chat_id) and not self._desk.waits_for_typing:
            self._tell_of(happening)

    def _tell_of(self, happening: Happening) -> None:
        if self._gone or self._is_shown(happening.chat_id):
            return
        key = _kind(happening)
        now = monotonic()
        left = self._said.get(key, float("-inf")) + SAME_SECONDS - now
        if left <= 0:
            self._said[key] = now
            self._toast(happening)
        elif happening.event in ("notice", "job"):
            # The newest of several is said when its turn comes: it may be another one.
            if key not in self._unsaid:
                self.set_timer(left, lambda: self._tell_of(self._unsaid.pop(key)))
            self._unsaid[key] = happening

    def _toast(self, happening: Happening) -> None:
        from kai_tui.conversation.safe_text import safe_line, safe_prose

        notice = happening.notice or _NOTICES[happening.event]
        severity = _severity(notice)
        seconds = TOAST_SECONDS[severity]
        self._beckoned.append((happening.chat_id, monotonic() + seconds))
        # A refused token asks for a new one by itself, whichever chat it was used in.
        sentence = safe_prose(notice.sentence) + f"\n{key_name(action('next_wanting').keys[0])} goes there."
        self.notify(
            sentence,
            title=f"In “{safe_line(happening.title.strip(), 40) or 'another chat'}”",
            severity=severity,
            timeout=seconds,
            markup=False,
        )

    def _is_shown(self, chat_id: str) -> bool:
        here = self._session.chat_id if self._session is not None else self._opening
        return chat_id == here

    # The way to them

    def action_next_wanting(self) -> None:
        """To the chat of the newest toast, else to one that waits, failed or has something new."""
        here = self._session.chat_id if self._session is not None else self._opening
        chat_id = self._beckoning() or self.workspace.attention.next_after(here)
        if chat_id is not None:
            self._go_to(chat_id)
        elif self._session is not None and self._session.pending_calls():
            answer = key_name(action("review_waiting").keys[0])
            self._tell(Notice(f"Only this chat waits for you. {answer} opens its question."))
        else:
            self._tell(Notice("No other chat wants anything of you."))

    def _beckoning(self) -> str | None:
        while self._beckoned:
            chat_id, until = self._beckoned.pop()
            gone = self.workspace.history.is_deleted(chat_id)
            if until > monotonic() and not gone and not self._is_shown(chat_id):
                return chat_id
        return None

    def _go_to(self, chat_id: str) -> None:
        self._hide_overlay()
        self.set_focus(self._composer)
        self.run_worker(self._open(chat_id), group="open", exclusive=True, exit_on_error=False)

    @abstractmethod
    async def _open(self, chat_id: str) -> None:
        """Bring a chat on screen."""

    def _seen_by(self, session: ChatSession | None) -> None:
        """The account is left while this chat is on screen."""
        self._gone = True
        if self._marks_timer is not None:
            self._marks_timer.stop()
        here = session.chat_id if session is not None else None
        self.workspace.attention.looked_at = lambda chat_id: chat_id == here


def _severity(notice: Notice) -> SeverityLevel:
    return notice.severity if notice.severity in ("warning", "error") else "information"


def _kind(happening: Happening) -> tuple[str, str]:
    """Of which there is one toast at a time. A refused token is told once for all chats."""
    notice = happening.notice
    if notice is None:
        return (happening.chat_id, "error" if happening.event == "failed" else happening.event)
    if notice.code == "sign-in":
        return ("", "sign-in")
    return (
        happening.chat_id,
        notice.severity if notice.severity == "error" else notice.code or notice.severity,
    )


_NOTICES = {
    "ended": Notice("The reply ended."),
    "failed": Notice("The reply broke off. What came is kept.", "error"),
    "decision": Notice("The assistant needs a decision here too.", "warning"),
}
