"""Finding in the conversation: everything that can be shown is looked through, and one can go to each place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from kai_tui.conversation.find_text import Matcher
from kai_tui.conversation.messages import Message
from kai_tui.services.changes import MessageChanged, MessagesReset
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.finding import Finder
from kai_tui.ui.transcript.items import Surroundings
from kai_tui.ui.transcript.messages import Found
from tests.some import examples
from tests.ui.fakes import until
from tests.ui.transcript.chat_source import (
    ChatSource,
    TranscriptApp,
    answer,
    document_of,
    lines_of,
    open_all,
    text,
    tool,
)
from tests.ui.transcript.corpus import document
from tests.ui.transcript.test_long_chat import kept_chat


class FindApp(TranscriptApp):
    """Keeps what is told of a search."""

    found: Found | None = None

    def on_transcript_found(self, message: Found) -> None:
        self.found = message

    @property
    def words(self) -> str:
        if self.found is None:
            return ""
        return f"{self.found.number}/{self.found.total}{'' if self.found.complete else '+'}"

    @property
    def here(self) -> str:
        """The marked place one is at, as it is drawn."""
        return self._marked("found-here")

    @property
    def marked(self) -> str:
        return self._marked("found")

    def _marked(self, name: str) -> str:
        transcript = self.transcript
        ground = transcript._current_palette().get((name,)).bgcolor
        drawn = [
            "".join(each.text for each in strip if each.style and each.style.bgcolor == ground)
            for strip in transcript._compose_lines(0, transcript.size.height)
        ]
        return "|".join(each for each in drawn if each)


async def looked(app: FindApp, pilot: Pilot[None], query: str) -> None:
    app.transcript.find(query)
    await until(pilot, lambda: not app.transcript._finder or not app.transcript._finder.busy)
    await pilot.pause()


def everywhere() -> ChatSource:
    return ChatSource(
        Message.user("u1", "Where is the needle?"),
        answer(
            {"type": "reasoning", "text": "I think of a needle.", "state": "done"},
            tool(
                "find_needle",
                input={"sql_query": "SELECT needle\nFROM t", "needle_name": 1},
                output=[{"needle": "x", "b": "a needle"}],
            ),
            text(
                "A **nee**dle, `needle`.\n\n```py\nneedle = 1\n```\n\n| needle | b |\n|---|---|\n| 1 | needle |"
            ),
            id="a1",
        ),
        answer(tool(state="output-error", input={}, errorText="no needle here"), id="a2"),
    )


def test_all_that_can_be_shown_is_looked_through() -> None:
    source = everywhere()
    finder = Finder(Surroundings(source))
    finder.seek("needle")
    while finder.work(1.0):
        pass
    # Tool: its name, the label and the text of arguments, three in the result; prose two, code one, table two.
    assert [len(finder.spots(each.id)) for each in source.messages] == [1, 1 + 1 + 2 + 2 + 2 + 1 + 2, 1]
    assert finder.total == 13
    assert finder.complete


def test_what_we_say_ourselves_is_not_found() -> None:
    source = everywhere()
    finder = Finder(Surroundings(source))
    for word in ("Arguments", "Result", "Error", "Thought", "Kai"):
        finder.seek(word)
        while finder.work(1.0):
            pass
        assert finder.total == 0, word


@examples(60)
@given(
    st.integers(0, 40), st.sampled_from(["e", "the", "a", "er", "SELECT", "1", ".", "| ", "customers", "é"])
)
def test_as_many_are_found_as_are_drawn_when_all_is_open(seed: int, query: str) -> None:
    source = ChatSource(
        Message.user("u1", document(300, seed + 1)),
        answer(
            tool(input={"sql_query": document(200, seed)}, output=document(300, seed)),
            text(document(900, seed)),
        ),
    )
    finder = Finder(Surroundings(source))
    finder.seek(query)
    while finder.work(1.0):
        pass
    shown = document_of(source, 3_000)
    open_all(shown)
    lines_of(shown)
    matcher = Matcher(query)
    drawn = 0
    for block in shown.blocks:
        for unit in block.units:
            if unit.findable:
                for item in unit.items:
                    rows = [row for row in shown.texts_of(item) if row.findable != 0]
                    drawn += sum(len(matcher.find(row.text[: row.findable])) for row in rows)
    assert finder.total == drawn


def test_narrowing_passes_over_what_held_nothing() -> None:
    source, _ = kept_chat(600)
    finder = Finder(Surroundings(source))
    finder.seek("number 5")
    while finder.work(1.0):
        pass
    assert finder.total == 111
    reads = finder.reads
    finder.seek("number 59")
    while finder.work(1.0):
        pass
    assert finder.total == 11
    assert finder.reads == reads
    finder.seek("qqqzzq")
    while finder.work(1.0):
        pass
    assert (finder.total, finder.reads) == (0, reads)


async def test_going_through_all_places_and_around() -> None:
    app = FindApp(everywhere())
    async with app.run_test(size=(80, 20)) as pilot:
        app.transcript.scroll_to(y=0, animate=False)
        await looked(app, pilot, "needle")
        assert app.words == "1/13"
        assert app.here == "needle"
        seen = [app.transcript._spot]
        for number in [*range(2, 14), 1]:
            app.transcript.find_next(1)
            await until(pilot, lambda number=number: app.words == f"{number}/13")
            assert app.here == "needle", number
            seen.append(app.transcript._spot)
        assert len(set(seen)) == 13
        app.transcript.find_next(-1)
        await until(pilot, lambda: app.words == "13/13")
        app.transcript.find_next(-1)
        await until(pilot, lambda: app.words == "12/13")


async def test_a_card_opens_for_its_place_and_folds_again() -> None:
    app = FindApp(everywhere())
    async with app.run_test(size=(80, 30)) as pilot:
        await looked(app, pilot, "SELECT needle")
        assert app.words == "1/1"
        assert app.here == "SELECT needle"
        assert "Arguments" in app.shown()
        await looked(app, pilot, "where is the")
        assert app.here == "Where is the"
        assert "Arguments" not in app.shown()


async def test_what_the_user_opened_stays_open() -> None:
    app = FindApp(everywhere())
    async with app.run_test(size=(80, 40)) as pilot:
        block = app.transcript._document.blocks[1]
        card = next(unit for unit in block.units if unit.kind == "card")
        app.transcript._toggle(card)
        await looked(app, pilot, "SELECT needle")
        await looked(app, pilot, "where is the")
        assert "Arguments" in app.shown()


async def test_incremental_stays_at_a_place_that_still_holds_it() -> None:
    app = FindApp(ChatSource(answer(text("\n\n".join(f"word {number} here" for number in range(100))))))
    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.scroll_to(y=0, animate=False)
        await looked(app, pilot, "w")
        app.transcript.find_next(1)
        app.transcript.find_next(1)
        await until(pilot, lambda: app.words == "3/100")
        await looked(app, pilot, "word")
        assert app.words == "3/100"
        await looked(app, pilot, "word 7")
        assert app.here == "word 7"
        assert app.words == "1/11"


async def test_what_stands_above_a_place_is_in_sight_too_and_writing_on_moves_nothing() -> None:
    app = FindApp(ChatSource(answer(text("\n\n".join(f"word {number} here" for number in range(100))))))
    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.scroll_to(y=0, animate=False)
        await looked(app, pilot, "word 70")
        assert "word 69 here" in app.shown()
        assert "word 71 here" in app.shown()
        top = app.transcript._top
        await looked(app, pilot, "word 70 he")
        assert app.here == "word 70 he"
        assert app.transcript._top == top


async def test_a_short_query_is_found_everywhere_and_marked() -> None:
    app = FindApp(ChatSource(answer(text("One two one TWO one"))))
    async with app.run_test(size=(60, 12)) as pilot:
        await looked(app, pilot, "one")
        assert (app.here, app.marked) == ("One", "oneone")
        await looked(app, pilot, "TWO")
        assert (app.here, app.marked, app.words) == ("TWO", "", "1/1")
        await looked(app, pilot, "three")
        assert (app.here, app.words) == ("", "0/0")
        await looked(app, pilot, "")
        assert app.words == "0/0"
        app.transcript.end_finding(back=False)
        assert not app.transcript.finding


async def test_without_words_or_with_esc_one_is_back_or_stays() -> None:
    chat = [Message.user(f"u{number}", f"line {number}\n" * 5) for number in range(50)]
    app = FindApp(ChatSource(*chat))
    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.scroll_to(y=100, animate=False)
        await pilot.pause()
        before = app.shown()
        await looked(app, pilot, "line 3")
        assert app.shown() != before
        app.transcript.end_finding(back=True)
        assert app.shown() == before
        await looked(app, pilot, "line 45")
        there = app.lines()
        app.transcript.end_finding(back=False)
        assert [line.strip() for line in app.lines()] == [line.strip() for line in there]


async def test_the_end_is_followed_again_when_one_goes_back() -> None:
    app = FindApp(ChatSource(*(Message.user(f"u{number}", f"line {number}") for number in range(50))))
    async with app.run_test(size=(60, 12)) as pilot:
        assert app.transcript.follow
        await looked(app, pilot, "line 3")
        assert not app.transcript.follow
        app.transcript.end_finding(back=True)
        assert app.transcript.follow


async def test_the_nearest_place_above_is_the_first_when_none_is_in_sight() -> None:
    app = FindApp(
        ChatSource(*(Message.user(f"u{number}", f"line {number % 10} of") for number in range(100)))
    )
    async with app.run_test(size=(60, 12)) as pilot:
        await looked(app, pilot, "line 3")
        assert app.words == "10/10"


async def test_what_streams_is_found_as_it_comes() -> None:
    source = ChatSource(Message.user("u1", "Go needle"), answer(text("", streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = FindApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        await looked(app, pilot, "needle")
        assert app.words == "1/1"
        for number in range(2, 6):
            app.grow(0, "Another needle.\n\n")
            app.draw()
            await until(pilot, lambda number=number: app.words == f"1/{number}")
        app.add(Message.user("u2", "needle, needle"))
        app.draw()
        await until(pilot, lambda: app.words == "1/7")
        app.transcript.find_next(-1)
        await until(pilot, lambda: app.words == "7/7")


async def test_what_streams_does_not_push_away_what_was_found() -> None:
    source = ChatSource(answer(text("\n\n".join(f"line {number}" for number in range(40)), streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = FindApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        await looked(app, pilot, "line 3")
        assert app.here == "line 3"
        before = app.shown()
        for _ in range(30):
            app.grow(0, "\n\nmore")
            app.draw()
        await pilot.pause()
        assert app.here == "line 3"
        assert before.split("\n")[:15] == app.shown().split("\n")[:15]
        app.transcript.end_finding(back=True)
        assert app.transcript.follow
        assert app.shown().rstrip().endswith(("more", "Esc stops"))


async def test_messages_that_are_renamed_and_read_anew_are_counted_once() -> None:
    source = ChatSource(Message.user("u1", "needle"), answer(text("needle"), id="a1"))
    app = FindApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        await looked(app, pilot, "needle")
        assert app.found is not None
        assert app.found.total == 2
        source.messages[1].id = "server-1"
        app.transcript.apply(MessageChanged("server-1", old_id="a1"))
        app.draw()
        await until(pilot, lambda: app.transcript._later is None and app.found.total == 2)
        source.messages[:] = [Message.user("u1", "needle needle"), answer(text("needle"), id="a9")]
        app.transcript.apply(MessagesReset())
        app.draw()
        await until(pilot, lambda: app.found is not None and app.found.total == 3 and app.found.complete)


@pytest.mark.slow
async def test_the_window_may_change_its_width_on_the_way() -> None:
    app = FindApp(everywhere())
    async with app.run_test(size=(80, 24)) as pilot:
        await looked(app, pilot, "a needle")
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        assert app.words.endswith("/3")
        for _ in range(2):
            app.transcript.find_next(1)
            await pilot.pause()
            assert "needle" in app.here


async def test_ten_thousand_messages_are_looked_through_without_drawing_them() -> None:
    source, recent = kept_chat(10_000)
    app = FindApp(source)
    async with app.run_test(size=(120, 40)) as pilot:
        renders = app.transcript._document.renders
        app.transcript.find("number 77")
        await until(pilot, lambda: app.found is not None and app.found.complete)
        assert app.found is not None
        assert app.found.total == 111
        for _ in range(20):
            app.transcript.find_next(-1)
        await until(pilot, lambda: app.found is not None and app.found.number == 91)
        assert app.here.startswith("Number 77")
        assert app.transcript._document.renders - renders < 800
        assert recent.reads < 600
        assert len(app.transcript._document.open) < 140


async def test_a_search_ends_with_its_chat() -> None:
    app = FindApp(everywhere())
    async with app.run_test(size=(80, 24)) as pilot:
        await looked(app, pilot, "needle")
        app.transcript.show(ChatSource(Message.user("x", "needle")))
        assert not app.transcript.finding
        await pilot.pause()
        assert app.marked == ""


async def test_places_are_shown_in_a_message_as_it_was_written_too() -> None:
    app = FindApp(ChatSource(answer(text("**One** needle, *two* needle\n\n- needle **three**"))))
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.focus()
        await pilot.pause()
        await looked(app, pilot, "needle")
        app.transcript.action_raw_markdown()
        for number in (2, 3, 1):
            app.transcript.find_next(1)
            await until(pilot, lambda number=number: app.words == f"{number}/3")
            assert app.here == "needle"
        assert "**One**" in app.shown()


async def test_a_place_in_a_column_that_is_left_out_is_said_to_be() -> None:
    names = [f"column_{number}" for number in range(12)]
    rows = [[f"value {row} {number}" for number in range(12)] for row in range(3)]
    lines = [names, ["---"] * 12, *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    app = FindApp(ChatSource(answer(text(table))))
    async with app.run_test(size=(50, 24)) as pilot:
        await looked(app, pilot, "value 1 0")
        assert app.found is not None
        assert (app.found.in_sight, app.here) == (True, "value 1 0")
        if "value 1 11" not in app.shown():
            await looked(app, pilot, "value 1 11")
            assert (app.found.in_sight, app.here, app.words) == (False, "", "1/1")


@pytest.mark.slow
async def test_a_long_reply_is_not_looked_through_at_every_word() -> None:
    source = ChatSource(Message.user("u1", "Go"), answer(text(document(200_000, 1), streaming=True)))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = FindApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        await looked(app, pilot, "the")
        finder = app.transcript._finder
        assert finder is not None
        reads = finder.reads
        for _ in range(100):
            app.grow(0, "more of the words ")
            app.draw()
            await pilot.pause(0.002)
        assert finder.reads - reads <= 3


async def test_a_message_that_was_asked_again_is_looked_through_too() -> None:
    source = ChatSource(
        Message.user("u1", "the old needle"),
        answer(text("an old answer"), id="a1"),
        Message.user("u2", "new"),
        answer(text("a new answer"), id="a2"),
    )
    source.superseded = {"u1", "a1"}
    app = FindApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        assert "an old answer" not in app.shown().replace("superseded  an old answer", "")
        await looked(app, pilot, "answer")
        assert app.words == "2/2"
        app.transcript.find_next(-1)
        await until(pilot, lambda: app.words == "1/2")
        assert app.here == "answer"
