"""How the question before a change looks, for every tool that writes and for one nobody knows."""

from __future__ import annotations

import pytest

from kai_tui.conversation.tools import MARKS, title
from kai_tui.services.present_values import Known, Look
from kai_tui.ui.modals.approval import ApprovalDialog
from tests.snapshots import assert_same_picture
from tests.ui.asked_tools import ASKED, NOW
from tests.ui.fakes import Clock, approval, arm, until
from tests.ui.test_approval_dialog import Host

WIDE = ((140, 45), "kai-dark")
NARROW = ((80, 24), "kai-light")


@pytest.mark.some(6)
@pytest.mark.parametrize(("size", "theme"), [WIDE, pytest.param(*NARROW, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ASKED)
async def test_snapshot_question(name: str, size: tuple[int, int], theme: str) -> None:
    case, clock, app = ASKED[name], Clock(), Host()
    app.theme = theme
    asked = approval(
        tool_name=case.tool,
        title=title(case.tool),
        input=case.input,
        account="Acme Analytics",
        colour="green",
        host="connection.north-europe.azure.keboola.com",
        chat_title="Orders by region",
        rule="the server asks",
    )
    async with app.run_test(size=size) as pilot:
        dialog = ApprovalDialog(asked, clock=clock, stamp=lambda event: clock(), wall=lambda: NOW)
        dialog.follow(lambda _: Look(Known(case.presents), lambda look: None))
        app.push_screen(dialog)
        await until(pilot, lambda: app.screen is dialog and dialog.is_mounted)
        await arm(pilot, dialog, clock)
        await pilot.pause()
        look = "wide" if size == WIDE[0] else "narrow"
        assert_same_picture(app, f"question-{name}-{look}")


def test_every_tool_that_writes_has_its_picture() -> None:
    writing = {name for name, mark in MARKS.items() if mark != "R"} - {"modify_data_app"}
    assert writing <= set(ASKED)
