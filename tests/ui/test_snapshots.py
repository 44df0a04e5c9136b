"""How the screens look, in both themes and at two sizes. `make snapshots` renews the pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import Chat, ChatSummary
from kai_tui.conversation.messages import Message
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.confirm_delete import ConfirmDelete
from kai_tui.ui.modals.help import HelpDialog
from kai_tui.ui.modals.sign_in import SignInDialog
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.widgets.chat_list import ChatList
from kai_tui.ui.widgets.composer import Composer
from tests.services.scripted_backend import ScriptedBackend
from tests.snapshots import assert_same_picture
from tests.ui.fakes import Clock, app_for, approval, arm, kai_account, until

SIZES = [(80, 24), (140, 45)]
THEMES = ["kai-dark", "kai-light"]
LONG_AGO = "2020-01-01T10:00:00Z"

ANSWER = """West sold most: **33,225 euro**, ahead of `East`. See [the docs](https://help.keboola.com/sales).

| region | orders | amount |
| --- | --: | --: |
| West | 143 | 33,225.00 |
| 東京 | 9 | 1.50 |

1. Cancelled orders are *not* counted.
2. Amounts are in euro:
   - without tax
   - ~~with shipping~~

> Numbers are of this morning.

```sql
SELECT region, sum(amount) AS amount -- per region
FROM "in.c-shop"."orders" WHERE status <> 'cancelled'
```
"""

PICTURES = pytest.mark.parametrize(
    ("size", "theme"),
    [
        (SIZES[0], THEMES[0]),
        pytest.param(SIZES[0], THEMES[1], marks=pytest.mark.slow),
        pytest.param(SIZES[1], THEMES[0], marks=pytest.mark.slow),
        (SIZES[1], THEMES[1]),
    ],
)
"""Every size and every theme in every run, every pair of them in the slow one."""
pytestmark = PICTURES


def name_of(what: str, size: tuple[int, int], theme: str) -> str:
    return f"{what}-{theme.removeprefix('kai-')}-{size[0]}x{size[1]}"


def conversation() -> ScriptedBackend:
    """A server with a chat that holds one of everything."""
    wire = {
        "id": "answer",
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "text": "Sales per region, then.", "state": "done"},
            {
                "type": "dynamic-tool",
                "toolName": "query_data",
                "toolCallId": "1",
                "state": "output-available",
                "input": {
                    "sql_query": "SELECT region, sum(amount) FROM orders GROUP BY 1",
                    "query_name": "Sales",
                },
                "output": {"csv_data": "region,amount\nWest,33225\nEast,25274\n"},
            },
            {
                "type": "tool-create_bucket",
                "toolCallId": "2",
                "state": "output-denied",
                "input": {"name": "test-bucket"},
            },
            {
                "type": "tool-run_job",
                "toolCallId": "3",
                "state": "output-error",
                "input": {"component_id": "keboola.ex-crm", "configuration_id": "42"},
                "errorText": "The job could not be started.",
            },
            {"type": "text", "text": ANSWER, "state": "done"},
        ],
    }
    summary = ChatSummary("orders", "Orders by region", LONG_AGO, LONG_AGO)
    other = ChatSummary("crm", "Fix the CRM flow", LONG_AGO, LONG_AGO)
    chat = Chat(summary, [Message.user("u", "Which region sold most?"), Message.from_wire(wire)])
    return ScriptedBackend(stored={"orders": chat, "crm": Chat(other, [])})


async def test_snapshot_start(size, theme, tmp_path: Path) -> None:
    app = app_for(tmp_path, sandbox=False, known=[kai_account(1), kai_account(2)])
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "Project 2" in app.export_screenshot().replace("&#160;", " "))
        assert_same_picture(app, name_of("start", size, theme))


async def test_snapshot_chat(size, theme, tmp_path: Path) -> None:
    app = app_for(tmp_path, conversation())
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        workspace = app.workspace
        assert workspace is not None
        await until(
            pilot, lambda: workspace.connection.state == "connected" and len(workspace.history.rows) == 2
        )
        app.screen.query_one(Composer).cursor_blink = False
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        chats = screen.query_one(ChatList)
        chats.post_message(ChatList.Opened(chats, "orders"))
        await until(pilot, lambda: screen.session is not None and screen.session.chat_id == "orders")
        await pilot.pause(0.2)
        assert_same_picture(app, name_of("chat", size, theme))


async def test_snapshot_approval(size, theme, tmp_path: Path) -> None:
    clock = Clock()
    app = app_for(tmp_path, clock=clock)
    app.theme = theme
    asked = approval(
        tool_name="update_descriptions",
        title="Update descriptions",
        risk="changes",
        input={
            "updates": [
                {"item_id": "in.c-crm.customers", "description": "One row per customer.\nLoaded at 06:00."},
                {"item_id": "in.c-crm.de\u0430ls", "description": "Wholesale\u202e deals"},
            ],
            "dry_run": False,
            "rows": 12345678901234567890,
        },
    )
    async with app.run_test(size=size) as pilot:
        workspace = app.workspace
        assert workspace is not None
        await until(pilot, lambda: workspace.connection.state == "connected")
        app.screen.query_one(Composer).cursor_blink = False
        workspace.approvals.ask(asked, lambda approval, decision: None)
        await until(pilot, lambda: isinstance(app.screen, ApprovalDialog))
        dialog = app.screen
        assert isinstance(dialog, ApprovalDialog)
        await arm(pilot, dialog, clock)
        assert_same_picture(app, name_of("approval", size, theme))


async def test_snapshot_dialogs(size, theme, tmp_path: Path) -> None:
    app = app_for(tmp_path)
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        workspace = app.workspace
        assert workspace is not None
        await until(pilot, lambda: workspace.connection.state == "connected")
        app.screen.query_one(Composer).cursor_blink = False
        for what, dialog in (
            ("delete", ConfirmDelete("3f2a9d", "Orders\u202e by region", messages=12)),
            ("sign-in", SignInDialog(app.accounts)),
            ("help", HelpDialog()),
        ):
            app.push_screen(dialog)
            await until(pilot, lambda dialog=dialog: app.screen is dialog)
            for field in app.screen.query("Input"):
                field.cursor_blink = False  # type: ignore[attr-defined]
            await pilot.pause(0.1)
            assert_same_picture(app, name_of(what, size, theme))
            app.pop_screen()
