"""An app of the standard widgets for the terminal tests. Run as a script: `demo_app.py MODE`.

F2 crashes, F3 crashes in a worker, F4 in a thread, F5 in a task nobody waits for; `walls/4` shows every
fourth hostile text raw in every widget, one after the other; `doors` shows them through `safe_text`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import ClassVar, NoReturn

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import (
    Button,
    DataTable,
    Header,
    Input,
    Label,
    Log,
    Markdown,
    OptionList,
    RichLog,
    Static,
    TextArea,
    Tree,
)

from kai_tui.conversation.safe_text import safe_line, safe_prose
from kai_tui.ui.terminal.safe_app import SafeApp
from tests.hostile_payloads import hostile_texts

LONGEST = 400
"""Characters shown of each text."""
FRAMES = 2
"""Frames each text gets."""


class RawLines(Widget):
    """Draws its text through the Line API, without any help of Textual's, links included."""

    DEFAULT_CSS = "RawLines { height: 2; }"
    text = ""

    def render_line(self, y: int) -> Strip:
        assert isinstance(self.app, DemoApp)
        self.app.drawn = self.app.number
        style = Style(link=f"https://evil.example/{self.text[:50]}") if y else Style()
        text = f"<{self.app.number}> {self.text}".replace("\n", " ")
        return Strip([Segment(text[:200], style)]).adjust_cell_length(self.size.width)


class DemoApp(SafeApp[None]):
    """What the tests press keys in."""

    CSS = "VerticalScroll > * { max-height: 4; } #only { max-height: 100%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("f2", "crash", "crash"),
        ("f3", "crash_worker", "crash in a worker"),
        ("f4", "crash_thread", "crash in a thread"),
        ("f5", "crash_task", "crash in a task"),
        ("f9", "copy", "copy"),
        ("f10", "slow", "hang"),
        ("f8", "next", "next text"),
        ("ctrl+q", "quit", "quit"),
    ]

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode, _, every = mode.partition("/")
        self.texts = hostile_texts(odd=True, longest=LONGEST)[:: int(every or 1)]
        self.number = -1
        self.drawn = -1
        """The text that the last frame holds."""
        self.frames = 0

    def live_secrets(self) -> list[str]:
        return [os.environ["CANARY"]] if "CANARY" in os.environ else []

    def compose(self) -> ComposeResult:
        yield Header()
        with VerticalScroll():
            if self.mode == "doors":
                yield Static(Content(""), id="only")
            elif self.mode == "walls":
                yield Static(Content(""), id="static")
                yield RawLines()
                yield Label("", markup=False, id="label")
                yield Input()
                yield Button("")
                yield OptionList(markup=False)
                yield DataTable()
                yield Tree(Text("tree"))
                yield Log()
                yield RichLog(markup=False)
                yield Markdown(open_links=False)
            yield TextArea(id="area")

    def on_mount(self) -> None:
        self.title = "ready"
        if self.mode == "walls":
            self.call_after_refresh(self.show_next)
        self.query_one("#area").focus()

    def post_display_hook(self) -> None:
        """After a frame: the next text, when this one was drawn and a layout had its frame too."""
        if self.mode != "walls" or self.drawn != self.number or self.number < 0 or not self.is_running:
            return
        self.frames += 1
        self.drawn = -1
        self.call_later(self.show_next if self.frames == FRAMES else self.query_one(RawLines).refresh)

    def show_next(self) -> None:
        if self.number + 1 >= len(self.texts):
            self.exit(message="all shown")
            return
        self.number += 1
        self.frames = 0
        _, text = self.texts[self.number]
        show = self.query_one
        show("#static", Static).update(Content(text))
        show(RawLines).text = text
        show(RawLines).refresh()
        show("#label", Label).update(Content(text))
        show(Input).value = text
        show(Input).placeholder = Content(text)
        show(Button).label = Content(text)
        show(OptionList).clear_options().add_option(Content(text))
        table = show(DataTable)
        table.clear(columns=True)
        table.add_column(Text(text[:100]), key="a")
        table.add_row(Text(text))
        tree = show(Tree)
        tree.clear()
        tree.root.add_leaf(Text(text))
        tree.root.expand()
        show(Log).clear().write(text)
        show(RichLog).clear().write(text)
        show(Markdown).update(text)
        show("#area", TextArea).text = text
        show("#area").border_title = Content(text)
        show("#area").tooltip = Content(text)
        self.title = self.sub_title = text
        self.clear_notifications()
        self.notify(text, title=text, markup=True)
        print(text)

    def action_next(self) -> None:
        self.number += 1
        name, text = self.texts[self.number] if self.number < len(self.texts) else ("the end", "")
        self.query_one("#only", Static).update(Content(safe_prose(text)))
        self.title = f"{self.number} {safe_line(name, 60)}"

    def action_crash(self) -> NoReturn:
        token = os.environ["CANARY"]
        raise RuntimeError(f"cannot use {token} \x1b]52;c;QQ==\x07")

    def action_crash_worker(self) -> None:
        async def fail() -> None:
            token = os.environ["CANARY"]
            raise KeyError(token[:30])

        self.run_worker(fail())

    def action_crash_thread(self) -> None:
        def fail() -> None:
            raise ValueError(os.environ["CANARY"])

        threading.Thread(target=fail).start()

    def action_crash_task(self) -> None:
        async def fail() -> None:
            raise ValueError(os.environ["CANARY"])

        task = asyncio.create_task(fail())
        task.add_done_callback(lambda _: asyncio.get_running_loop().call_soon(fail_now))

        def fail_now() -> NoReturn:
            raise ValueError(os.environ["CANARY"])

        del task

    def action_copy(self) -> None:
        self.copy_to_clipboard("ls\x1b[201~\nrm -rf /\n")

    def action_slow(self) -> None:
        self.call_later(hang)


def hang() -> None:
    """Blocks the loop, as a bug would."""
    Path("hanging").touch()
    threading.Event().wait(60)


if __name__ == "__main__":
    sys.exit(DemoApp(sys.argv[1]).run_and_exit_code())
