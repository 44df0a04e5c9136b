"""What was typed in one go acts in that order, also over fields, dialogs and bindings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from kai_tui.ui.terminal.key_order import KeyOrder, KeyPassed
from tests.ui.fakes import until


class Dialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("f3", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        yield Input(id="inside")


class Fields(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("f2", "ask", "ask")]

    def __init__(self, ordered: bool = True) -> None:
        super().__init__()
        self.key_order = KeyOrder(self, self.on_event, lambda event: False)
        self.ordered = ordered

    def compose(self) -> ComposeResult:
        yield Input(id="first")
        yield Input(id="second")

    def on_mount(self) -> None:
        self.query_one("#first").focus()

    def action_ask(self) -> None:
        self.push_screen(Dialog())

    async def on_event(self, event: events.Event) -> None:
        fresh = isinstance(event, events.Key) and not event.is_forwarded
        if self.ordered and self.key_order.hold(event):
            return
        await super().on_event(event)
        if self.ordered and fresh:
            self.key_order.follow(event)

    async def on_key_passed(self, message: KeyPassed) -> None:
        await self.key_order.passed(message)

    def type(self, keys: Sequence[str]) -> None:
        for key in keys:
            event = events.Key(key, key if len(key) == 1 else None)
            event.set_sender(self)
            self.post_message(event)

    def value(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value


async def test_tab_between_fields_keeps_its_place() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        app.type([*"abc", "tab", *"def", "backspace", "shift+tab", "x"])
        await until(pilot, lambda: app.value("second") == "de" and app.value("first").endswith("x"))
        assert "d" not in app.value("first")


async def test_textual_alone_gets_it_wrong() -> None:
    app = Fields(ordered=False)
    async with app.run_test() as pilot:
        app.type([*"abc", "tab", *"def"])
        await until(pilot, lambda: app.value("first") == "abcdef")


async def test_a_dialog_opened_by_a_key_gets_the_keys_behind_it() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        app.type([*"ab", "f2", *"cd"])
        await until(
            pilot, lambda: isinstance(app.screen, Dialog) and app.screen.query_one(Input).value == "cd"
        )
        app.type(["e", "f3", "z"])
        await until(pilot, lambda: not isinstance(app.screen, Dialog) and app.value("first") == "abz")


async def test_a_widget_that_goes_away_does_not_stop_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kai_tui.ui.terminal.key_order.PATIENCE_SECONDS", 0.02)
    app = Fields()
    async with app.run_test() as pilot:
        app.key_order._under_way = KeyPassed()
        lost = app.key_order._under_way
        app.type("x")
        app.set_timer(0.02, lambda: app.key_order.passed(lost))
        await until(pilot, lambda: app.value("first") == "x")
