"""What stands below the card of a call that changed something."""

from __future__ import annotations

from typing import Any

from kai_tui.services.changes import PartChanged
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text, tool

URL = "https://stack.test/admin/projects/1/components/x/7"


def links(count: int) -> list[dict[str, str]]:
    return [
        {"type": "ui-detail", "title": f"Thing {number}", "url": f"{URL}{number}"} for number in range(count)
    ]


def changed(name: str = "update_config", count: int = 1, **output: Any) -> dict[str, Any]:
    arguments = {"component_id": "x", "configuration_id": "7"}
    return tool(name, input=arguments, output={"version": 3, "links": links(count), **output})


async def test_a_change_links_what_it_changed_below_its_closed_card() -> None:
    app = TranscriptApp(ChatSource(answer(changed(), text("Done."))))
    async with app.run_test(size=(80, 12)) as pilot:
        lines = app.lines()
        assert lines[0].startswith("  Kai   ✓ update_config  x / 7")
        assert lines[1] == "          ↗ Thing 0  stack.test"
        assert lines[2] == ""
        assert lines[3].strip() == "Done."
        await pilot.click(Transcript, offset=(14, 1))
        assert [each.href for each in app.said if isinstance(each, Transcript.LinkChosen)] == [f"{URL}0"]


async def test_many_links_take_four_lines_and_all_are_in_the_opened_card() -> None:
    app = TranscriptApp(ChatSource(answer(changed(count=7))))
    async with app.run_test(size=(100, 60)) as pilot:
        assert [line.strip() for line in app.lines()[1:5]] == [
            "↗ Thing 0  stack.test",
            "↗ Thing 1  stack.test",
            "↗ Thing 2  stack.test",
            "and 4 more in the opened card",
        ]
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("enter")
        opened = app.lines()
        assert opened[1].strip(" ▌") == "↗ Thing 0  stack.test", "what stood there stays where it is"
        assert any(line.strip(" ▌") == f"↗ Thing 6  {URL}6" for line in opened)
        assert len(app.transcript.links_here()) == 7
        await pilot.press("enter")
        assert len([line for line in app.lines() if line]) == 5


async def test_a_call_that_only_reads_stays_one_line() -> None:
    app = TranscriptApp(ChatSource(answer(changed("get_configs"))))
    async with app.run_test(size=(80, 12)):
        assert [line for line in app.lines() if line] == [app.lines()[0]]


async def test_the_link_comes_when_the_call_ends_and_costs_nothing_before() -> None:
    running = tool("update_config", "input-available", input={"component_id": "x", "configuration_id": "7"})
    source = ChatSource(answer(running))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 12)):
        assert app.lines()[1] == ""
        source.messages[0].parts[0].fields.update(changed())
        app.transcript.apply(PartChanged("a1", 0))
        app.draw()
        assert app.lines()[1].strip() == "↗ Thing 0  stack.test"
        renders = app.transcript._document.renders
        app.transcript.apply(PartChanged("a1", 0))
        app.draw()
        assert app.transcript._document.renders == renders


async def test_the_newest_links_in_sight_are_found_without_reading() -> None:
    source = ChatSource(answer(changed(), id="a1"), answer(changed(count=2), text("Done."), id="a2"))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 12)):
        assert app.transcript.links_here() == [("Thing 0", f"{URL}0"), ("Thing 1", f"{URL}1")]


async def test_a_title_full_of_control_characters_is_made_safe() -> None:
    evil = {"type": "ui-detail", "title": "a\x1b]8;;http://x\x07\u202eb", "url": "https://stack.test/1"}
    app = TranscriptApp(ChatSource(answer(tool("update_config", input={}, output={"links": [evil]}))))
    async with app.run_test(size=(80, 12)):
        assert "\x1b" not in app.shown()
        assert "\u202e" not in app.shown()
        assert "␛" in app.lines()[1]


async def test_the_opened_card_says_how_to_undo_where_that_can_be() -> None:
    for name, said in (("update_config", True), ("create_config", False), ("get_configs", False)):
        app = TranscriptApp(ChatSource(answer(changed(name))))
        async with app.run_test(size=(100, 60)) as pilot:
            app.transcript.focus()
            await pilot.pause(0)
            await pilot.press("enter")
            assert ("u writes a message that would undo this" in app.shown()) is said, app.shown()
