"""The messages that wait to be sent: change, remove, order them; nothing of it is sent meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.services.changes import QueueChanged, SessionChange, TurnChanged, TurnEnded
from kai_tui.ui.modals.base import Ask

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.turn import Queued


class QueueDialog(Ask[str]):
    """Result: the id of the message to edit in the prompt; None when the user is done."""

    AUTO_FOCUS: ClassVar[str | None] = "#queue-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,d", "remove", "Remove", show=False),
        Binding("u,ctrl+z", "undo", "Undo", show=False),
        Binding("alt+up,shift+up,K", "move(-1)", "Earlier", show=False),
        Binding("alt+down,shift+down,J", "move(1)", "Later", show=False),
        Binding("s", "send", "Send the first", show=False),
        Binding("p", "pause", "Pause or go on", show=False),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
        Binding("f8", "leave", show=False),
    ]
    DEFAULT_CSS = """
    QueueDialog .dialog { width: 84; }
    QueueDialog #queue-list {
        height: auto; max-height: 8; border: none; background: $surface; padding: 0; margin: 1 0;
    }
    QueueDialog #whole { height: auto; max-height: 7; border-top: solid $panel; }
    QueueDialog #whole-text { height: auto; }
    QueueDialog #queue-state { height: auto; margin: 1 0; }
    QueueDialog #queue-keys { height: auto; }
    QueueDialog.-low #queue-list { margin: 0; max-height: 5; }
    QueueDialog.-low #whole { max-height: 5; }
    QueueDialog.-low #queue-state { margin: 0; }
    """

    def __init__(self, session: ChatSession) -> None:
        super().__init__(name="queue")
        self._chat = session
        self._removed: list[tuple[int, Queued]] = []
        self._unsubscribe = lambda: None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Waiting messages")
            yield OptionList(id="queue-list", markup=False)
            with VerticalScroll(id="whole", can_focus=False):
                yield Static(id="whole-text", markup=False)
            yield Static(id="queue-state", markup=False)
            yield Static(id="queue-keys", classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._unsubscribe = self._chat.observe(self._heard)
        self._draw(0)

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        self.set_class(self.size.height < 28, "-low")
        self._draw(self._place)

    def _heard(self, change: SessionChange) -> None:
        if isinstance(change, QueueChanged | TurnChanged | TurnEnded):
            self.call_later(self._draw_again)

    # What is shown

    def _draw_again(self) -> None:
        if self.standing:
            self._draw(self._place)

    @property
    def _place(self) -> int:
        return self.query_one(OptionList).highlighted or 0

    def _draw(self, place: int) -> None:
        """All rows anew, the mark at `place`."""
        from kai_tui.conversation.safe_text import safe_line

        if not self.standing:
            return
        rows = self.query_one(OptionList)
        room = max(20, rows.size.width - 8)
        options: list[Option] = []
        for number, each in enumerate(self._chat.queue, 1):
            mark = ("paused ", "$text-warning") if each.paused else ("", "")
            text = safe_line(" ".join(each.text.split()), room - (7 if each.paused else 0))
            shown = Content.assemble((f"{number:>3} ", "$text-muted"), mark, text)
            options.append(Option(shown, id=each.id))
        rows.clear_options()
        rows.add_options(options)
        if options:
            rows.highlighted = max(0, min(place, len(options) - 1))
        self._draw_words()

    def _draw_words(self) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        if not self.standing:
            return
        queue = self._chat.queue
        place = self.query_one(OptionList).highlighted
        whole = safe_prose(queue[place].text) if place is not None and place < len(queue) else ""
        self.query_one("#whole-text", Static).update(Content(whole))
        self.query_one("#whole").display = bool(whole)
        self.query_one("#queue-state", Static).update(self._state())
        keys = "Enter edit · Del remove · Shift+↑↓ move · PgUp PgDn read" if queue else ""
        more: list[str] = []
        if self._removed:
            more.append("u bring back the removed one")
        if queue and not self._chat.turn.busy:
            more.append("s send the first now")
        if queue:
            more.append("p let them go by themselves" if self._chat.queue_paused else "p pause")
        more.append("Esc close")
        self.query_one("#queue-keys", Static).update(
            Content("\n".join(filter(None, (keys, " · ".join(more)))))
        )

    def _state(self) -> Content:
        if not self._chat.queue:
            return Content("Nothing waits any more.")
        if self._chat.queue_paused:
            words = "They are paused: none is sent until you say so."
        else:
            words = "When the reply has ended they are sent, one after the other."
        return Content(f"{words} While this list is open nothing of it is sent.")

    # What the user does

    def on_option_list_option_highlighted(self) -> None:
        self._draw_words()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.finish(message.option.id)

    def _chosen(self) -> str | None:
        place = self.query_one(OptionList).highlighted
        queue = self._chat.queue
        return queue[place].id if place is not None and place < len(queue) else None

    def action_remove(self) -> None:
        """Take the marked message out; `u` brings it back."""
        chosen, place = self._chosen(), self._place
        removed = self._chat.remove_queued(chosen) if chosen is not None else None
        if removed is not None:
            self._removed.append(removed)
            self._draw(place)

    def action_undo(self) -> None:
        """Bring the last removed message back to its place."""
        if self._removed:
            place, removed = self._removed.pop()
            self._chat.put_back(place, removed)
            self._draw(place)

    def action_move(self, by: int) -> None:
        """Let the marked message go earlier or later."""
        chosen, place = self._chosen(), self._place
        if chosen is not None:
            self._chat.move_queued(chosen, by)
            self._draw(place + by)

    def action_send(self) -> None:
        """Send the oldest now; only while no turn runs. The dialog closes, for what is sent is answered."""
        if self._chat.queue and not self._chat.turn.busy:
            self.finish(SEND_FIRST)

    def action_pause(self) -> None:
        """Let them go by themselves, or wait for a word."""
        if self._chat.queue_paused:
            self._chat.resume_queue()
        else:
            self._chat.pause_queue()

    def action_scroll(self, by: int) -> None:
        """Read a long message."""
        self.query_one("#whole", VerticalScroll).scroll_relative(y=by * 5, animate=False)


SEND_FIRST = ""
"""The result that asks for the oldest message to be sent now."""
