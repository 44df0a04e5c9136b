"""Reading on the whole screen: the keys in the footer, files, the table viewer, links."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from kai_tui.ui.app import KaiApp
from kai_tui.ui.modals.open_link import OpenLink
from kai_tui.ui.modals.save_as import SaveAs
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.tables.viewer import TableViewer
from kai_tui.ui.transcript.pieces import Kind
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, until
from tests.ui.test_chat_screen import ready, reply, words

ANSWER = """The query, see [docs](https://docs.example/q):

```sql
-- Orders by region
select region, count(*) from orders group by region
```

| region | n |
|---|---|
| West | 4 |
"""


async def reading(app: KaiApp, pilot: Pilot[None], kind: Kind) -> ChatScreen:
    """An answer that is read, the cursor on its first block of a kind."""
    screen = await ready(app, pilot)
    await pilot.press(*"hello", "enter")
    await until(pilot, lambda: "West" in words(app) and not screen.session.turn.busy)
    await pilot.press("ctrl+o", "home")
    for _ in range(10):
        stop = screen._transcript.stop
        if stop is not None and stop.kind == kind:
            return screen
        await pilot.press("down")
    raise AssertionError(kind)


def footer(app: KaiApp) -> str:
    return words(app).split("\n")[-1]


async def test_the_footer_names_the_keys_for_what_is_read(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply(ANSWER)]))
    async with app.run_test(size=(140, 30)) as pilot:
        screen = await reading(app, pilot, "code")
        await until(pilot, lambda: "c copy  p lay out  s save" in footer(app))
        assert "' jump" in footer(app)
        await pilot.press("p")
        await until(pilot, lambda: "p as it was" in footer(app))
        await pilot.press("down")
        await until(pilot, lambda: "Enter open  c copy  s save" in footer(app))
        await pilot.press("tab", "shift+tab")
        await until(pilot, lambda: "Enter open link" in footer(app))
        await pilot.press("apostrophe")
        await until(pilot, lambda: "letters go there" in footer(app))
        await pilot.press("escape")
        await until(pilot, lambda: "letters" not in footer(app))
        assert screen._transcript.has_focus
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "jump" not in footer(app) and "Ctrl+P" in footer(app))


async def test_a_block_is_saved_where_the_user_says(own_home: Path, tmp_path: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply(ANSWER)]))
    async with app.run_test(size=(100, 30)) as pilot:
        await reading(app, pilot, "code")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, SaveAs))
        dialog = app.screen
        assert isinstance(dialog, SaveAs)
        assert dialog.input.value.endswith("orders-by-region.sql")
        dialog.input.value = str(tmp_path / "mine.sql")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        saved = (tmp_path / "mine.sql").read_text("utf-8")
        assert saved == "-- Orders by region\nselect region, count(*) from orders group by region\n"
        await until(pilot, lambda: any("mine.sql" in each.message for each in app._notifications))


async def test_what_is_saved_cannot_hide_anything(own_home: Path, tmp_path: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply("West\n\n```sh\necho \u202eabc\x1b[2J\n```\n")]))
    async with app.run_test(size=(100, 30)) as pilot:
        await reading(app, pilot, "code")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, SaveAs))
        dialog = app.screen
        assert isinstance(dialog, SaveAs)
        dialog.input.value = str(tmp_path / "x.sh")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        saved = (tmp_path / "x.sh").read_text("utf-8")
        assert "\x1b" not in saved
        assert "\u202e" not in saved
        assert "U+202E" in saved


async def test_a_table_is_saved_as_data(own_home: Path, tmp_path: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply(ANSWER)]))
    async with app.run_test(size=(100, 30)) as pilot:
        await reading(app, pilot, "table")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, SaveAs))
        dialog = app.screen
        assert isinstance(dialog, SaveAs)
        dialog.input.value = str(tmp_path / "t.csv")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert (tmp_path / "t.csv").read_text("utf-8") == "region,n\nWest,4\n"


@pytest.mark.parametrize("key", ["enter", "t"])
async def test_a_table_of_an_answer_opens_in_the_viewer(own_home: Path, key: str) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply(ANSWER)]))
    async with app.run_test(size=(100, 30)) as pilot:
        await reading(app, pilot, "table")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, TableViewer))
        await until(pilot, lambda: "West" in words(app))


async def test_a_link_is_followed_only_after_a_question(own_home: Path) -> None:
    app = app_for(own_home, ScriptedBackend(replies=[reply(ANSWER)]))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await reading(app, pilot, "paragraph")
        await pilot.press("tab")
        await until(pilot, lambda: "docs.example" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, OpenLink))
        assert "https://docs.example/q" in words(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen._transcript.link == "https://docs.example/q"
