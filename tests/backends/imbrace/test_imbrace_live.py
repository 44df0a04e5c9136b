"""Documents and sub-agents that grow during a turn, whatever order their events come in (imbrace.md §4)."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.imbrace.growing import Growing
from kai_tui.backends.imbrace.history import OUR_ID, Reading
from kai_tui.backends.imbrace.live import MAX_PARTS, LiveParts
from kai_tui.backends.imbrace.live_parts import MAX_CALLS, MAX_DOCUMENT, with_documents
from kai_tui.conversation import events as e
from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.messages import DataPart, Message
from tests.backends.imbrace.kit import folded
from tests.some import examples

UPDATE = {
    "type": "tool-input-available", "toolCallId": "u", "toolName": "updateDocument", "input": {"id": "doc-1"},
}  # fmt: skip


def of_document(kind: str, value: Any = None) -> dict[str, Any]:
    data = {"chatId": "c"} if value is None else {"value": value, "chatId": "c"}
    return {"type": f"data-{kind}", "data": data, "transient": True}


def of_agent(kind: str, session: str = "s1", **data: Any) -> dict[str, Any]:
    named = {"agent_name": "Researcher", "session_id": session, **data}
    return {"type": f"data-sub-agent-{kind}", "data": named, "transient": True}


def through(*chunks: dict[str, Any], end: bool = True) -> list[e.Event]:
    live = LiveParts()
    events = [each for chunk in chunks for event in events_from_chunk(chunk) for each in live.take(event)]
    return events + (live.take(e.Finish("stop")) if end else [])


def parts(events: list[e.Event]) -> list[dict[str, Any]]:
    return [part.fields["data"] for part in folded(events).parts if isinstance(part, DataPart)]


def begun(kind: str = "text", document_id: str = "doc-1", title: str = "Notes") -> list[dict[str, Any]]:
    return [of_document("kind", kind), of_document("id", document_id), of_document("title", title),
            of_document("clear")]  # fmt: skip


def test_text_comes_in_pieces_code_and_sheets_come_whole_each_time():
    text = through(
        *begun(), of_document("textDelta", "a"), of_document("textDelta", "b"), of_document("finish")
    )
    assert parts(text) == [
        {"id": "doc-1", "title": "Notes", "kind": "text", "state": "done", "content": "ab"}
    ]
    for kind in ("code", "sheet"):
        deltas = [of_document(f"{kind}Delta", "x,y"), of_document(f"{kind}Delta", "x,y\n1,2")]
        (shown,) = parts(through(*begun(kind), *deltas, of_document("finish")))
        assert (shown["kind"], shown["content"]) == (kind, "x,y\n1,2")
    repeated = through(*begun("sheet"), *[of_document("sheetDelta", "x")] * 5, end=False)
    shown_once = [event for event in repeated if isinstance(event, e.Data) and event.data["content"] == "x"]
    assert len(shown_once) == 1


def test_a_document_that_is_changed_is_found_by_the_call():
    again = through(UPDATE, of_document("clear"), of_document("textDelta", "new"), of_document("finish"))
    (shown,) = parts(again)
    assert (shown["id"], shown["content"], shown["state"]) == ("doc-1", "new", "done")
    both = through(
        *begun(), of_document("textDelta", "old"), of_document("finish"),
        UPDATE, of_document("clear"), of_document("textDelta", "new"), of_document("finish"),
    )  # fmt: skip
    (shown,) = parts(both)
    assert (shown["title"], shown["content"]) == ("Notes", "new")


def test_a_document_without_an_id_gets_one_of_this_turn():
    events = through(of_document("textDelta", "a"), of_document("finish"), of_document("textDelta", "b"))
    assert [(each["id"], each["content"], each["state"]) for each in parts(events)] == [
        ("document-1", "a", "done"), ("document-2", "b", "cut"),
    ]  # fmt: skip


def test_two_documents_one_after_the_other():
    first = [*begun(document_id="one"), of_document("textDelta", "1"), of_document("finish")]
    second = [*begun("code", "two", "Code"), of_document("codeDelta", "2")]
    shown = parts(through(*first, *second))
    assert [(each["id"], each["content"], each["state"]) for each in shown] == [
        ("one", "1", "done"), ("two", "2", "cut"),
    ]  # fmt: skip


def test_a_cleared_document_is_empty_again():
    (shown,) = parts(through(*begun(), of_document("textDelta", "draft"), of_document("clear"), end=False))
    assert shown["content"] == ""


def test_what_was_not_shown_yet_is_shown_at_the_end():
    pieces = [of_document("textDelta", "word ")] * 1000
    (shown,) = parts(through(*begun(), *pieces, of_document("textDelta", "last"), of_document("finish")))
    assert shown["content"] == "word " * 1000 + "last"
    (cut,) = parts(through(*begun(), *pieces, of_document("textDelta", "last")))
    assert (cut["content"], cut["state"]) == ("word " * 1000 + "last", "cut")


def test_a_giant_document_is_shown_up_to_a_limit_that_is_told():
    piece = "x" * (MAX_DOCUMENT // 2 + 1)
    (shown,) = parts(through(*begun(), *[of_document("textDelta", piece)] * 3, of_document("finish")))
    assert len(shown["content"]) == MAX_DOCUMENT
    assert shown["truncated"] is True


def test_sub_agents_side_by_side_and_their_ends():
    events = through(
        of_agent("start"),
        of_agent("start", "s2", agent_name="Writer"),
        of_agent("text-delta", text="one"),
        of_agent("text-delta", "s2", agent_name="Writer", text="two"),
        of_agent("tool-call", tool_name="search", tool_call_id="c1"),
        of_agent("tool-call", tool_name="read", tool_call_id="c2"),
        of_agent("tool-result", tool_call_id="c2"),
        of_agent("end", success=False, error="gave up"),
    )
    first, second = parts(events)
    assert (first["state"], first["error"], first["text"]) == ("failed", "gave up", "one")
    assert first["calls"] == [{"tool": "search", "done": False}, {"tool": "read", "done": True}]
    assert (second["agent"], second["state"], second["text"]) == ("Writer", "cut", "two")
    assert [event.text for event in events if isinstance(event, e.Status)][-1] == "Researcher failed"


def test_shown_states_of_a_sub_agent_do_not_change_afterwards():
    events = through(
        of_agent("tool-call", tool_call_id="c", tool_name="t"), of_agent("tool-result", tool_call_id="c")
    )
    shown = [event.data["calls"][0]["done"] for event in events if isinstance(event, e.Data)]
    assert shown[:2] == [False, True]


def test_what_is_not_ours_is_handed_on_as_it_came():
    for odd in (
        {"type": "data-id", "data": "text", "transient": True},
        {"type": "data-usage", "data": {"totalTokens": 5}},
        {"type": "data-sub-agent-start", "data": {"agentId": "older server"}},
        {"type": "data-sub-agent-new-thing", "data": {"session_id": "s"}},
        {"type": "data-vibeCodeDelta", "data": {"action": "artifact-open"}, "transient": True},
    ):
        assert through(odd, end=False)[0] == events_from_chunk(odd)[0]


def test_a_flood_of_parts_calls_and_words_is_bounded():
    flood: list[dict[str, Any]] = []
    for number in range(MAX_PARTS * 3):
        flood += [of_document("id", f"d{number}"), of_document("textDelta", "x")]
        flood.append(of_agent("start", f"s{number}"))
    flood += [of_agent("tool-call", tool_name="t", tool_call_id=f"c{number}") for number in range(20_000)]
    begin = time.perf_counter()
    events = through(*flood)
    assert time.perf_counter() - begin < 5
    assert len([each for each in parts(events) if "content" in each]) == MAX_PARTS
    agent = next(each for each in parts(events) if each.get("session") == "s0")
    assert agent["calls"] == []
    (busy,) = [each for each in parts(through(*flood[-20_000:])) if "calls" in each]
    assert len(busy["calls"]) == MAX_CALLS


def test_the_history_names_each_document_once():
    def call(number: int, document_id: Any, name: str = "createDocument") -> dict[str, Any]:
        output = {"id": document_id, "title": "T", "kind": "code"}
        return {
            "type": f"tool-{name}",
            "toolCallId": f"c{number}",
            "state": "output-available",
            "output": output,
        }

    shown = with_documents(
        Message.from_wire(
            {"id": "m", "role": "assistant", "parts": [
                call(1, "d1"), call(2, "d1", "updateDocument"), call(3, 5), call(4, "x", "other"),
                {**call(5, "d2"), "state": "output-error"}, {**call(6, "d3"), "output": "text"},
            ]}
        )
    )  # fmt: skip
    assert [part.fields["id"] for part in shown.parts if isinstance(part, DataPart)] == ["d1"]
    assert shown.parts[1].type == "data-document"


def test_the_rows_of_a_team_become_parts_and_what_is_not_for_the_reader_is_left_out():
    def row(role: str, text: str, **about: Any) -> dict[str, Any]:
        return {
            "id": text,
            "role": role,
            "parts": [{"type": "text", "text": text}],
            "metadata": about or None,
        }

    worker = row(
        "assistant", "Looked.", subAgent=True, sessionId="s1", agentName="Researcher", status="completed"
    )
    worker["parts"] += [
        {"type": "tool-call", "toolCallId": "c1", "toolName": "search"},
        {"type": "tool-result", "toolCallId": "c1", "result": 5},
        {"type": "tool-call", "toolCallId": "c2", "toolName": "read"},
        "odd",
    ]
    lead = row("assistant", "Done.")
    lead["parts"].insert(0, {"type": "tool-task", "toolCallId": "t", "state": "output-available"})
    failed = row("assistant", "", subAgent=True, sessionId="s2", status="error", error="gave up")
    nobodys = row("assistant", "early", subAgent=True, sessionId="s0")
    found = Reading(
        [
            nobodys, row("user", "go"), lead, worker, failed,
            row("user", "aside", subAgentDirectChat=True), row("assistant", "aside", subAgentDirectChat=True),
            row("assistant", "[Conversation Summary]", synthetic=True), row("user", "[Compaction marker]", compaction=True),
            row("user", "on"), 5, None,
        ]
    )  # fmt: skip
    assert [each.text for each in found.messages] == ["go", "Done.", "[Conversation Summary]", "on"]
    answer = found.messages[1]
    assert [part.type for part in answer.parts] == ["tool-task", "data-sub-agent", "data-sub-agent", "text"]
    by_session = {
        part.fields["id"]: part.fields["data"] for part in answer.parts if isinstance(part, DataPart)
    }
    assert by_session["s1"] == {
        "session": "s1", "agent": "Researcher", "state": "done", "text": "Looked.",
        "calls": [{"tool": "search", "done": True}, {"tool": "read", "done": False}],
    }  # fmt: skip
    assert (by_session["s2"]["state"], by_session["s2"]["error"]) == ("failed", "gave up")


def test_ids_of_ours_are_taken_only_from_messages_of_the_user():
    def row(role: str, server_id: str, ours: Any) -> dict[str, Any]:
        return {"id": server_id, "role": role, "parts": [{"type": "text", "text": "x", OUR_ID: ours}]}

    found = Reading(
        [row("user", "a", "mine"), row("assistant", "b", "mine2"), row("user", "c", 5), row("user", "d", "x" * 200),
         {"id": "e", "role": "user", "parts": []}]
    )  # fmt: skip
    assert [each.id for each in found.messages] == ["mine", "b", "c", "d", "e"]
    assert found.server_ids == {"mine": "a"}


def test_a_growing_text_is_worth_showing_ever_less_often():
    text, shown = Growing(1_000_000), 0
    for _ in range(10_000):
        text.append("word ")
        if text.worth_showing:
            text.text()
            shown += 1
    assert shown < 700
    assert text.text() == "word " * 10_000


ANY = st.sampled_from(
    [*begun(), of_document("textDelta", "x"), of_document("codeDelta", "y"), of_document("finish"), UPDATE,
     of_document("id", ""), of_document("title"), of_document("textDelta", 5), of_agent("start"), of_agent("end"),
     of_agent("text-delta", text="z"), of_agent("text-delta", text=None), of_agent("tool-result"), of_agent("x", ""),
     {"type": "text-delta", "id": "0", "delta": "t"}, {"type": "error", "errorText": "No output generated"},
     {"type": "data-id", "data": []}]
)  # fmt: skip


@examples(200)
@given(st.lists(ANY, max_size=30))
def test_any_order_of_events_leaves_nothing_open_and_loses_no_other(chunks: list[dict[str, Any]]):
    events = through(*chunks)
    assert isinstance(events[-1], e.Finish)
    for each in parts(events):
        assert not isinstance(each, dict) or each.get("state") in (None, "done", "failed", "cut")
    text = sum(chunk["type"] == "text-delta" for chunk in chunks)
    assert sum(isinstance(event, e.TextDelta) for event in events) == text
