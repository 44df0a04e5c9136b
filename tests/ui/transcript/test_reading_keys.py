"""What the keys do while the conversation is read: links, jumping, blocks, selecting."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import pytest
from textual.pilot import Pilot

from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessagesReset
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.jumping import labels
from kai_tui.ui.transcript.messages import Remarked, SaveRequested, TableChosen
from kai_tui.ui.transcript.pieces import Kind
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, strips, text, tool
from tests.ui.transcript.corpus import document

T = TypeVar("T")
SQL = "select a, b from t where x = 'one  two' order by a"
ANSWER = f"""See [the docs](https://docs.example/a) and https://b.example/c.

```sql
{SQL}
```

| a | b |
|---|---|
| 1 | 2 |

- [Third](https://third.example/)
- [Bad](javascript:alert(1)) [Worse](https://help.example@evil.example/)
"""


class Reading(TranscriptApp):
    """Keeps what the reading keys ask for too."""

    def on_transcript_remarked(self, message: Remarked) -> None:
        self.said.append(message)

    def on_transcript_save_requested(self, message: SaveRequested) -> None:
        self.said.append(message)

    def on_transcript_table_chosen(self, message: TableChosen) -> None:
        self.said.append(message)

    def asked(self, kind: type[T]) -> T:
        """The last message of a kind."""
        return next(each for each in reversed(self.said) if isinstance(each, kind))

    def links(self) -> list[str]:
        """What was asked to be opened."""
        return [each.href for each in self.said if isinstance(each, Transcript.LinkChosen)]


async def stand_on(app: TranscriptApp, pilot: Pilot[None], kind: Kind) -> None:
    """The cursor from the top to the first stop of a kind."""
    app.transcript.focus()
    await pilot.pause(0)
    app.transcript.action_scroll_home()
    for _ in range(200):
        stop = app.transcript.stop
        if stop is not None and stop.kind == kind:
            return
        app.transcript.action_cursor_down()
    raise AssertionError(kind)


def highlighted(app: TranscriptApp) -> str:
    ground = app.transcript._current_palette().selection.bgcolor
    return "".join(
        segment.text
        for strip in strips(app.transcript)
        for segment in strip
        if segment.style and segment.style.bgcolor == ground
    )


# -- links ---------------------------------------------------------------------------------------


async def test_tab_walks_over_the_links_of_the_block_and_says_where_each_leads() -> None:
    app = Reading(ChatSource(Message.user("u1", "Q"), answer(text(ANSWER))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "paragraph")
        await pilot.press("tab")
        assert highlighted(app) == "the docs"
        assert app.lines()[-1].split() == ["→", "docs.example", "https://docs.example/a"]
        await pilot.press("tab")
        assert highlighted(app) == "https://b.example/c"
        await pilot.press("tab")
        assert highlighted(app) == "the docs", "round again: only what is under the cursor"
        await pilot.press("shift+tab", "enter")
        assert app.links() == ["https://b.example/c"]
        await pilot.press("down")
        assert highlighted(app) == ""
        assert "→" not in app.shown()


async def test_tab_goes_on_to_the_next_block_with_a_link() -> None:
    app = Reading(ChatSource(Message.user("u1", "Q"), answer(text(ANSWER))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        await pilot.press("tab")
        assert highlighted(app) == "Third"
        assert app.transcript.stop is not None
        assert app.transcript.stop.kind == "list"
        await stand_on(app, pilot, "code")
        await pilot.press("shift+tab")
        assert highlighted(app) == "https://b.example/c"


async def test_a_link_that_lies_says_so_before_it_is_followed() -> None:
    app = Reading(ChatSource(answer(text(ANSWER))))
    async with app.run_test(size=(100, 24)) as pilot:
        await stand_on(app, pilot, "list")
        await pilot.press("tab")
        seen: list[str] = []
        for _ in range(len(app.transcript.links_here())):
            seen.append(app.lines()[-1].strip())
            await pilot.press("tab")
        assert any("third.example" in line for line in seen)
        assert any(line.startswith("! This link carries a user name") for line in seen)
        assert app.links() == []


async def test_a_link_keeps_its_mark_while_the_reply_streams() -> None:
    source = ChatSource(answer(text("[one](https://one.example/) ", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = Reading(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "paragraph")
        await pilot.press("tab")
        app.transcript.follow = False
        for _ in range(20):
            app.grow(0, "and more words come\n\n")
            app.draw()
        assert highlighted(app) == "one"
        assert app.transcript.link == "https://one.example/"


async def test_the_pointer_over_a_link_says_where_it_leads() -> None:
    app = Reading(ChatSource(answer(text("Go [there](https://a.example/x) now."))))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.hover(Transcript, offset=(12, 0))
        assert app.lines()[-1].split() == ["→", "a.example", "https://a.example/x"]
        await pilot.hover(Transcript, offset=(9, 0))
        assert app.lines()[-1] == ""
        await pilot.hover(Transcript, offset=(12, 0))
        # Its message is read anew: what it pointed at is gone.
        assert app.source is not None
        app.source.messages[:] = [answer(text("Other words."), id="a9")]
        app.transcript.apply(MessagesReset())
        app.draw()
        assert "→" not in app.shown()
        assert app.links() == []


async def test_enter_on_a_source_asks_to_open_it() -> None:
    source = {"type": "source-url", "sourceId": "s", "url": "https://help.example/s/", "title": "Storage"}
    app = Reading(ChatSource(answer(source)))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "note")
        await pilot.press("enter")
        assert app.links() == ["https://help.example/s/"]


async def test_page_down_at_the_end_goes_to_the_last_block() -> None:
    app = Reading(ChatSource(answer(text("One.\n\nTwo.\n\nThree."))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "paragraph")
        await pilot.press("pagedown")
        assert app.transcript.stop is not None
        assert app.transcript.stop.source() == "Three."
        await pilot.press("pageup")
        assert app.transcript.stop.source() == "One."


# -- jumping -------------------------------------------------------------------------------------


def test_labels_are_short_and_never_begin_like_another() -> None:
    for count in (1, 9, 10, 81, 82, 300):
        made = labels(count)
        assert len(set(made)) == count
        assert not any(one != other and other.startswith(one) for one in made for other in made)
    assert labels(3) == ["a", "s", "d"]
    assert labels(10) == ["a", "s", "d", "f", "g", "h", "j", "k", "la", "ls"]
    assert len(labels(1_000)) == 676


async def test_a_label_goes_to_its_block() -> None:
    app = Reading(ChatSource(Message.user("u1", "Q"), answer(text("One.\n\n```py\nx\n```\n\nTwo."))))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("apostrophe")
        assert [line[0] for line in app.lines() if line[:1] in "asdf" and line.strip()] == [
            "a",
            "s",
            "d",
            "f",
        ]
        await pilot.press("d")
        assert app.transcript.stop is not None
        assert app.transcript.stop.kind == "code"
        assert not app.transcript.jumping
        # The same letters are keys again.
        await pilot.press("k")
        assert app.transcript.stop.kind == "paragraph"


async def test_a_label_on_a_link_asks_to_open_it() -> None:
    app = Reading(ChatSource(answer(text("Go [there](https://a.example/x) now."))))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("apostrophe")
        assert "shere" in app.shown()
        await pilot.press("s")
        assert app.links() == ["https://a.example/x"]


@pytest.mark.parametrize("key", ["escape", "x", "enter", "down", "ctrl+c"])
async def test_any_other_key_ends_jump_mode_and_does_nothing_else(key: str) -> None:
    app = Reading(ChatSource(Message.user("u1", "Q"), answer(text("One.\n\nTwo."))))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        before, lines = app.transcript.stop, app.lines()
        await pilot.press("apostrophe", key)
        assert not app.transcript.jumping
        assert app.transcript.stop == before
        assert app.lines() == lines
        assert app.transcript.has_focus
        assert app.transcript.follow


async def test_a_click_ends_jump_mode_and_is_a_click() -> None:
    app = Reading(ChatSource(Message.user("u1", "Q"), answer(text("One.\n\nTwo."))))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("apostrophe")
        await pilot.click(Transcript, offset=(10, 2))
        assert not app.transcript.jumping
        assert app.transcript.stop is not None
        assert app.transcript.stop.source() == "One."


async def test_the_last_of_many_labels_have_two_letters_and_the_first_one_narrows_them() -> None:
    app = Reading(ChatSource(answer(text("\n\n".join(f"Paragraph {number}." for number in range(30))))))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("apostrophe")
        every = [*"asdfghjk", "la", "ls", "ld", "lf"]
        assert [line[:2].strip() for line in app.lines() if line[:1].isalpha()] == every
        await pilot.press("l")
        assert [line[:2] for line in app.lines() if line[:1].isalpha()] == ["la", "ls", "ld", "lf"]
        await pilot.press("backspace")
        assert [line[:2].strip() for line in app.lines() if line[:1].isalpha()] == every
        await pilot.press("l", "d")
        assert app.transcript.stop is not None
        assert app.transcript.stop.source() == "Paragraph 28."


# -- blocks --------------------------------------------------------------------------------------


async def test_a_block_of_code_is_copied_and_saved_alone() -> None:
    app = Reading(ChatSource(answer(text(ANSWER))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        assert "c copy · s save · p lay out" in app.shown()
        await pilot.press("c", "s")
        copied: Any = app.asked(Transcript.CopyRequested)
        assert (copied.text, copied.what) == (SQL, "the code")
        saved = app.asked(SaveRequested)
        assert (saved.text, saved.suggested_name) == (SQL, "query.sql")


@pytest.mark.parametrize(
    ("fence", "code", "name"),
    [
        ("python", "print(1)", "script.py"),
        ("sql", "-- Monthly orders by region\nselect 1", "monthly-orders-by-region.sql"),
        ("", "select a\nfrom t", "query.sql"),
        ("", "no language", "code.txt"),
        ("js", "// src/app.js\nx", "app.js"),
        ("sh", "#!/bin/sh\nls", "script.sh"),
        ("py", "# ../../etc/passwd\nx", "etc-passwd.py"),
        ("json", "{}", "data.json"),
    ],
)
async def test_a_file_is_called_after_the_language_or_the_first_comment(
    fence: str, code: str, name: str
) -> None:
    app = Reading(ChatSource(answer(text(f"```{fence}\n{code}\n```"))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        await pilot.press("s")
        assert app.asked(SaveRequested).suggested_name == name


async def test_sql_is_laid_out_in_place_marked_and_copied_as_shown() -> None:
    app = Reading(ChatSource(answer(text(ANSWER))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        before = app.lines()
        await pilot.press("p")
        assert "sql · laid out here" in app.shown()
        assert "order by a" in [line.strip("▌ ") for line in app.lines()]
        assert "p as it was" in app.shown()
        await pilot.press("c")
        copied: Any = app.asked(Transcript.CopyRequested)
        assert copied.what == "the code as it is laid out here"
        assert copied.text.split() == SQL.split()
        assert "\n" in copied.text
        # The block below it is still what it was.
        await pilot.press("down", "c")
        copied = app.asked(Transcript.CopyRequested)
        assert copied.text == "| a | b |\n|---|---|\n| 1 | 2 |"
        await pilot.press("up", "p")
        assert app.lines() == before
        await pilot.press("c")
        assert app.asked(Transcript.CopyRequested).text == SQL


async def test_sql_in_a_list_and_in_a_card_is_laid_out_too() -> None:
    listed = f"1. First\n\n   ```sql\n   {SQL}\n   ```\n2. Second [x](https://x.example/)"
    call = tool(input={"sql_query": SQL}, output="x")
    app = Reading(ChatSource(answer(text(listed), call)))
    async with app.run_test(size=(80, 40)) as pilot:
        await stand_on(app, pilot, "code")
        await pilot.press("p")
        shown = [line.strip("▌ ") for line in app.lines()]
        assert shown[shown.index("order by a") + 1] == "2. Second x"
        await pilot.press("down", "c")
        assert app.asked(Transcript.CopyRequested).text == "2. Second [x](https://x.example/)"
        await stand_on(app, pilot, "card")
        await pilot.press("enter", "down", "p")
        assert app.shown().count("laid out here") == 2
        assert [line.strip("▌ ") for line in app.lines()].count("order by a") == 2


async def test_a_long_block_of_sql_in_several_items_is_laid_out_whole() -> None:
    code = "\n".join(f"select a{number}, b{number} from t{number};" for number in range(120))
    app = Reading(ChatSource(answer(text(f"```sql\n{code}\n```\n\nEnd."))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        app.transcript.action_lay_out()
        await app.workers.wait_for_complete()
        await pilot.pause(0)
        await pilot.press("c")
        copied: Any = app.asked(Transcript.CopyRequested)
        assert copied.text.split() == code.split()
        assert copied.text.count("\n") > 400
        await pilot.press("p", "c")
        assert app.asked(Transcript.CopyRequested).text == code


async def test_what_was_laid_out_stays_so_when_the_message_is_read_anew() -> None:
    app = Reading(ChatSource(answer(text(ANSWER))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        await pilot.press("p")
        before = app.lines()
        assert app.source is not None
        app.source.messages[:] = [answer(text(ANSWER))]
        app.transcript.apply(MessagesReset())
        app.draw()
        assert app.lines() == before
        # Other code in its place is shown as it is.
        app.source.messages[:] = [answer(text(ANSWER.replace("one  two", "three")))]
        app.transcript.apply(MessagesReset())
        app.draw()
        assert "laid out here" not in app.shown()


async def test_what_cannot_be_laid_out_says_why() -> None:
    app = Reading(
        ChatSource(answer(text("```py\nx\n```\n\n```sql\nselect 'a\\'  b' from t where x = 1\n```")))
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        before = app.lines()
        await pilot.press("p")
        assert app.asked(Remarked).sentence.startswith("Only SQL is laid out.")
        assert app.lines() == before
        await pilot.press("down", "p")
        assert "would not be the same" in app.asked(Remarked).sentence
        assert "laid out here" not in app.shown()


async def test_sql_that_is_still_written_is_not_laid_out() -> None:
    source = ChatSource(answer(text("```sql\nselect 1 from", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = Reading(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "code")
        await pilot.press("p")
        assert "still being written" in app.asked(Remarked).sentence


async def test_a_table_of_a_tool_is_copied_whole() -> None:
    rows = [{"id": str(number), "name": f"n{number}"} for number in range(300)]
    app = Reading(ChatSource(answer(tool(input={"query_name": "x"}, output=json.dumps(rows)))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "card")
        await pilot.press("enter")
        await stand_on(app, pilot, "table")
        await pilot.press("c")
        await app.workers.wait_for_complete()
        await pilot.pause(0)
        copied: Any = app.asked(Transcript.CopyRequested)
        assert copied.text.split("\n")[0] == "id\tname"
        assert copied.text.split("\n")[-1] == "299\tn299"
        await stand_on(app, pilot, "more")
        await pilot.press("enter")
        assert "more" not in app.lines()[-1]


async def test_a_table_of_an_answer_opens_with_enter() -> None:
    app = Reading(ChatSource(answer(text(ANSWER))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "table")
        assert "Enter opens" in app.shown()
        assert not any(isinstance(each, TableChosen) for each in app.said)
        await pilot.press("enter")
        assert app.asked(TableChosen)


# -- as it was written ---------------------------------------------------------------------------


async def test_the_markdown_of_an_answer_is_shown_character_by_character() -> None:
    app = Reading(ChatSource(Message.user("u1", "Q"), answer(text(ANSWER))))
    async with app.run_test(size=(100, 40)) as pilot:
        await stand_on(app, pilot, "table")
        before = app.lines()
        await pilot.press("m")
        shown = [line.strip("▌ ") for line in app.lines()]
        assert "markdown, as it was written" in shown[2]
        at = next(index for index, line in enumerate(shown) if line.startswith("See ["))
        assert shown[at : at + len(ANSWER.split("\n")) - 1] == ANSWER.split("\n")[:-1]
        await pilot.press("c")
        copied: Any = app.asked(Transcript.CopyRequested)
        assert (copied.text, copied.what) == (ANSWER, "the markdown")
        await pilot.press("m")
        assert app.lines() == before, "back on the block it was on"
        app.transcript.action_scroll_home()
        await pilot.press("m")
        assert "as you wrote it" in app.asked(Remarked).sentence


async def test_the_markdown_view_grows_with_the_reply() -> None:
    content = document(9_000, 7)
    source = ChatSource(answer(text("", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = Reading(source)
    async with app.run_test(size=(120, 30)) as pilot:
        app.grow(0, content[:300])
        app.draw()
        app.transcript.focus()
        await pilot.pause(0)
        app.transcript.follow = False
        await pilot.press("m")
        for at in range(300, len(content), 211):
            app.grow(0, content[at : at + 211])
            app.draw()
        unit = app.transcript._document.blocks[0].units[0]
        assert len(unit.items) > 3
        drawn = "".join(str(item.content) for item in unit.items[1:])
        assert drawn == content
        renders = app.transcript._document.renders
        app.grow(0, "x")
        app.draw()
        assert app.transcript._document.renders <= renders + 2
        await pilot.press("m")
        assert "as it was written" not in app.shown()


# -- selecting -----------------------------------------------------------------------------------


async def test_blocks_are_selected_from_the_cursor() -> None:
    app = Reading(ChatSource(Message.user("u1", "Q"), answer(text("One.\n\n- a\n- b\n\nThree."))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "list")
        await pilot.press("shift+down")
        assert app.screen.get_selected_text() == "- a\n- b"
        await pilot.press("shift+down")
        assert app.screen.get_selected_text() == "- a\n- b\n\nThree."
        await pilot.press("shift+up", "shift+up")
        assert app.screen.get_selected_text() == "One.\n\n- a\n- b"
        await pilot.press("c")
        copied: Any = app.asked(Transcript.CopyRequested)
        assert (copied.text, copied.what) == ("One.\n\n- a\n- b", "what is selected")
        await pilot.press("ctrl+a")
        assert app.screen.get_selected_text() == "Q\n\nOne.\n\n- a\n- b\n\nThree."


async def test_words_are_selected_from_the_cursor() -> None:
    app = Reading(ChatSource(answer(text("One two three four."))))
    async with app.run_test(size=(80, 24)) as pilot:
        await stand_on(app, pilot, "paragraph")
        seen: list[str | None] = []
        for key in ("right", "right", "shift+right", "shift+left", "left", "left"):
            await pilot.press(key)
            seen.append(app.screen.get_selected_text())
        assert seen == ["One", "two", "two three", "two", "One", "One"]


# -- messages ------------------------------------------------------------------------------------


async def test_braces_walk_over_messages() -> None:
    source = ChatSource(
        Message.user("u1", "First"),
        answer(text("One.\n\nTwo.\n\nThree."), id="a1"),
        Message.user("u2", "Second"),
        answer(text("Four.\n\nFive."), id="a2"),
    )
    app = Reading(source)
    async with app.run_test(size=(80, 8)) as pilot:
        await stand_on(app, pilot, "question")
        seen: list[str] = []
        for key in "}}}}{{{{{":
            await pilot.press("right_curly_bracket" if key == "}" else "left_curly_bracket")
            stop = app.transcript.stop
            assert stop is not None
            seen.append(stop.source())
            assert any(line.startswith("▌") for line in app.lines())
        assert seen == ["One.", "Second", "Four.", "Four.", "Second", "One.", "First", "First", "First"]
        await pilot.press("right_curly_bracket", "down", "left_curly_bracket")
        assert app.transcript.stop is not None
        assert app.transcript.stop.source() == "One."
