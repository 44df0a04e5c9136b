"""Apps that show one widget, and the ways to drive them, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from kai_tui.ui.themes import DARK, THEMES

KEYS = {
    "⏎": "enter",
    "⌫": "backspace",
    "⌦": "delete",
    "←": "left",
    "→": "right",
    "↑": "up",
    "↓": "down",
    "⇱": "home",
    "⇲": "end",
    "↵": "ctrl+j",
    "␗": "ctrl+w",
    "␕": "ctrl+u",
    " ": "space",
}
"""Signs for keys, so that a test reads as it is typed: `abc⌫d⏎`."""


class WidgetApp(App[None]):
    """Shows widgets and keeps the messages they post."""

    def __init__(self, *widgets: Widget, css: str = "") -> None:
        super().__init__()
        self.CSS = css
        self._widgets = widgets
        self.heard: list[Message] = []
        self.noted: list[str] = []
        self._marks: dict[str, asyncio.Event] = {}

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK

    def action_note(self, text: str) -> None:
        """For keys a test binds at the app."""
        self.noted.append(text)

    async def _on_message(self, message: Message) -> None:
        module = type(message).__module__
        if module.startswith("kai_tui.") and all(message is not other for other in self.heard):
            self.heard.append(message)
        await super()._on_message(message)

    def on_key(self, event: events.Key) -> None:
        if event.key.startswith("f24+"):
            self._marks[event.key].set()

    def type(self, keys: Iterable[str]) -> None:
        """Put all keys into the app's queue at once, as one read of the terminal does."""
        for sign in keys:
            key = KEYS.get(sign, sign)
            self.post_message(events.Key(key, sign if len(key) == 1 or sign == " " else None))

    async def settle(self) -> None:
        """Until every key posted so far has been handled, however slow the machine is."""
        name = f"f24+{len(self._marks)}"
        mark = self._marks[name] = asyncio.Event()
        self.post_message(events.Key(name, None))
        await asyncio.wait_for(mark.wait(), 10)

    async def press(self, keys: Iterable[str]) -> None:
        """`type`, then wait until all was handled."""
        self.type(keys)
        await self.settle()

    def said(self, kind: type[Any]) -> list[Any]:
        """The messages of one kind heard so far."""
        return [message for message in self.heard if isinstance(message, kind)]


@asynccontextmanager
async def running(
    *widgets: Widget, size: tuple[int, int] = (80, 24), css: str = "", focus: bool = True
) -> AsyncIterator[tuple[WidgetApp, Pilot[None]]]:
    app = WidgetApp(*widgets, css=css)
    async with app.run_test(size=size, tooltips=True) as pilot:
        if focus:
            app.screen.set_focus(widgets[0])
        await pilot.pause(0)
        yield app, pilot


async def until(condition: Callable[[], object], *, timeout: float = 5.0) -> None:
    """Wait until something is true."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "waited too long"
        await asyncio.sleep(0.01)


def row_text(widget: Widget, y: int = 0) -> str:
    """What one row of a line-API widget shows."""
    return widget.render_line(y).text
