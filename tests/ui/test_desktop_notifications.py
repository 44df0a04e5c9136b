"""The desktop is told what ended or waits, only when nobody looks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

from textual import events

from kai_tui.services.attention import Event, Happening
from kai_tui.services.changes import Notice
from kai_tui.ui.app import KaiApp
from kai_tui.ui.notifier import Notifier, sentence
from kai_tui.ui.terminal.announce import Announcement
from kai_tui.ui.terminal.attendance import Attendance
from tests.services.scripted_backend import ScriptedBackend
from tests.services.test_attention import question, reply
from tests.ui.fakes import Clock, app_for, until
from tests.ui.many_chats import WIDE, ask, put_off
from tests.ui.test_chat_screen import ready


class Desktop:
    """A notifier whose announcements are kept, and whose clock is ours."""

    def __init__(self, app: KaiApp, environ: dict[str, str] | None = None) -> None:
        self.clock = Clock()
        self.said: list[Announcement] = []
        self.attendance = Attendance(self.clock)
        self.notifier = Notifier(
            app,
            app.preferences,
            self.attendance,
            self.said.append,
            on_screen=app._chat_on_screen,
            clock=self.clock,
            environ=environ or {"TERM_PROGRAM": "iTerm.app"},
        )
        assert app.workspace is not None
        self.notifier.watch(app.workspace.attention)

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.said]


async def test_an_end_is_announced_only_when_nobody_looks(own_home: Path) -> None:
    gates = [asyncio.Event() for _ in range(2)]
    app = app_for(own_home, ScriptedBackend(replies=[reply("a"), reply("b", gates[0]), reply("c", gates[1])]))
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        desktop = Desktop(app)
        await ask(app, pilot, "looked at")
        await pilot.pause()
        assert desktop.said == []
        other = await ask(app, pilot, "secret question")
        other.set_title("Orders; by \x1b]9;x\x07region")
        await ask(app, pilot, "here")
        gates[0].set()
        await until(pilot, lambda: desktop.said)
        assert desktop.texts == ["A reply ended in “Orders; by ␛]9;x␇region”"]
        assert desktop.said[0].way == "osc9"
        assert "secret" not in desktop.said[0].sequence()
        desktop.attendance.saw(events.AppBlur())
        desktop.clock.now += 6
        gates[1].set()
        app.post_message(events.AppBlur())
        await until(pilot, lambda: len(desktop.said) == 2)
        assert desktop.texts[1] == "A reply ended in “here”"


async def test_never_more_than_one_announcement_in_five_seconds(own_home: Path) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    app = app_for(own_home, ScriptedBackend(replies=[*(reply("r", gate) for gate in gates), reply("here")]))
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        desktop = Desktop(app)
        sessions = [await ask(app, pilot, text) for text in ("one", "two", "three")]
        await ask(app, pilot, "here")
        for gate, session in zip(gates, sessions, strict=True):
            gate.set()
            await until(pilot, lambda session=session: not session.turn.busy)
        await until(pilot, lambda: len(desktop.said) == 1 and len(desktop.notifier._due) == 2)
        assert app.workspace is not None
        app.workspace.attention.seen(sessions[1].chat_id)
        desktop.clock.now += 6
        desktop.notifier._waited()
        await until(pilot, lambda: len(desktop.said) == 2)
        assert desktop.texts == ["A reply ended in “one”", "A reply ended in “three”"]


async def test_a_decision_is_announced_once_and_off_is_off(own_home: Path) -> None:
    clock = Clock()
    app = app_for(
        own_home, ScriptedBackend(replies=[question("a", asyncio.Event()), reply("b")]), clock=clock
    )
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        desktop = Desktop(app)
        desktop.attendance.saw(events.AppBlur())
        session = await ask(app, pilot, "change it")
        await until(pilot, lambda: desktop.said)
        assert desktop.texts == ["A decision is needed in “change it”"]
        await put_off(app, pilot, clock)
        app.action_toggle_notifications()
        assert app.preferences.notify == "off"
        desktop.clock.now += 60
        await ask(app, pilot, "quietly")
        await pilot.pause()
        assert len(desktop.said) == 1
        assert session.turn.busy
        app.action_toggle_notifications()
        assert app.preferences.notify == "auto"
        assert "on" in app.label_of(SimpleNamespace(name="toggle_notifications", label=""))  # type: ignore[arg-type]


def test_several_at_once_are_counted() -> None:
    from kai_tui.services.attention import Happening

    happened = [Happening(str(n), "t", event) for n, event in enumerate(("ended", "decision", "ended"))]  # type: ignore[arg-type]
    assert sentence(happened) == "3 chats: 1 decision needed, 2 replies ended"


def test_a_terminal_that_reports_no_focus_is_left_a_minute_after_the_last_key() -> None:
    clock = Clock()
    attendance = Attendance(clock)
    assert attendance.here
    clock.now += 61
    assert not attendance.here
    assert attendance.saw(events.Key("a", "a"))
    clock.now += 59
    assert attendance.here
    attendance.saw(events.AppBlur())
    assert not attendance.here
    attendance.saw(events.AppFocus())
    clock.now += 1000
    assert attendance.here, "it reports: it is believed"
    attendance.saw(events.AppBlur())
    assert attendance.saw(events.MouseDown(None, 0, 0, 0, 0, 1, False, False, False))
    assert attendance.here, "whoever clicks is here"


async def test_a_key_that_was_held_back_is_no_sign_of_somebody_coming_back(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        for event in (
            events.Key("ctrl+b", None),
            events.Key("a", "a"),
            events.Key("b", "b"),
            events.AppBlur(),
        ):
            app.post_message(event)
        await until(pilot, lambda: app.key_order._under_way is None and not app.key_order._held)
        await pilot.pause()
        assert not app.attendance.here


async def test_a_job_that_ends_while_nobody_looks_is_announced_once_and_without_foreign_words(
    own_home: Path,
) -> None:
    gate = asyncio.Event()
    app = app_for(own_home, ScriptedBackend(replies=[reply("a"), reply("b", gate)]))
    async with app.run_test(size=WIDE) as pilot:
        await ready(app, pilot)
        desktop = Desktop(app)
        session = await ask(app, pilot, "Run it")
        assert app.workspace is not None
        attention = app.workspace.attention
        attention.job_ended(session, Notice("Job 7 ended well.", code="job"))
        await pilot.pause()
        assert desktop.said == [], "it ended before the user's eyes"
        desktop.attendance.saw(events.AppBlur())
        app.post_message(events.AppBlur())
        await pilot.pause()
        attention.job_ended(session, Notice("Job 8 failed.", "error", "job"))
        await until(pilot, lambda: desktop.said)
        assert desktop.texts == ["A job ended in “Run it”"]
        assert attention.states[session.chat_id].want == "failed"


def test_several_jobs_and_replies_in_one_line() -> None:
    def of(event: Event) -> Happening:
        return Happening(event, event, event)

    assert sentence([of("job"), of("ended")]) == "2 chats: 1 reply ended, 1 job ended"
