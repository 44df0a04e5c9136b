"""Services speak to a dialog until its very end, and its widgets go before it does: nothing may fail then."""

from __future__ import annotations

from pathlib import Path

from kai_tui.ui.modals.about_server import AboutServer
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.instructions import InstructionsDialog
from kai_tui.ui.modals.queue import QueueDialog
from kai_tui.ui.modals.tools import ToolsDialog
from kai_tui.ui.screens.chat import ChatScreen
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready


async def test_news_that_come_when_a_dialog_is_gone_are_heard_in_peace(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(offers={"settings": True, "tool_permissions": True}))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await ready(app, pilot)
        assert screen.session is not None

        async def gone(kind: type[Ask[object]], action: str = "") -> Ask[object]:
            if action:
                await screen.run_action(action)
            await until(pilot, lambda: isinstance(app.screen, kind) and app.screen.standing)
            dialog = app.screen
            assert isinstance(dialog, kind)
            await app.pop_screen()
            assert not dialog.standing
            await until(pilot, lambda: isinstance(app.screen, ChatScreen))
            return dialog

        app.push_screen(QueueDialog(screen.session))
        queue = await gone(QueueDialog)
        assert isinstance(queue, QueueDialog)
        queue._draw_again()
        queue.on_option_list_option_highlighted()
        about = await gone(AboutServer, "about_server")
        assert isinstance(about, AboutServer)
        await about._ask(whole=True)
        tools = await gone(ToolsDialog, "tool_permissions")
        assert isinstance(tools, ToolsDialog)
        tools._draw()
        tools._draw_words(None)
        instructions = await gone(InstructionsDialog, "edit_instructions")
        assert isinstance(instructions, InstructionsDialog)
        instructions._say(instructions.sheet, "Saved.")
