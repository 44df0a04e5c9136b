"""`make screenshots`: pictures of the real program on the sandbox, as SVG and PNG.

The PNG is drawn with the fonts of this machine (DejaVu Sans Mono where it is), so it may differ
between machines; the SVG does not. Both come from the same screen.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")

from textual.pilot import Pilot

from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.composer import Composer

FOLDER = Path(__file__).parent
SIZE = (120, 36)
FONT = "DejaVu Sans Mono"


def picture(app: KaiApp, name: str) -> None:
    """Write NAME.svg and NAME.png of the screen as it is."""
    svg = app.export_screenshot(title="kai-tui")
    # The exported style names a font host: a picture must not make anybody's viewer call out.
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
    import resvg_py

    drawn = svg.replace("Fira Code", FONT)
    (FOLDER / f"{name}.png").write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=drawn, zoom=1)))


async def until(pilot: Pilot[object], condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition, drawing meanwhile."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pilot.pause(0.02)
    await pilot.pause(0.1)


class Visit:
    """One run of the program that a script walks through."""

    def __init__(self, app: KaiApp, pilot: Pilot[object]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def chat(self) -> ChatScreen:
        screen = next(each for each in reversed(self.app.screen_stack) if isinstance(each, ChatScreen))
        return screen

    async def ask(self, text: str, *, wait: bool = True) -> None:
        """Send a message; with `wait` until the answer is there."""
        composer = self.chat.query_one(Composer)
        composer.load(text)
        session = self.chat.session
        assert session is not None
        before = len(session.messages)
        await self.pilot.press("enter")
        if wait:
            await until(
                self.pilot, lambda: len(session.messages) >= before + 2 and session.turn.phase == "finished"
            )

    async def armed(self) -> None:
        """Wait until a question takes answers; open the one that waits, if it is not open."""
        if not isinstance(self.app.screen, ApprovalDialog):
            self.app.desk.review()
        await until(self.pilot, lambda: isinstance(self.app.screen, ApprovalDialog))
        dialog = self.app.screen
        assert isinstance(dialog, ApprovalDialog)
        await self.pilot.press("end")
        await until(self.pilot, lambda: dialog.guard.armed)

    async def decide(self, *moves: str) -> None:
        """Take the chosen answer, after these moves; slowly, for keys that come in a burst do not count."""
        await self.armed()
        before = len(self.chat.workspace.approvals.pending)
        for key in (*moves, "enter"):
            await self.pilot.pause(0.7)  # drawing may hold everything up: the dialog waits for quiet again
            await self.pilot.press(key)
        await until(self.pilot, lambda: len(self.chat.workspace.approvals.pending) < before)


async def _visit(
    options: LaunchOptions, home: str, walk: Callable[[Visit], Awaitable[None]], size: tuple[int, int] = SIZE
) -> None:
    app = KaiApp(AccountService({"KAI_TUI_HOME": home, "KAI_TUI_SANDBOX_PACE": "0"}), options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.2)
        await walk(Visit(app, pilot))


async def _start(visit: Visit) -> None:
    await visit.pilot.pause(0.3)
    picture(visit.app, "start")


async def _walk(visit: Visit) -> None:
    await until(visit.pilot, lambda: visit.chat.workspace.connection.state == "connected")
    await visit.ask("What tables do I have?")
    await visit.pilot.press("ctrl+n")
    await visit.ask("Which region sold most?")
    picture(visit.app, "chat")
    await visit.pilot.press("ctrl+n")
    await visit.ask("Create a bucket called test-bucket", wait=False)
    await visit.decide("right")
    await until(visit.pilot, lambda: visit.chat.session and visit.chat.session.turn.phase == "finished")
    picture(visit.app, "history")


CHANGES = (
    "Describe in.c-crm.customers as: People who bought at least once",
    "Describe in.c-crm.customers as: People who bought at least once, with the day of their first order",
)


async def _decisions(visit: Visit) -> None:
    await until(visit.pilot, lambda: visit.chat.workspace.connection.state == "connected")
    await visit.ask(CHANGES[0], wait=False)
    await visit.decide("right")
    await until(visit.pilot, lambda: visit.chat.session and visit.chat.session.turn.phase == "finished")
    await visit.ask(CHANGES[1], wait=False)
    await visit.armed()
    picture(visit.app, "approval")
    await visit.decide()
    await until(visit.pilot, lambda: visit.chat.session and visit.chat.session.turn.phase == "finished")
    await visit.pilot.press("ctrl+n")
    await visit.ask("/demo writes", wait=False)
    await visit.armed()
    await until(visit.pilot, lambda: len(visit.chat.workspace.approvals.pending) == 2)
    await visit.pilot.press("f3")
    await until(visit.pilot, lambda: visit.app.screen.id == "inbox" or visit.app.screen.name == "inbox")
    await visit.pilot.pause(0.7)
    picture(visit.app, "inbox")
    await visit.pilot.press("escape")
    await visit.pilot.pause(0.7)
    while visit.chat.workspace.approvals.pending:
        await visit.decide()
    await until(visit.pilot, lambda: visit.chat.session and visit.chat.session.turn.phase == "finished")
    await visit.pilot.press("alt+l")
    await visit.pilot.pause(0.7)
    picture(visit.app, "ledger")


async def _light(visit: Visit) -> None:
    await until(visit.pilot, lambda: visit.chat.workspace.connection.state == "connected")
    visit.app.theme = "kai-light"
    await visit.ask("Write SQL for orders by region")
    picture(visit.app, "light")


async def _reading(visit: Visit) -> None:
    from kai_tui.ui.tables.viewer import TableViewer
    from kai_tui.ui.transcript.view import Transcript

    await until(visit.pilot, lambda: visit.chat.workspace.connection.state == "connected")
    await visit.pilot.press("slash", "c")
    await until(visit.pilot, lambda: visit.chat.query("Popover.-open"))
    picture(visit.app, "commands")
    await visit.pilot.press("escape", "ctrl+u")
    await visit.ask("/demo table")
    await visit.pilot.press("ctrl+o")
    while visit.chat.query_one(Transcript).call_under_cursor is None:
        await visit.pilot.press("up")
    await visit.pilot.press("t")
    await until(visit.pilot, lambda: isinstance(visit.app.screen, TableViewer))
    await visit.pilot.pause(0.7)
    await visit.pilot.press(*["right"] * 6, "shift+down", "shift+down", "shift+down")
    await visit.pilot.pause(0.3)
    picture(visit.app, "table")
    await visit.pilot.press("escape", "g")
    await visit.pilot.pause(0.7)
    picture(visit.app, "chart")


async def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        await _visit(LaunchOptions(), home, _start)
        await _visit(LaunchOptions(sandbox=True), home, _walk)
        await _visit(LaunchOptions(sandbox=True), home, _light)
        await _visit(LaunchOptions(sandbox=True), str(Path(home, "decisions")), _decisions)
        await _visit(LaunchOptions(sandbox=True), str(Path(home, "reading")), _reading)
    sys.stdout.write(f"Drawn in {FOLDER.name}/: {', '.join(sorted(p.name for p in FOLDER.glob('*.png')))}\n")


asyncio.run(main())
