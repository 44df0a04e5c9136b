"""How the list of waiting questions looks, in both themes and at two sizes. `make snapshots` renews the pictures."""

from __future__ import annotations

import time
from pathlib import Path

from kai_tui.services.approval_service import Decision
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.storage.inbox import Asked, to_note
from kai_tui.storage.paths import account_files
from kai_tui.ui.modals.inbox import InboxDialog
from kai_tui.ui.widgets.composer import Composer
from tests.snapshots import assert_same_picture
from tests.ui.fakes import app_for, kai_account, until
from tests.ui.test_approval_desk import Decisions, started, words
from tests.ui.test_snapshots import PICTURES, name_of

pytestmark = PICTURES

HOUR = 3600.0


async def test_snapshot_inbox(size, theme, tmp_path: Path) -> None:
    other = kai_account()
    app = app_for(tmp_path, known=[other])
    now = time.time()
    elsewhere = Asked(
        "w9", "d9", tool_name="deploy_data_app", sentence="Deploy the data app 4711", effect="deploys",
        chat_title="Dashboard", branch="main", asked_at=now - 30 * HOUR,
    )  # fmt: skip
    keeper = DiskKeeper(account_files(app.accounts.paths, other.id))
    await keeper.keep_note("chat-9", "asked", to_note([elsewhere], "gone"))
    await keeper.aclose()
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        await started(app, pilot)
        app.screen.query_one(Composer).cursor_blink = False
        asked = Decisions(app)
        asked.ask(
            "a", digest="a", asked_at=now - 2.5 * HOUR, together=True, message_id="m", account="Sandbox"
        )
        asked.ask(
            "b", digest="b", tool_name="run_job", title="Run a job", asked_at=now - 2.5 * HOUR, together=True,
            input={"component_id": "keboola.ex-db-mysql", "configuration_id": "123"}, message_id="m",
        )  # fmt: skip
        asked.ask(
            "c", digest="c", chat_id="chat-2", chat_title="Nightly flow", tool_name="update_flow", title="Update a flow",
            input={"configuration_id": "77", "change_description": "shorter"}, asked_at=now - 200, message_id="n",
            branch="1234",
        )  # fmt: skip
        app.desk.put_off_all()
        app.action_show_inbox()
        await until(
            pilot, lambda: isinstance(app.screen, InboxDialog) and "1 in another account" in words(app)
        )
        dialog = app.screen
        assert isinstance(dialog, InboxDialog)
        pending = list(asked.service.pending)
        dialog._decided(pending[0], Decision(approved=True))
        dialog._decided(pending[2], Decision(approved=False))
        await until(pilot, lambda: dialog.guard.armed)
        await until(pilot, lambda: "Send 1 answer" in words(app))
        app.screen.refresh()
        await pilot.pause(0.1)
        assert_same_picture(app, name_of("inbox", size, theme))
