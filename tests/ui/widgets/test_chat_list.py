from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from textual import events

from kai_tui.backends.base import ChatSummary
from kai_tui.ui.widgets.chat_list import ChatList
from kai_tui.ui.widgets.sidebar import NO_CHATS, NOTHING_FOUND, Sidebar
from tests.ui.widgets.widget_apps import row_text, running, until

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def now() -> datetime:
    return NOW


def chats(count: int, *, first: int = 0) -> list[ChatSummary]:
    return [
        ChatSummary(str(i), f"Chat {i}", (NOW - timedelta(hours=5 * i)).isoformat().replace("+00:00", "Z"))
        for i in range(first, first + count)
    ]


def opened(app: object) -> list[str]:
    return [message.chat_id for message in app.said(ChatList.Opened)]  # type: ignore[attr-defined]


async def test_keys_move_and_open_in_order() -> None:
    listed = ChatList(now=now)
    async with running(listed) as (app, _):
        listed.show(chats(100))
        await app.press("↓↓⏎↑⏎")
        assert opened(app) == ["2", "1"]
        await app.press(["end", "enter", "home", "enter", "pagedown", "pageup", "enter", "j", "enter"])
        assert opened(app)[2:] == ["99", "0", "0", "1"]
        await app.press(["delete", "d"])
        assert [message.chat_id for message in app.said(ChatList.DeleteRequested)] == ["1", "1"]


async def test_the_cursor_stays_with_its_chat() -> None:
    listed = ChatList(now=now)
    async with running(listed) as (app, pilot):
        listed.show(chats(100, first=10))
        await pilot.pause(0)
        assert listed.cursor_id == "10"
        await app.press("↓" * 40)
        await pilot.pause(0)
        at = listed.cursor_line - listed.scroll_offset.y
        listed.show(chats(110))
        await pilot.pause(0)
        assert listed.cursor_id == "50"
        assert listed.cursor_line - listed.scroll_offset.y == at
        # Gone: the next one takes its place.
        listed.show([chat for chat in chats(110) if chat.id != "50"])
        assert listed.cursor_id == "51"
        listed.show([])
        assert listed.cursor_id is None
        await app.press("↓⏎")
        listed.show(chats(3))
        assert listed.cursor_id == "0"


async def test_what_is_seen_stays_when_the_cursor_is_elsewhere() -> None:
    listed = ChatList(now=now)
    async with running(listed) as (_, pilot):
        listed.show(chats(200, first=10))
        await pilot.pause(0)
        listed.scroll_to(y=100, animate=False)
        await pilot.pause(0)
        seen = [row_text(listed, y) for y in range(5)]
        listed.show(chats(210))
        await pilot.pause(0)
        assert [row_text(listed, y) for y in range(5)] == seen


async def test_rows_show_marks_titles_and_headers() -> None:
    listed = ChatList(now=now)
    async with running(listed, size=(24, 10)) as (_, pilot):
        titles = ["[/nope] \x1b[31m", "数据表格测试数据表格测试", " ", "a very long title of a chat"]
        listed.show([ChatSummary(str(i), title, "2026-11-21T08:00:00Z") for i, title in enumerate(titles)])
        listed.open_id = "0"
        listed.show_marks({"0": ("working", 0), "1": ("waiting", 2), "2": ("new", 0), "3": ("failed", 1)})
        await pilot.pause(0)
        assert [row_text(listed, y) for y in range(6)] == [
            " Today                  ",
            "▌[/nope] ␛[31m        ● ",
            " 数据表格测试数据表… 2! ",
            " Untitled chat      new ",
            " a very long title o… ✗ ",
            "                        ",
        ]
        listed.show_marks({"1": ("waiting", 2)})
        assert "●" not in row_text(listed, 1)


async def test_more_is_asked_for_once_near_the_end() -> None:
    listed = ChatList(now=now)
    async with running(listed) as (app, _):
        listed.show(chats(100))
        await app.settle()
        assert app.said(ChatList.NearEnd) == []
        await app.press(["end", "up", "down", "end"])
        await until(lambda: app.said(ChatList.NearEnd))
        await app.settle()
        assert len(app.said(ChatList.NearEnd)) == 1
        listed.show(chats(150))
        await app.press(["down"])
        await app.settle()
        assert len(app.said(ChatList.NearEnd)) == 1
        await app.press(["end"])
        await until(lambda: len(app.said(ChatList.NearEnd)) == 2)


async def test_mouse_opens_hovers_and_scrolls() -> None:
    listed = ChatList(now=now)
    async with running(listed) as (app, pilot):
        listed.show(chats(100))
        await pilot.pause(0)
        await pilot.hover(listed, offset=(3, 2))
        assert listed.hover_line == 2
        await pilot.click(listed, offset=(3, 2))
        assert opened(app) == ["1"]
        await pilot.click(listed, offset=(3, 0))  # a header
        assert opened(app) == ["1"]
        top = listed.scroll_offset.y
        listed.post_message(
            events.MouseScrollDown(listed, 3, 3, 0, 0, 0, False, False, False, screen_x=3, screen_y=3)
        )
        await pilot.pause()
        assert listed.scroll_target_y > top


async def test_fifty_thousand_rows_stay_fluid() -> None:
    listed = ChatList(now=now)
    async with running(listed) as (app, pilot):
        many = chats(50_000)
        start = time.process_time()
        listed.show(many)
        await app.press("↓" * 50)
        await app.press(["end", "home"])
        listed.filter("99")
        listed.filter("")
        await pilot.pause(0)
        # About 0.15 s of CPU; the bound is for a loaded machine.
        assert time.process_time() - start < 1.5
        assert listed.virtual_size.height > 50_000


# The sidebar


async def test_the_search_field_filters_before_the_next_key_acts() -> None:
    sidebar = Sidebar(now=now)
    async with running(sidebar, focus=False) as (app, pilot):
        sidebar.show([*chats(50), ChatSummary("x", "Why did job 4711 fail?", "2026-11-01T00:00:00Z")])
        sidebar.focus_list()
        await pilot.pause(0)
        await app.press(["slash", *"faz", "backspace", "i", "enter"])
        assert opened(app) == ["x"]
        await pilot.pause(0)
        assert app.focused is sidebar.filter_input
        assert sidebar.filter_input.value == "fai"
        await app.press("⌫" * 3 + "Chat↓↓⏎")
        assert opened(app) == ["x", "2"]
        app.post_message(events.Paste(" 44\nmore"))
        await app.press("⏎")
        assert opened(app)[-1] == "44"
        await app.press(["escape"])
        assert (sidebar.filter_input.value, sidebar.chat_list.needle) == ("", "")
        assert sidebar.chat_list.cursor_id == "44"


async def test_what_the_sidebar_says() -> None:
    sidebar = Sidebar(now=now)
    async with running(sidebar, focus=False) as (app, pilot):
        listed, notice = sidebar.chat_list, sidebar.query_one("#chats-notice")

        def text() -> str:
            return row_text(listed).strip()

        sidebar.show([], loading=True)
        await pilot.pause(0)
        assert text() == "loading…"
        assert notice.display
        sidebar.show([])
        await pilot.pause(0)
        assert text() == NO_CHATS
        assert not notice.display
        sidebar.show(chats(3), offline="The server [b]did\x1b[31m not answer.")
        await pilot.pause(0)
        assert str(notice.render()) == "offline: showing copies"
        assert "\x1b" not in str(notice.tooltip)
        sidebar.focus_filter()
        await app.press("zzz")
        assert text() == NOTHING_FOUND
        sidebar.open_id = "1"
        assert sidebar.open_id == "1"
