"""Choices under an answer: drawn once and whole, live only under the newest, never a flicker."""

from __future__ import annotations

import pytest

from kai_tui.conversation.events import Finish
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessageChanged, TurnChanged
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, all_lines, answer, text, tool

BLOCK = "```next_actions\n- Show the orders\n- Write **SQL**\n```"


def streaming(content: str = "") -> ChatSource:
    source = ChatSource(Message.user("u1", "Go"), answer(text(content, streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    return source


def end(app: TranscriptApp, reason: str = "stop") -> None:
    assert app.source is not None
    message = app.source.messages[-1]
    message.finish = Finish(reason)  # type: ignore[arg-type]
    app.source.turn = Turn("finished")
    app.transcript.apply(MessageChanged(message.id))
    app.transcript.apply(TurnChanged())
    app.draw()


def picks(app: TranscriptApp) -> list[tuple[str, bool]]:
    return [(told.choice.text, told.live) for told in app.said if isinstance(told, Transcript.ChoicePicked)]


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (34, 20)])
async def test_choices_are_numbered_under_the_newest_answer_and_quiet_under_older_ones(
    size: tuple[int, int],
) -> None:
    app = TranscriptApp(ChatSource(Message.user("u1", "Go"), answer(text(f"Done.\n\n{BLOCK}"))))
    async with app.run_test(size=size):
        shown = [line.strip() for line in app.lines() if line.strip()]
        assert shown[-2:] == ["1  Show the orders", "2  Write **SQL**"]
        assert "next_actions" not in app.shown()
        lines = app.lines()
        at = next(index for index, line in enumerate(lines) if "1  Show" in line)
        assert lines[at - 1].strip() == ""
        assert lines[at - 2].endswith("Done.")
        app.add(Message.user("u2", "Show the orders"))
        app.draw()
        assert "·  Show the orders" in app.shown()
        assert "1  Show" not in app.shown()
        app.add(answer(text(f"More.\n\n{BLOCK}"), id="a2"))
        app.draw()
        assert "·  Show the orders" in app.shown()
        assert "1  Show the orders" in app.shown()


@pytest.mark.some(3)
@pytest.mark.parametrize("done_at_the_end", [True, False])
@pytest.mark.parametrize("before", ["Done.\n\n", "- a\n- b\n\n", "```sql\nSELECT 1\n```\n", ""])
async def test_a_block_that_streams_is_never_seen_as_a_fence(before: str, done_at_the_end: bool) -> None:
    app = TranscriptApp(streaming())
    async with app.run_test(size=(80, 24)):
        for character in before:
            app.grow(0, character)
        app.draw()
        still = [line for line in app.lines() if "thinking" not in line]
        for character in BLOCK:
            app.grow(0, character)
            app.draw()
            assert [line for line in app.lines() if "thinking" not in line] == still
        assert app.source is not None
        if done_at_the_end:
            app.source.messages[-1].parts[0].fields["state"] = "done"
        end(app)
        assert "1  Show the orders" in app.shown()
        assert app.shown().count("Show the orders") == 1
        assert "next_actions" not in app.shown()
        fresh = ChatSource(*app.source.messages)
        assert all_lines(app.transcript) == await drawn_anew(fresh)


async def drawn_anew(source: ChatSource) -> list[str]:
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        return all_lines(app.transcript)


async def test_a_closed_block_shows_at_once_and_becomes_code_when_the_answer_goes_on() -> None:
    app = TranscriptApp(streaming(f"Done.\n\n{BLOCK}\n"))
    async with app.run_test(size=(80, 24)):
        assert "1  Show the orders" in app.shown()
        app.grow(0, "And one more thing.")
        app.draw()
        assert "1  Show" not in app.shown()
        assert " - Show the orders" in app.shown()
        assert "And one more thing." in app.shown()
        end(app)
        assert all_lines(app.transcript) == await drawn_anew(ChatSource(*app.source.messages))  # type: ignore[union-attr]


async def test_another_text_or_a_tool_call_after_it_makes_it_code() -> None:
    app = TranscriptApp(streaming(f"Done.\n\n{BLOCK}\n"))
    async with app.run_test(size=(80, 30)):
        message = app.source.messages[-1]  # type: ignore[union-attr]
        more = answer(text(" ", streaming=True)).parts[0]
        message.parts.append(more)
        app.grow(1, "\n")
        app.draw()
        assert "1  Show the orders" in app.shown()
        app.grow(1, "More.")
        app.draw()
        assert "1  Show" not in app.shown()
        assert " - Show the orders" in app.shown()
        message.parts[1:] = answer(tool()).parts
        app.transcript.apply(MessageChanged(message.id))
        app.draw()
        assert " - Show the orders" in app.shown()
        assert all_lines(app.transcript) == await drawn_anew(app.source)  # type: ignore[arg-type]


async def test_an_answer_cut_in_the_middle_of_an_item_shows_what_came_as_text() -> None:
    app = TranscriptApp(streaming("Done.\n\n```next_actions\n- Show\n- Delete the old ta"))
    async with app.run_test(size=(80, 24)):
        assert "Delete" not in app.shown()
        end(app, "lost")
        assert " - Delete the old ta" in app.shown()
        assert "1  Show" not in app.shown()
        assert "cut off" in app.shown()


async def test_an_answer_of_nothing_but_choices_still_says_who_speaks() -> None:
    app = TranscriptApp(ChatSource(Message.user("u1", "Go"), answer(text(BLOCK))))
    async with app.run_test(size=(80, 24)):
        assert "  Kai   1  Show the orders" in app.lines()


async def test_more_than_nine_and_very_long_and_hostile_items() -> None:
    items = [f"Number {number}" for number in range(1, 11)] + ["a\u202eb\x1b[31m [b]bold[/b]", "w " * 900]
    block = "```next_actions\n" + "\n".join(f"- {item}" for item in items) + "\n```"
    app = TranscriptApp(ChatSource(answer(text(block))))
    async with app.run_test(size=(80, 45)):
        shown = app.shown()
        assert "9  Number 9" in shown
        assert "→  Number 10" in shown
        assert "a⟨U+202E⟩b␛[31m [b]bold[/b]" in shown
        assert shown.count("w ") < 200
        assert "…" in shown


async def test_the_reading_cursor_starts_beside_the_choices_and_enter_picks_only_on_one() -> None:
    app = TranscriptApp(
        ChatSource(answer(text(f"Old.\n\n{BLOCK}")), answer(text(f"New.\n\n{BLOCK}"), id="a2"))
    )
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause()
        await pilot.press("enter")
        assert picks(app) == []
        await pilot.press("down", "enter")
        assert picks(app) == [("Show the orders", True)]
        await pilot.press("c")
        await pilot.pause()
        copied = [told.text for told in app.said if isinstance(told, Transcript.CopyRequested)]
        assert copied == ["Show the orders"]
        await pilot.press("up", "up", "up", "enter")
        assert picks(app)[-1] == ("Show the orders", False)
        await pilot.press("end", "enter")
        assert len(picks(app)) == 2


async def test_a_click_picks_once_and_a_double_click_does_not_pick_twice() -> None:
    app = TranscriptApp(ChatSource(answer(text(f"New.\n\n{BLOCK}"))))
    async with app.run_test(size=(80, 24)) as pilot:
        at = next(index for index, line in enumerate(app.lines()) if "2  Write" in line)
        await pilot.click(Transcript, offset=(14, at), times=2)
        await pilot.pause()
        assert picks(app) == [("Write **SQL**", True)]
        await pilot.click(Transcript, offset=(14, at - 2))
        await pilot.pause()
        assert len(picks(app)) == 1
