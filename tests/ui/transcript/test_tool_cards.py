"""Cards, thoughts and other parts that open."""

import pytest

from kai_tui.conversation.messages import Message, ToolPart, part_from_wire
from kai_tui.services.changes import PartChanged, TurnChanged
from kai_tui.services.standing_rules import denial
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.renderers.duration import words_for
from kai_tui.ui.transcript.renderers.tool_card import state_of
from kai_tui.ui.transcript.renderers.tool_data import masked
from kai_tui.ui.transcript.view import Transcript
from tests.ui.transcript.chat_source import (
    ChatSource,
    TranscriptApp,
    all_lines,
    answer,
    document_of,
    lines_of,
    open_all,
    text,
    tool,
)

CSV = "region,amount\n" + "".join(f"Region {number},{number * 1000}\n" for number in range(200))


@pytest.mark.parametrize(
    ("fields", "live", "words"),
    [
        ({"state": "input-streaming"}, True, "preparing"),
        ({"state": "input-available"}, True, "running"),
        ({"state": "input-available"}, False, "no result"),
        ({"state": "approval-requested"}, True, "waiting for you"),
        ({"state": "approval-requested"}, False, "was not answered"),
        ({"state": "approval-responded", "approval": {"id": "x", "approved": True}}, True, "running"),
        ({"state": "approval-responded", "approval": {"id": "x", "approved": False}}, True, "denied"),
        ({"state": "output-available", "output": 1, "preliminary": True}, True, "running"),
        ({"state": "output-available", "output": 1}, True, "done"),
        ({"state": "output-error", "errorText": "x"}, True, "failed"),
        ({"state": "output-denied"}, True, "denied"),
    ],
)
def test_states_in_words(fields: dict[str, object], live: bool, words: str) -> None:
    part = part_from_wire({"type": "tool-x", "toolCallId": "c", **fields})
    assert isinstance(part, ToolPart)
    assert state_of(part, live=live).words == words


async def test_a_call_the_user_denied_is_not_called_failed_when_the_wire_does() -> None:
    """kai-agent reports a denied call as an error of the tool (kai.md §9.2)."""
    source = ChatSource(answer(tool(state="output-error", errorText="User denied the tool call")))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 12)):
        assert "failed" in app.lines()[0]
    source.decisions["call-1"] = False
    source.times[("a1", 0)] = 14.0  # how long the user thought: says nothing about the call
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 12)):
        assert "⊘ query_data" in app.lines()[0]
        assert app.lines()[0].rstrip(" ▸").endswith("denied")


async def test_a_card_says_that_the_user_changed_the_call_and_how() -> None:
    source = ChatSource(answer(tool(input={"name": "sales"}, output={"ok": True})))
    source.rules["call-1"] = 'You approved it with changes. name: "reports\u202e" → "sales"'
    app = TranscriptApp(source)
    async with app.run_test(size=(90, 24)) as pilot:
        assert "changed by you · " in app.lines()[0]
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("enter")
        shown = app.shown()
        assert 'name: "reports' in shown
        assert '→ "sales"' in shown
        assert "\u202e" not in shown


async def test_a_card_says_why_the_user_denied_the_call() -> None:
    source = ChatSource(answer(tool(state="output-error", errorText="User denied the tool call")))
    source.decisions["call-1"] = False
    source.rules["call-1"] = "You denied it, and said: use the\nold one"
    app = TranscriptApp(source)
    async with app.run_test(size=(90, 24)) as pilot:
        assert "⊘ query_data" in app.lines()[0]
        assert app.lines()[0].rstrip(" ▸").endswith("denied: use the old one")
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("enter")
        assert "Decided: You denied it, and said: use the" in app.shown()


async def test_a_card_says_which_rule_decided() -> None:
    source = ChatSource(answer(tool(output={"ok": True})))
    source.rules["call-1"] = "You allowed this for 10 minutes."
    app = TranscriptApp(source)
    async with app.run_test(size=(90, 24)) as pilot:
        assert "allowed by your rule · " in app.lines()[0]
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("enter")
        assert "Decided: You allowed this for 10 minutes." in app.shown()


async def test_a_card_says_that_the_read_only_switch_denied_it() -> None:
    source = ChatSource(answer(tool(state="output-denied")))
    source.rules["call-1"] = denial().rule
    app = TranscriptApp(source)
    async with app.run_test(size=(90, 24)):
        assert "⊘ query_data" in app.lines()[0]
        assert "denied: read-only switch" in app.lines()[0]


@pytest.mark.parametrize(
    ("state", "approved", "words"),
    [
        ("approval-requested", True, "allowed by your rule, not sent yet"),
        ("approval-requested", False, "denied by your rule, not sent yet"),
        ("input-available", True, "allowed by your rule, not sent yet"),
        ("output-available", True, "3 rows"),
    ],
)
async def test_what_a_rule_decided_and_what_is_not_sent_yet_does_not_wait_for_the_user(
    state: str, approved: bool, words: str
) -> None:
    source = ChatSource(answer(tool(state=state, output={"csv_data": "a\n1\n2\n3\n"})))
    source.ruled_now["call-1"] = approved
    app = TranscriptApp(source)
    async with app.run_test(size=(90, 24)):
        assert words in app.lines()[0]
        assert "waiting for you" not in app.lines()[0]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.84, "0.8 s"), (3, "3 s"), (9.96, "10 s"), (59.4, "59 s"), (60.0, "1 min"), (125, "2 min 5 s"), (7260, "2 h 1 min"), (None, "")],
)  # fmt: skip
def test_seconds_in_words(seconds: float | None, words: str) -> None:
    assert words_for(seconds) == words


async def test_a_card_says_what_matters_in_one_line() -> None:
    call = tool(input={"sql_query": "SELECT region FROM sales", "query_name": "x"}, output={"csv_data": CSV})
    source = ChatSource(answer(call))
    source.times[("a1", 0)] = 0.84
    app = TranscriptApp(source)
    async with app.run_test(size=(90, 24)):
        line = app.lines()[0]
        assert line.startswith("  Kai   ✓ query_data  SELECT region FROM sales")
        assert line.endswith("200 rows  0.8 s ▸")


async def test_a_long_argument_is_cut_and_the_facts_at_the_right_stay() -> None:
    call = tool(input={"sql_query": "SELECT " + "column, " * 100, "query_name": "x"}, state="input-available")
    app = TranscriptApp(ChatSource(answer(call)))
    async with app.run_test(size=(80, 24)):
        assert "…" in app.lines()[0]
        assert app.lines()[0].endswith("no result ▸")


async def test_seconds_count_up_while_it_runs() -> None:
    source = ChatSource(answer(tool(input={"query_name": "x"}, state="input-available")))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    source.times[("a1", 0)] = 2.4
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        assert app.lines()[0].endswith("running  2 s ▸")
        source.times[("a1", 0)] = 3.1
        app.draw()
        assert app.lines()[0].endswith("running  3 s ▸")


async def test_enter_opens_a_card_with_everything_and_closes_it() -> None:
    call = tool(
        input={"sql_query": "SELECT 1,\n  2", "limit": 5, "#password": "secret"},
        output={"csv_data": "a,b\n1,x\n", "note": "checked"},
    )
    app = TranscriptApp(ChatSource(Message.user("u1", "Go"), answer(call)))
    async with app.run_test(size=(80, 40)) as pilot:
        closed = app.lines()
        app.transcript.focus()
        await pilot.pause(0)
        await pilot.press("enter")
        shown = app.shown()
        for wanted in (
            "Arguments",
            "SELECT 1,",
            '"limit": 5',
            "Result",
            "a │ b",
            "1 │ x",
            '"note": "checked"',
            "▾",
        ):
            assert wanted in shown
        assert "secret" not in shown
        toggled = [item for item in app.said if isinstance(item, Transcript.ToolToggled)]
        assert (toggled[0].message_id, toggled[0].part_index) == ("a1", 0)
        await pilot.press("enter")
        assert [line.lstrip("▌ ") for line in app.lines()] == [line.strip() for line in closed]


async def test_a_large_result_opens_in_two_steps() -> None:
    call = tool(input={"query_name": "x"}, output={"csv_data": CSV})
    app = TranscriptApp(ChatSource(answer(call)))
    async with app.run_test(size=(80, 24)):
        transcript = app.transcript
        transcript._cursor = transcript._last_stop()
        transcript.action_toggle_item()
        assert any(
            "… 180 more rows · Ctrl+O, t opens the whole table" in line for line in all_lines(transcript)
        )
        assert any("Region 19 " in line for line in all_lines(transcript))
        assert not any("Region 20 " in line for line in all_lines(transcript))
        assert not any("Region 199" in line for line in all_lines(transcript))
        transcript.action_toggle_item()
        assert any("Region 199" in line for line in all_lines(transcript))
        assert not any("more rows" in line for line in all_lines(transcript))
        transcript.action_toggle_item()
        assert len(all_lines(transcript)) == 1


async def test_opening_keeps_the_card_in_sight() -> None:
    messages = [Message.user(f"u{number}", "Question") for number in range(30)]
    app = TranscriptApp(
        ChatSource(*messages, answer(tool(input={"query_name": "x"}, output={"csv_data": CSV})))
    )
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.focus()
        await pilot.pause(0)
        before = next(index for index, line in enumerate(app.lines()) if "query_data" in line)
        transcript.action_toggle_item()
        assert "query_data" in app.lines()[before]
        assert not transcript.follow


async def test_a_click_on_its_line_opens_a_card() -> None:
    app = TranscriptApp(ChatSource(answer(tool(input={"query_name": "x"}, output="plain text result"))))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(Transcript, offset=(12, 0))
        assert "plain text result" in app.shown()
        await pilot.click(Transcript, offset=(12, 2))
        assert "plain text result" in app.shown()
        await pilot.click(Transcript, offset=(12, 0))
        assert "plain text result" not in app.shown()


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ({"content": [{"type": "text", "text": "It broke"}], "isError": True}, "It broke"),
        ([{"id": 1, "name": "n"}, {"id": 2, "name": "m"}], "│ name"),
        ({"deep": {"er": [1, {"x": None}]}}, '"er": ['),
        ("", "(nothing)"),
        (None, "(nothing)"),
        (float("inf"), "Infinity"),
    ],
)
async def test_results_of_every_shape(output: object, wanted: str) -> None:
    app = TranscriptApp(ChatSource(answer(tool(input={}, output=output))))
    async with app.run_test(size=(80, 40)):
        transcript = app.transcript
        transcript._cursor = transcript._last_stop()
        transcript.action_toggle_item()
        assert wanted in app.shown()


async def test_an_error_and_odd_arguments() -> None:
    app = TranscriptApp(
        ChatSource(answer(tool("x", "output-error", input=[1, 2], errorText="No such table\nat all")))
    )
    async with app.run_test(size=(80, 40)):
        assert "✗ x" in app.lines()[0]
        assert "failed" in app.lines()[0]
        transcript = app.transcript
        transcript._cursor = transcript._last_stop()
        transcript.action_toggle_item()
        assert "No such table" in app.shown()
        assert "at all" in app.shown()


async def test_an_error_without_words_says_so() -> None:
    app = TranscriptApp(ChatSource(answer(tool("x", "output-error", input={}, errorText=""))))
    async with app.run_test(size=(80, 40)):
        transcript = app.transcript
        transcript._cursor = transcript._last_stop()
        transcript.action_toggle_item()
        assert "(no reason given)" in app.shown()


async def test_an_open_card_follows_its_call() -> None:
    source = ChatSource(answer(tool(input={"query_name": "x"}, state="input-available")))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 40)):
        transcript = app.transcript
        transcript._cursor = transcript._last_stop()
        transcript.action_toggle_item()
        part = source.messages[0].parts[0]
        part.fields.update(state="output-available", output="the answer")
        transcript.apply(PartChanged("a1", 0))
        app.draw()
        assert "the answer" in app.shown()
        assert "✓ query_data" in app.shown()
        # A copy of the message (an answered approval makes one) keeps the card open.
        source.messages[0] = Message.from_wire(source.messages[0].to_wire())
        source.turn = Turn("finished", "stop")
        from kai_tui.services.changes import MessageChanged

        transcript.apply(MessageChanged("a1"))
        app.draw()
        assert "the answer" in app.shown()


async def test_a_thought_is_one_line_until_it_is_opened() -> None:
    thought = {"type": "reasoning", "text": "First I look.\nThen I **count**.", "state": "streaming"}
    source = ChatSource(answer(thought))
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    source.times[("a1", 0)] = 3.2
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 24)):
        assert app.lines()[0] == "  Kai   ▸ Thinking… 3 s  Then I **count**."
        app.grow(0, " And")
        app.draw()
        assert app.lines()[0].endswith("Then I **count**. And")
        source.messages[0].parts[0].fields["state"] = "done"
        source.turn = Turn("finished", "stop")
        app.transcript.apply(TurnChanged())
        app.draw()
        assert app.lines()[0] == "  Kai   ▸ Thought for 3 s"
        transcript = app.transcript
        transcript._cursor = transcript._last_stop()
        transcript.action_toggle_item()
        assert [line.strip() for line in app.lines()[:3]] == ["Kai   ▾ Thought for 3 s", "First I look.", "Then I count. And"]  # fmt: skip
        transcript.action_toggle_item()
        assert app.lines()[0] == "  Kai   ▸ Thought for 3 s"


async def test_a_thought_without_words_is_not_shown() -> None:
    app = TranscriptApp(ChatSource(answer({"type": "reasoning", "text": "", "state": "done"}, text("Hi"))))
    async with app.run_test(size=(80, 24)):
        assert app.lines()[0] == "  Kai   Hi"


async def test_sources_files_and_unknown_parts() -> None:
    app = TranscriptApp(
        ChatSource(
            answer(
                text("See"),
                {"type": "step-start"},
                {"type": "source-url", "sourceId": "s", "url": "https://help.keboola.com/x", "title": "Help"},
                {
                    "type": "file",
                    "mediaType": "image/png",
                    "url": "data:image/png;base64,AAAA",
                    "filename": "a.png",
                },
                {"type": "data-usage", "data": {"totalTokens": 3}},
                {"type": "data-weather", "data": {"sun": True}},
                {"type": "hologram", "shape": "cube"},
            )
        )
    )
    async with app.run_test(size=(90, 30)) as pilot:
        shown = app.shown()
        assert "↗ Help  help.keboola.com" in shown
        assert "▣ a.png  image/png, 26 characters inside the message" in shown
        assert "usage" not in shown
        assert "▸ data: weather" in shown
        assert "▸ a part this version does not know: hologram" in shown
        transcript = app.transcript
        transcript._cursor = transcript._last_stop()
        transcript.action_toggle_item()
        assert '"shape": "cube"' in app.shown()
        row = next(index for index, line in enumerate(app.lines()) if "Help" in line)
        await pilot.click(Transcript, offset=(11, row))
        links = [item for item in app.said if isinstance(item, Transcript.LinkChosen)]
        assert links[0].href == "https://help.keboola.com/x"


def test_secrets_are_masked_unless_encrypted() -> None:
    value = {"a": [{"#token": "t"}, {"#enc": "KBC::ProjectSecure::x"}], "b": 1}
    assert masked(value) == {"a": [{"#token": "••••••••"}, {"#enc": "KBC::ProjectSecure::x"}], "b": 1}


def test_a_call_of_an_open_stream_waits_for_the_user_once_asked() -> None:
    source = ChatSource(answer(tool(state="input-available", input={"name": "x"})))
    source.turn = Turn("waiting-for-approval")
    assert "running" in lines_of(document_of(source))[0]
    source.pending.append("call-1")
    assert "waiting for you" in lines_of(document_of(source))[0]


def opened(part: dict[str, object]) -> list[str]:
    """The lines of a card that is open."""
    document = document_of(ChatSource(answer(part)))
    open_all(document)
    return lines_of(document)


def test_a_listing_of_flat_objects_is_a_table_with_its_links() -> None:
    listing = (
        'buckets[2]{id,name,tables}:\n  in.c-crm,CRM,12\n  in.c-shop,"Web, shop",7\n'
        'links[1]{type,title,url}:\n  ui,All buckets,"https://x.test/b"\n'
    )
    for output in (listing, {"content": [{"type": "text", "text": listing}]}):
        shown = opened(tool("list_buckets", input={}, output=output))
        assert [line.strip() for line in shown[-5:]] == [
            "id        │ name      │ tables",
            "──────────┼───────────┼───────",
            "in.c-crm  │ CRM       │     12",
            "in.c-shop │ Web, shop │      7",
            "↗ All buckets  https://x.test/b",
        ]


def test_a_listing_with_lists_inside_stays_as_it_was_written() -> None:
    listing = "tables[1]:\n  - id: in.c-crm.x\n    columns[2]{name}:\n      a\n      b\n"
    shown = opened(tool("get_tables", input={}, output=listing))
    assert "  - id: in.c-crm.x" in "\n".join(shown)


def test_what_the_arguments_said_is_not_said_again_by_the_result() -> None:
    output = {"query_name": "Orders", "csv_data": "a\n1\n", "message": "cut at 500"}
    shown = "\n".join(opened(tool(input={"query_name": "Orders"}, output=output)))
    assert shown.count('"query_name"') == 1
    assert "cut at 500" in shown


def test_a_card_draws_two_thousand_rows_at_most_and_says_how_many_more_there_are() -> None:
    for quote in ("", '"'):
        rows = "".join(f"{quote}row {number}{quote},{number}\n" for number in range(9_000))
        call = tool(input={"query_name": "x"}, output={"csv_data": f"name,number\n{rows}"})
        document = document_of(ChatSource(answer(call)))
        document.expand(document.blocks[0])
        unit = next(each for each in document.blocks[0].units if each.shows is not None)
        for level, last, more in ((1, 19, "8,980"), (2, 1_999, "7,000")):
            unit.toggle()
            document.sync(document.blocks[0])
            shown = lines_of(document)
            assert len(unit.items) < 60
            assert any(line.strip().startswith(f"row {last} ") for line in shown), level
            assert not any(line.strip().startswith(f"row {last + 1} ") for line in shown), level
            assert shown[-1].strip() == f"… {more} more rows · Ctrl+O, t opens the whole table"
        unit.toggle()
        document.sync(document.blocks[0])
        assert len(lines_of(document)) == 1
