"""What `SafeApp` refuses and keeps, without a terminal."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pydantic
import pytest
from textual.app import ComposeResult
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Static
from textual.widgets._toast import Toast

from kai_tui.conversation.safe_text import Safe
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.terminal.crash import KEPT_REPORTS, report_text, sentence, write_report
from kai_tui.ui.terminal.safe_app import JUST_SAID, SafeApp
from tests.ui.fakes import until
from tests.ui.terminal.conftest import CANARY


class App(SafeApp[None]):
    pressed = False

    def compose(self) -> ComposeResult:
        yield Static(Content("x"))

    def action_press(self) -> None:
        self.pressed = True


class Dialog(Ask[None]):
    def compose(self) -> ComposeResult:
        yield Static("?", classes="dialog")


async def test_notifications_are_literal_and_safe() -> None:
    app = App()
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        app.notify("[/nope] [@click=app.press]yes[/] \x1b]0;x\x07", title="\x1b[2J[b]", markup=True)
        app.query_one(Static).notify("[/nope]", markup=True)
        for _ in range(50):
            await pilot.pause()
            if len(app.screen.query(Toast)) == 2:
                break
        shown = " ".join(str(toast.render()) for toast in app.screen.query(Toast))
        assert "[@click=app.press]yes[/]" in shown
        assert "[/nope]" in shown
        assert "\x1b" not in shown
        assert not app.pressed


async def shown_toasts(app: App, pilot: Pilot[None], count: int) -> list[str]:
    await until(pilot, lambda: len(app.screen.query(Toast)) == count)
    return [str(toast.render()) for toast in app.screen.query(Toast)]


async def test_the_same_sentence_is_not_stacked() -> None:
    app = App()
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        for count, words in enumerate(("Copied.", "Nothing here."), 1):
            app.notify(words)
            await shown_toasts(app, pilot, count)
        app.notify("Copied.")
        await until(
            pilot, lambda: [one.message for one in app._notifications] == ["Nothing here.", "Copied."]
        )
        await shown_toasts(app, pilot, 2)


async def test_what_was_just_said_stays_over_a_dialog_that_opens() -> None:
    app = App()
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        app.notify("Nothing was sent.")
        await app.push_screen(Dialog(name="dialog"))
        await shown_toasts(app, pilot, 1)


async def test_what_was_said_before_a_dialog_opened_does_not_cover_it() -> None:
    app = App()
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        app.notify("Copied.")
        app.notify("The ledger cannot be written.", severity="error")
        await shown_toasts(app, pilot, 2)
        for each in app._notifications:
            each.raised_at -= 2 * JUST_SAID
        await app.push_screen(Dialog(name="dialog"))
        (error,) = await shown_toasts(app, pilot, 1)
        assert "The ledger" in error
        app.notify("Saved.")
        said = await shown_toasts(app, pilot, 2)
        assert any("Saved." in each for each in said)
        app.pop_screen()
        await shown_toasts(app, pilot, 3)


async def test_links_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url, **_: opened.append(url))
    app = App()
    async with app.run_test():
        app.open_url("https://evil.example/\x1b]0;x\x07")
    assert opened == []


async def test_the_clipboard_keeps_safe_text() -> None:
    app = App()
    async with app.run_test():
        app.copy_to_clipboard("rm\u200b x\ud800\x1b[201~\r\n")
        assert app.clipboard == "rm x\ufffd␛[201~"
        app.copy_to_clipboard("x" * 200_000)
        assert len(app.clipboard) == 200_000


async def test_a_crash_reaches_the_test(own_home: Path) -> None:
    app = App()
    with pytest.raises(ValueError, match="boom"):
        async with app.run_test() as pilot:
            app.call_later(fail)
            await pilot.pause()
    assert app.crashed
    assert app.return_code == 1
    assert list((own_home / "state").glob("crash-*.txt"))


def fail() -> None:
    raise ValueError("boom")


def test_a_report_has_causes_but_no_variables_and_no_token() -> None:
    def inner() -> None:
        token = CANARY
        chat_text = "the user's words"
        raise KeyError(f"{token} {len(chat_text)}")

    try:
        try:
            inner()
        except KeyError as error:
            raise ExceptionGroup("many", [RuntimeError("x" * 10_000), error]) from error
    except ExceptionGroup as error:
        text = report_text(error, [CANARY])
    assert "inner" in text
    assert "KeyError" in text
    assert "the user's words" not in text.replace('chat_text = "the user\'s words"', "")
    assert CANARY[12:30] not in text
    assert "x" * 501 not in text
    assert "\x1b" not in text


def test_errors_of_pydantic_do_not_show_the_input() -> None:
    class Model(pydantic.BaseModel):
        number: int

    try:
        Model.model_validate({"number": "the user's words"})
    except pydantic.ValidationError as error:
        text = report_text(error)
    assert "user's words" not in text.replace('"the user\'s words"', "")
    assert "ValidationError" in text


def test_old_reports_are_removed_and_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "state"
    paths = [write_report(folder, f"report {number}") for number in range(KEPT_REPORTS + 3)]
    assert len(set(paths[:KEPT_REPORTS])) == KEPT_REPORTS
    assert len(list(folder.iterdir())) == KEPT_REPORTS
    assert paths[-1].read_text() == f"report {KEPT_REPORTS + 2}"


def test_the_sentence_is_safe() -> None:
    kind = type("Bad\x1b]0;x\x07Error", (Exception,), {})
    words = sentence(kind(), Path("/tmp/x\x1b[2J"))
    assert isinstance(words, Safe)
    assert "\x1b" not in words
