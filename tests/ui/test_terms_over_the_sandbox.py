"""Terms and branches on screen, over the real sandbox and over a real HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kai_tui.backends.kai.client import KaiBackend
from kai_tui.backends.secret import Secret
from kai_tui.sandbox.branches import DEVELOPMENT, on_branch
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.server import create_app
from kai_tui.sandbox.transport import StreamingASGITransport
from kai_tui.services.account import Account
from kai_tui.services.account_service import AccountService
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.widgets.composer import Composer
from tests.backends.kai_server import KaiServer, answer, stream
from tests.services.test_history_and_chats import PROJECT
from tests.ui.fakes import Clock, FakeAccounts, app_for, arm, until
from tests.ui.test_chat_screen import ready, words
from tests.ui.test_chat_terms import PAGE, PATH, flat, open_terms, paste

SIZES = pytest.mark.parametrize(
    "size", [(80, 24), pytest.param((140, 45), marks=pytest.mark.slow)], ids=["narrow", "wide"]
)
MAKE = "Create a bucket called made"
MADE = "SELECT count(*) FROM kai_buckets WHERE id='in.c-made'"
BRANCH, (BRANCH_NAME, _) = next(iter(DEVELOPMENT.items()))


def sandbox(home: Path, service: str = "agent") -> KaiApp:
    environ = {"KAI_TUI_HOME": str(home), "KAI_TUI_SANDBOX_PACE": "0", "KAI_SERVICE": service}
    return KaiApp(AccountService(environ), LaunchOptions(sandbox=True))


async def ask(app: KaiApp, pilot: Pilot[object], text: str) -> None:
    app.screen.query_one(Composer).load(text)
    await pilot.press("enter")


@SIZES
async def test_in_a_read_only_chat_nothing_is_asked_and_the_answer_says_why(
    own_home: Path, size: tuple[int, int]
) -> None:
    app = sandbox(own_home)
    async with app.run_test(size=size) as pilot:
        screen = await ready(app, pilot)
        asked: list[object] = []
        screen.workspace.approvals.observe(lambda _: asked.extend(screen.workspace.approvals.pending))
        await open_terms(app, pilot)
        await pilot.press("tab", "right", "enter")
        await until(pilot, lambda: "read-only" in words(app).splitlines()[0])
        await ask(app, pilot, MAKE)
        await until(pilot, lambda: "This chat is read-only, so create_bucket may not run" in flat(app))
        assert asked == []
        chat_id = screen.session.chat_id if screen.session is not None else ""

    # After a restart the chat is what it was.
    again = sandbox(own_home)
    async with again.run_test(size=size) as pilot:
        screen = await ready(again, pilot)
        await screen._open(chat_id)
        await until(pilot, lambda: "read-only" in words(again).splitlines()[0])
        await ask(again, pilot, MAKE)
        await until(pilot, lambda: flat(again).count("Create a bucket called made") >= 2)
        await until(pilot, lambda: screen.session is not None and not screen.session.turn.busy)
        assert not screen.workspace.approvals.pending


async def test_a_question_about_the_pasted_table_is_answered(own_home: Path) -> None:
    app = sandbox(own_home)
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await ready(app, pilot)
        await paste(app, pilot, PAGE)
        await ask(app, pilot, "describe this table")
        await until(pilot, lambda: screen.session is not None and screen.session.turn.phase == "finished")
        await until(pilot, lambda: "in.c-shop.orders" in words(app))
        assert f"↳ about {PATH}" in words(app)


async def test_an_assistant_sandbox_offers_no_read_only_chat(own_home: Path) -> None:
    app = sandbox(own_home, "assistant")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await open_terms(app, pilot)
        assert "There are no read-only chats here: kai-assistant would drop" in flat(app)


@asynccontextmanager
async def on_a_branch(home: Path, clock: Clock) -> AsyncIterator[tuple[KaiApp, Project]]:
    """An app whose account works on a development branch of a sandbox's project."""
    project = Project.open(":memory:")
    served = create_app(project, service="agent", token="t", pace=0)
    url = "http://sandbox.kai-tui.invalid"
    kai = KaiBackend(
        url,
        storage_url=url,
        token=Secret("t"),
        service="agent",
        transport=StreamingASGITransport(served),
        branch_id=BRANCH,
    )
    app = app_for(home, kai, sandbox=False, clock=clock)  # type: ignore[arg-type]
    yield app, project
    project.close()


@SIZES
async def test_the_question_names_the_branch_and_only_the_branch_is_changed(
    own_home: Path, size: tuple[int, int]
) -> None:
    clock = Clock()
    async with on_a_branch(own_home, clock) as (app, project), app.run_test(size=size) as pilot:
        account = Account("b", "kai", "Shop", branch_id=BRANCH, branch_name=BRANCH_NAME)
        app.open_account(account)
        await ready(app, pilot)
        await ask(app, pilot, MAKE)
        clock.now += 5
        await until(pilot, lambda: app.workspace is not None and app.workspace.approvals.pending)
        clock.now += 5
        app.desk.update()
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog) and app.screen.is_mounted)
        dialog = app.screen
        assert isinstance(dialog, ApprovalDialog)
        await until(pilot, lambda: f"branch {BRANCH_NAME} ({BRANCH})" in " ".join(words(app).split()))
        await arm(pilot, dialog, clock)
        await pilot.press("right")
        clock.now += 0.2
        await pilot.press("enter")
        await until(pilot, lambda: "is there, and empty" in flat(app))
        with project.look() as main, on_branch(project, BRANCH).look() as branch:
            assert main.execute(MADE).fetchone()[0] == 0
            assert branch.execute(MADE).fetchone()[0] == 1


async def test_what_is_chosen_is_what_arrives(own_home: Path) -> None:
    async with KaiServer() as server:
        server.on("GET /api", answer(200, {"appName": "kai"}))
        server.on("GET /api/history", answer(200, {"chats": [], "hasMore": False}))
        server.on("GET /api/settings/tools", answer(200, {"tools": []}))
        server.on("GET /api/settings/user", answer(200, {}))
        server.on(
            "POST /api/chat",
            stream(b'data: {"type":"start"}\n\ndata: {"type":"finish","finishReason":"stop"}\n\n'),
        )
        kai = KaiBackend(
            server.url,
            storage_url=server.url,
            token=Secret("1-2-x"),
            service="agent",
            branch_id=4711,
            workspace_id="99",
        )
        app = app_for(own_home, kai, sandbox=False)  # type: ignore[arg-type]
        account = PROJECT._replace(storage_url=server.url, project_id="12", branch_id=4711)
        page = "/admin/projects/12/storage/in.c-shop"
        async with app.run_test(size=(80, 24)) as pilot:
            assert isinstance(app.accounts, FakeAccounts)
            app.open_account(account)
            await ready(app, pilot)
            await open_terms(app, pilot)
            await pilot.press("right", "tab", "right", "enter")
            await until(pilot, lambda: "public" in words(app).splitlines()[0])
            await paste(app, pilot, f"{server.url}{page}")
            await until(pilot, lambda: "Backspace" in words(app))
            await pilot.press("h", "i", "enter")
            await until(pilot, lambda: any(seen.call == "POST /api/chat" for seen in server.seen))
        (seen,) = (each for each in server.seen if each.call == "POST /api/chat")
        assert seen.body["selectedVisibilityType"] == "public"
        assert seen.body["toolRestrictions"] == {"readOnlyMode": True}
        assert seen.body["branchId"] == 4711
        assert seen.body["message"]["metadata"] == {"hidden": False, "requestContext": {"path": page}}
        assert {each.headers.get("x-workspace-id") for each in server.seen} == {"99"}
