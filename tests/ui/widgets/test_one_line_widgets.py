from __future__ import annotations

import pytest
from rich.cells import cell_len

from kai_tui.ui.widgets.chat_header import ChatHeader
from kai_tui.ui.widgets.new_lines_pill import NewLinesPill
from kai_tui.ui.widgets.one_line import Fact, clip, fit
from kai_tui.ui.widgets.status_bar import StatusBar, StatusFacts
from tests.ui.widgets.widget_apps import row_text, running, until

KEYS = (("Ctrl+N", "new"), ("Ctrl+B", "chats"), ("Ctrl+P", "commands"), ("F1", "help"))
BUSY = StatusFacts(
    "streaming",
    since=100.0,
    tokens=1204,
    waiting=2,
    account="Keboola EU",
    project="my-project",
    branch="dev-12",
    keys=KEYS,
)


class Clock:
    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


async def line(facts: StatusFacts, width: int, at: float = 112.4) -> str:
    bar = StatusBar(clock=Clock(at))
    async with running(bar, size=(width, 3), focus=False):
        bar.update_status(facts)
        return row_text(bar)


async def test_the_status_line_drops_the_less_important_first() -> None:
    assert await line(BUSY, 142) == (
        "● streaming 12 s · 2 decisions wait · 1,204 tokens · Keboola EU · my-project · dev-12"
        "     Ctrl+N new  Ctrl+B chats  Ctrl+P commands  F1 help"
    )
    eighty = await line(BUSY, 80)
    assert eighty.startswith("● streaming 12 s · 2 decisions wait · ")
    assert "dev-12" in eighty
    assert "tokens" not in eighty
    assert await line(BUSY, 30) == "● streaming 12 s · 2!       "


@pytest.mark.some(4)
@pytest.mark.parametrize("width", [3, 5, 10, 20, 30, 40, 60, 80, 100, 200])
async def test_the_status_line_always_fits(width: int) -> None:
    for facts in (
        BUSY,
        BUSY._replace(activity="offline", since=None, reason="The server did not answer. " * 5),
        BUSY._replace(activity="waiting", since=None, note="token from STORAGE_API_TOKEN", queued=3),
        BUSY._replace(account="数据" * 20, project="表格" * 20, server_says="reads tables " * 5),
        StatusFacts(),
    ):
        assert cell_len(await line(facts, width)) == max(0, width - 2)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (StatusFacts("connecting"), "● connecting…"),
        (StatusFacts("waiting", waiting=1), "! waiting for your decision"),
        (StatusFacts("waiting", waiting=3), "! waiting for 3 decisions"),
        (StatusFacts("offline", reason="no\x1b[31m network"), "offline: no␛[31m network"),
        (StatusFacts("streaming", since=0.0), "● streaming 1 min 52 s"),
        (StatusFacts("idle", waiting=1), "1 decision waits"),
        (StatusFacts(project="[/nope]", branch="main"), "[/nope] · main"),
    ],
)
async def test_what_the_status_line_says(facts: StatusFacts, expected: str) -> None:
    assert (await line(facts._replace(keys=()), 80)).strip() == expected


async def test_the_seconds_count_and_only_then_a_timer_runs() -> None:
    clock = Clock(100.98)
    bar = StatusBar(clock=clock)
    async with running(bar, focus=False) as (_, pilot):
        assert not bar.counting
        bar.update_status(StatusFacts("streaming", since=100.0))
        assert bar.counting
        assert "streaming 0 s" in row_text(bar)
        timer = bar._timer
        clock.at = 101.5
        await until(lambda: bar._timer is not timer)
        assert "streaming 1 s" in row_text(bar)
        bar.update_status(StatusFacts())
        assert not bar.counting
        await pilot.pause(0)


async def test_the_header_keeps_the_title_and_an_unusual_branch() -> None:
    header = ChatHeader()
    for width, branch, expected in (
        (80, "main", "Orders by region · Kai · my-project · main"),
        (40, "main", "Orders by region · Kai · my-project"),
        (30, "dev-12", "Orders by region · dev-12"),
        (20, "dev-12", "Orders b… · dev-12"),
        (14, "dev-12", "dev-12"),
        (80, "", "Orders by region · Kai · my-project"),
    ):
        header = ChatHeader()
        async with running(header, size=(width, 3), focus=False):
            header.show("Orders by region", assistant="Kai", project="my-project", branch=branch)
            assert row_text(header).rstrip() == expected
    header = ChatHeader()
    async with running(header, focus=False):
        header.show(" \n")
        assert row_text(header).rstrip() == "New chat"


async def test_the_pill_is_seen_when_there_is_something_to_say() -> None:
    pill = NewLinesPill()
    async with running(pill, focus=False) as (app, pilot):
        assert not pill.display
        for lines, words in (
            (12, "↓ 12 new lines · End"),
            (1, "↓ 1 new line · End"),
            (0, "↓ to the end · End"),
        ):
            pill.lines = lines
            await pilot.pause(0)
            assert str(pill.render()) == words
            assert pill.size.width == cell_len(words)
        await pilot.click(pill)
        assert len(app.said(NewLinesPill.Pressed)) == 1
        pill.lines = None
        await pilot.pause(0)
        assert not pill.display


def test_fit_cuts_then_shortens_then_leaves_out() -> None:
    facts = [Fact("first thing", "a", 10, least=5), Fact("second", "b", 5, short="2"), Fact("", "c", 99)]
    assert [fact.text for fact in fit(facts, 20, 3)] == ["first thing", "second"]
    assert [fact.text for fact in fit(facts, 16, 3)] == ["first thing", "2"]
    assert [fact.text for fact in fit(facts, 12, 3)] == ["first thing"]
    assert [fact.text for fact in fit(facts, 6, 3)] == ["first…"]
    assert [fact.text for fact in fit(facts, 2, 3)] == ["f…"]
    assert fit(facts, 0, 3) == []
    assert clip("数据表格", 5) == "数据…"


async def test_keys_give_way_to_facts_but_not_those_that_lead_to_all_others() -> None:
    keys = (("Ctrl+P", "commands"), ("F1", "help"), ("Ctrl+N", "new"), ("Ctrl+B", "chats"))
    facts = StatusFacts(tokens=1204, quota="1 of 500", account="Sandbox", keys=keys)
    eighty = await line(facts, 80)
    assert " ".join(eighty.split()) == "1,204 tokens · 1 of 500 · Sandbox Ctrl+P commands F1 help Ctrl+N new"
    assert "Ctrl+B chats" in await line(facts._replace(tokens=None), 80)
    crowded = facts._replace(server_says="reads tables " * 5, note="token from the environment")
    assert (await line(crowded, 80)).endswith("Ctrl+P commands  F1 help")


async def test_what_is_allowed_is_said_shorter_before_its_key_goes() -> None:
    keys = (("Alt+Z", "take back"), ("Esc", "stop"), ("Ctrl+P", "commands"), ("F1", "help"))
    facts = StatusFacts(
        "streaming",
        since=100.0,
        allowed="update_descriptions",
        allowed_calls="4 calls",
        allowed_until=695.0,
        account="Sandbox",
        keys=keys,
    )
    assert (await line(facts, 80)).startswith("● streaming 12 s · allowed 9 min 43 s ")
    assert (await line(facts, 80)).endswith("Alt+Z take back  Esc stop")
    switched = facts._replace(switched=True, activity="idle", since=None)
    assert "Alt+Z take back" in await line(switched, 80)
    assert "Alt+Z" not in await line(switched._replace(activity="waiting", waiting=1), 50)
