"""Tells the desktop that a reply ended or a decision is needed, when nobody looks at that chat.

Never more than one announcement in five seconds; what happens meanwhile is said together, if it still
holds by then. Only the chat's title leaves the program, never what was written in it: notifications
stand on lock screens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import App
from textual.timer import Timer

if TYPE_CHECKING:
    from kai_tui.services.attention import Attention, Happening
    from kai_tui.services.preferences import Preferences
    from kai_tui.ui.terminal.announce import Announcement
    from kai_tui.ui.terminal.attendance import Attendance

QUIET_SECONDS = 5.0
TITLE_LENGTH = 70


class Notifier:
    """Follows one account at a time."""

    def __init__(
        self,
        app: App[object],
        preferences: Preferences,
        attendance: Attendance,
        announce: Callable[[Announcement], None],
        *,
        on_screen: Callable[[], str | None],
        clock: Callable[[], float] = monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`on_screen` gives the id of the chat that is shown."""
        self._app = app
        self._preferences = preferences
        self._attendance = attendance
        self._announce = announce
        self._on_screen = on_screen
        self._clock = clock
        self._environ = environ
        self._attention: Attention | None = None
        self._leave: Callable[[], None] | None = None
        self._due: dict[str, Happening] = {}
        """The newest that happened in a chat and was not said, the oldest first."""
        self._timer: Timer | None = None
        self._last = float("-inf")
        self._when_on = "auto"

    def watch(self, attention: Attention | None) -> None:
        """Follow another account."""
        if self._leave is not None:
            self._leave()
        self._attention = attention
        self._due.clear()
        self._leave = attention.on_happening(self._heard) if attention is not None else None

    @property
    def words(self) -> str:
        """Whether they are on, in a word or two."""
        setting = self._preferences.notify
        return {"auto": "on", "off": "off"}.get(setting, f"on ({setting})")

    def toggle(self) -> bool:
        """Off, or on again the way they were; remembered. Whether they are on now."""
        before = self._preferences.notify
        if before == "off":
            self._preferences.set("notify", self._when_on)
            return True
        self._when_on = before
        self._preferences.set("notify", "off")
        return False

    def _heard(self, happening: Happening) -> None:
        if happening.event == "notice" or self._preferences.notify == "off" or self._looked_at(happening):
            return
        self._due[happening.chat_id] = happening
        # Called from tasks of the services: act in the app's own task.
        self._app.call_later(self._consider)

    def _looked_at(self, happening: Happening) -> bool:
        return self._attendance.here and self._on_screen() == happening.chat_id

    def _consider(self) -> None:
        if not self._due or self._timer is not None:
            return
        wait = self._last + QUIET_SECONDS - self._clock()
        if wait > 0:
            self._timer = self._app.set_timer(wait, self._waited)
            return
        due = [each for each in self._due.values() if self._holds(each)]
        self._due.clear()
        if due:
            self._last = self._clock()
            self._app.run_worker(self._say(sentence(due)), group="announce", exit_on_error=False)

    def _waited(self) -> None:
        self._timer = None
        self._consider()

    def _holds(self, happening: Happening) -> bool:
        """Whether it still is so, and still nobody saw it."""
        if self._attention is None or self._preferences.notify == "off" or self._looked_at(happening):
            return False
        state = self._attention.states.get(happening.chat_id)
        wanted = {"ended": ("new",), "failed": ("failed",), "decision": (), "job": ("new", "failed")}
        return state is not None and (state.want in wanted[happening.event] or state.want == "waiting")

    async def _say(self, text: str) -> None:
        from kai_tui.ui.terminal.announce import Announcement, in_tmux, way_for, way_set
        from kai_tui.ui.terminal.tmux import way_through_tmux

        way = way_set(self._preferences.notify)
        if way == "bell" or not in_tmux(self._environ):
            self._announce(Announcement(text, way or way_for(self._environ)))
            return
        through = await way_through_tmux(self._environ)
        if through is None:
            self._announce(Announcement(text, "bell"))
        else:
            self._announce(Announcement(text, way or through, through_tmux=True))


def sentence(happenings: list[Happening]) -> str:
    """What happened, in one line without foreign text but titles."""
    from kai_tui.conversation.safe_text import safe_line

    if len(happenings) == 1:
        one = happenings[0]
        title = safe_line(one.title.strip(), TITLE_LENGTH)
        words = {
            "ended": "A reply ended in",
            "failed": "A reply broke off in",
            "decision": "A decision is needed in",
            "job": "A job ended in",
        }
        return f"{words[one.event]} “{title}”" if title else f"{words[one.event]} a chat"
    counts = {
        event: sum(each.event == event for each in happenings)
        for event in ("decision", "failed", "ended", "job")
    }
    parts = [
        f"{count} {words if count > 1 else word}"
        for word, words, count in (
            ("decision needed", "decisions needed", counts["decision"]),
            ("reply broke off", "replies broke off", counts["failed"]),
            ("reply ended", "replies ended", counts["ended"]),
            ("job ended", "jobs ended", counts["job"]),
        )
        if count
    ]
    return f"{len(happenings)} chats: {', '.join(parts)}"
