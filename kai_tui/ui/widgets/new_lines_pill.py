"""Says that the reply goes on below what is seen, and leads there."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class NewLinesPill(Widget):
    """`↓ 12 new lines · End`. Seen only while there is something to say."""

    DEFAULT_CSS = """
    NewLinesPill {
        display: none;
        height: 1;
        width: auto;
        padding: 0 1;
        background: $primary-muted;
        color: $text-primary;
        pointer: pointer;
        &.-shown { display: block; }
        &:hover { background: $panel; text-style: bold; }
    }
    """

    lines: reactive[int | None] = reactive[int | None](None, layout=True, init=False)
    """Lines that came below the view; 0 when it is only scrolled up, None when it follows."""

    class Pressed(Message):
        """The user wants to see the newest line."""

        def __init__(self, pill: NewLinesPill) -> None:
            super().__init__()
            self.pill = pill

        @property
        def control(self) -> NewLinesPill:
            return self.pill

    def watch_lines(self, lines: int | None) -> None:
        self.set_class(lines is not None, "-shown")

    def render(self) -> Content:
        """The words for the number of lines."""
        if not self.lines:
            return Content("↓ to the end · End")
        return Content(f"↓ {self.lines:,} new line{'' if self.lines == 1 else 's'} · End")

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Pressed(self))
