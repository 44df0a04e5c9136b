"""The instructions on screen: counted, saved, refused, changed by somebody else, never lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events

from kai_tui.backends.base import CannotConnect, NotAllowed
from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.changed_elsewhere import ChangedElsewhereDialog
from kai_tui.ui.modals.confirm import Confirm
from kai_tui.ui.modals.instructions import InstructionsDialog
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_quota import told
from tests.ui.test_tools_dialog import flat

SIZES = [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)]


def keeping(**more) -> ScriptedBackend:
    return ScriptedBackend(
        offers={"settings": True},
        **({"instructions_now": {"user": "Answer in Czech.", "project": "Use snake_case."}} | more),
    )


async def opened(app: KaiApp, pilot) -> InstructionsDialog:
    await ready(app, pilot)
    await app.screen.run_action("edit_instructions")
    await until(pilot, lambda: isinstance(app.screen, InstructionsDialog))
    dialog = app.screen
    assert isinstance(dialog, InstructionsDialog)
    await until(pilot, lambda: dialog.sheet.state == "ready" and app.focused is dialog.sheet.editor)
    return dialog


@pytest.mark.parametrize("size", SIZES)
async def test_both_texts_are_shown_and_counted(own_home: Path, size: tuple[int, int]) -> None:
    app = app_for(own_home, keeping())
    async with app.run_test(size=size) as pilot:
        dialog = await opened(app, pilot)
        await until(pilot, lambda: "Answer in Czech." in words(app) and "16 / 4,000" in words(app))
        await pilot.press("x")
        await until(pilot, lambda: "17 / 4,000 · not saved" in words(app))
        await pilot.press("f2")
        await until(pilot, lambda: "Use snake_case." in words(app))
        assert "Only admins and managers" in flat(app)
        assert "Answer in Czech." not in words(app)
        await pilot.press("f2")
        await until(pilot, lambda: "xAnswer in Czech." in words(app))
        assert dialog.sheet.unsaved, "what was typed stays over a look at the other one"


async def test_saved_with_ctrl_s_once_and_shown_as_the_server_keeps_it(own_home: Path) -> None:
    backend = keeping()
    sent: list[str] = []
    keep = backend.set_instructions

    async def trims(whose, text):
        sent.append(text)
        return await keep(whose, text.strip())

    backend.set_instructions = trims  # type: ignore[method-assign]
    backend.gates["set_instructions"] = gate = asyncio.Event()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("end", "enter", "space", "ctrl+s", "ctrl+s")
        await until(pilot, lambda: "saving…" in words(app))
        gate.set()
        await until(pilot, lambda: "Saved. The server keeps it as you see it now." in words(app))
        assert sent == ["Answer in Czech.\n "]
        assert dialog.sheet.editor.text == "Answer in Czech."
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Nothing to save" in words(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, InstructionsDialog))


async def test_enter_makes_a_line_and_saves_nothing(own_home: Path) -> None:
    backend = keeping()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("enter")
        assert dialog.sheet.editor.text == "\nAnswer in Czech."
        assert backend.instructions_now["user"] == "Answer in Czech."


async def test_letters_typed_while_it_saves_stay(own_home: Path) -> None:
    backend = keeping()
    backend.gates["set_instructions"] = gate = asyncio.Event()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("a", "ctrl+s")
        await until(pilot, lambda: dialog.sheet.state == "saving")
        await pilot.press("b")
        gate.set()
        await until(pilot, lambda: dialog.sheet.state == "ready")
        assert backend.instructions_now["user"] == "aAnswer in Czech."
        assert dialog.sheet.editor.text == "abAnswer in Czech."
        assert dialog.sheet.unsaved


async def test_a_refusal_keeps_the_text_and_says_who_may(own_home: Path) -> None:
    backend = keeping(instructions_error=NotAllowed("Not allowed: no."))
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: dialog.sheet.state == "ready")
        await pilot.press("x", "ctrl+s")
        await until(
            pilot,
            lambda: (
                "Only admins and managers of the project can change these. Your text is still here."
                in flat(app)
            ),
        )
        assert dialog.sheet.editor.text == "xUse snake_case."
        await pilot.press("f2", "y", "ctrl+s")
        await until(pilot, lambda: "Not allowed: no. Your text is still here." in flat(app))


async def test_a_save_that_fails_keeps_the_text_and_can_be_tried_again(own_home: Path) -> None:
    backend = keeping(instructions_error=CannotConnect("kai.test refuses connections."))
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("x", "ctrl+s")
        await until(pilot, lambda: "Your text is still here. Press Ctrl+S to try again." in flat(app))
        backend.instructions_error = None
        await pilot.press("ctrl+s")
        await until(pilot, lambda: backend.instructions_now["user"] == "xAnswer in Czech.")
        await until(pilot, lambda: not dialog.sheet.unsaved)


async def test_too_long_is_not_sent(own_home: Path) -> None:
    backend = keeping()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        dialog.sheet.editor.post_message(events.Paste("ž" * 3_990))
        await until(pilot, lambda: "4,006 / 4,000 · 6 too many" in words(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Not saved: 6 characters too many." in words(app))
        assert backend.instructions_now["user"] == "Answer in Czech."
        await pilot.press(*["backspace"] * 6)
        await until(pilot, lambda: "4,000 / 4,000" in words(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(backend.instructions_now["user"]) == 4_000)
        dialog.sheet.editor.post_message(events.Paste("x" * 1_000_000))
        await until(pilot, lambda: "Not pasted: 1,000,000 characters" in flat(app))


async def test_escape_asks_before_changes_are_thrown_away(own_home: Path) -> None:
    backend = keeping()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("x", "escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is dialog)
        assert dialog.sheet.editor.text == "xAnswer in Czech."
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: not isinstance(app.screen, InstructionsDialog | Confirm))
        assert backend.instructions_now["user"] == "Answer in Czech."


@pytest.mark.parametrize(
    ("keys", "kept"),
    [pytest.param(["enter"], "Theirs.", marks=pytest.mark.slow), (["right", "right", "enter"], "xMine.")],
)
async def test_a_text_changed_by_somebody_else_is_shown_before_it_is_replaced(
    own_home: Path, keys: list[str], kept: str
) -> None:
    backend = keeping(instructions_now={"user": "Mine."})
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await opened(app, pilot)
        backend.instructions_now["user"] = "Theirs."
        await pilot.press("x", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ChangedElsewhereDialog) and "Theirs." in words(app))
        await pilot.press(*keys)
        await until(pilot, lambda: app.screen is dialog and dialog.sheet.state == "ready")
        await until(pilot, lambda: backend.instructions_now["user"] == kept)
        assert dialog.sheet.editor.text == "xMine."


async def test_theirs_can_be_taken_and_undone(own_home: Path) -> None:
    backend = keeping(instructions_now={"user": "Mine."})
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = await opened(app, pilot)
        backend.instructions_now["user"] = "Theirs."
        await pilot.press("x", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ChangedElsewhereDialog))
        await pilot.press("right", "enter")
        await until(pilot, lambda: dialog.sheet.editor.text == "Theirs.")
        assert not dialog.sheet.unsaved
        await pilot.press("ctrl+z")
        await until(pilot, lambda: dialog.sheet.editor.text == "xMine.")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: backend.instructions_now["user"] == "xMine.")


async def test_a_text_that_cannot_be_read_is_read_again_on_request(own_home: Path) -> None:
    backend = keeping()
    read = backend.instructions

    async def fails(whose):
        raise CannotConnect("kai.test refuses connections.")

    backend.instructions = fails  # type: ignore[method-assign]
    app = app_for(own_home, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await app.screen.run_action("edit_instructions")
        await until(pilot, lambda: "Press Ctrl+R to read it again." in flat(app))
        await pilot.press("x")
        backend.instructions = read  # type: ignore[method-assign]
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Answer in Czech." in words(app))
        assert "Ctrl+R" not in words(app)


async def test_hidden_characters_of_the_server_are_written_out(own_home: Path) -> None:
    backend = keeping(instructions_now={"user": "Safe\u202e\x1b[2J text\r\nnext"})
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await until(pilot, lambda: "written out" in words(app))
        assert "\u202e" not in dialog.sheet.editor.text
        assert "⟨U+202E⟩" in dialog.sheet.editor.text
        assert "\x1b" not in words(app)


async def test_what_was_typed_survives_the_end_of_the_program(own_home: Path) -> None:
    backend = keeping()
    app = app_for(own_home, backend)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("x")
        await until(pilot, lambda: dialog.sheet.noted is not None)
        await app.workers.wait_for_complete(
            [worker for worker in app.workers if worker.group == "instructions"]
        )
    again = app_for(own_home, backend)
    async with again.run_test(size=(100, 30)) as pilot:
        dialog = await opened(again, pilot)
        await until(pilot, lambda: dialog.sheet.editor.text == "xAnswer in Czech.")
        await until(pilot, lambda: "what you typed last time" in words(again))
        assert dialog.sheet.unsaved
        await pilot.press("ctrl+s")
        await until(pilot, lambda: backend.instructions_now["user"] == "xAnswer in Czech.")
        await until(pilot, lambda: dialog.sheet.noted is None)
    third = app_for(own_home, backend)
    async with third.run_test(size=(100, 30)) as pilot:
        dialog = await opened(third, pilot)
        assert not dialog.sheet.unsaved
        assert "last time" not in words(third)


async def test_what_was_thrown_away_does_not_come_back(own_home: Path) -> None:
    app = app_for(own_home, keeping())
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(app, pilot)
        await pilot.press("x")
        await until(pilot, lambda: dialog.sheet.noted is not None)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("right", "enter")
        await until(pilot, lambda: not isinstance(app.screen, InstructionsDialog | Confirm))
        dialog = await opened(app, pilot)
        assert dialog.sheet.editor.text == "Answer in Czech."


async def test_a_kai_without_instructions_says_so(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        await screen.run_action("edit_instructions")
        await until(pilot, lambda: "Kai has no instructions to edit." in told(app))


async def test_a_guest_of_the_real_sandbox_is_refused_and_an_admin_is_not(own_home: Path) -> None:
    environ = {"KAI_TUI_HOME": str(own_home), "KAI_TUI_SANDBOX_PACE": "0"}
    app = KaiApp(AccountService(environ), LaunchOptions(sandbox=True))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await ready(app, pilot)
        session = screen.session
        assert session is not None
        session.send("/demo guest")
        await until(pilot, lambda: session.turn.phase == "finished")
        dialog = await opened(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: dialog.sheet.state == "ready")
        await pilot.press(*"Hi", "ctrl+s")
        await until(pilot, lambda: "Only admins and managers of the project can change these." in flat(app))
        session.send("/demo admin")
        await until(pilot, lambda: session.turn.phase == "finished" and len(session.messages) == 4)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Saved." in words(app))
        backend = await screen.workspace.backend()
        assert await backend.instructions("project") == "Hi"
