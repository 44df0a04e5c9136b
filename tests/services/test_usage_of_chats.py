"""Tokens of a chat over its turns and over restarts; over the real sandbox in both flavours."""

from __future__ import annotations

from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.conversation.usage import Tokens
from kai_tui.services.approval_service import Decision
from kai_tui.services.changes import TurnChanged
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.services.test_chat_session import desk_for
from tests.services.test_with_sandbox import BUCKET, House, asked, house, over

__all__ = ["desk_for", "house"]


async def test_the_turns_of_a_chat_add_up_and_the_sum_outlives_the_program(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send("What tables do I have?")
    await over(session)
    first = session.tokens
    assert first.input >= 900
    assert first.output > 0
    assert first.total == first.input + first.output
    assert session.turn.tokens == first.total
    session.send("What buckets do I have?")
    await over(session)
    both = session.tokens
    assert both.input >= first.input + 900
    other = workspace.chats.new_chat()
    assert other.tokens.total == 0
    await workspace.aclose()
    again = await house.enter()
    opened = await again.chats.open_chat(session.chat_id)
    assert opened.tokens == both
    assert opened.turn.tokens == both.total
    await again.history.delete(session.chat_id)
    assert (await again._keeper.notes(session.chat_id)).get("usage") is None


async def test_a_turn_in_two_streams_counts_both(house: House) -> None:
    workspace = await house.enter()
    session = workspace.chats.new_chat()
    session.send(BUCKET)
    await asked(workspace)
    assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await over(session)
    # kai-assistant ends its stream to ask and reports again at the end of the second one.
    streams = 2 if house.flavour == "assistant" else 1
    assert session.tokens.input >= 900 * streams
    assert session.tokens.input < 900 * (streams + 1)


async def test_a_message_stored_with_its_usage_counts_where_nothing_was_noted(desk_for) -> None:
    usage = {"type": "data-usage", "data": {"promptTokens": 10, "completionTokens": 5, "cacheReadTokens": 4}}
    wire = {"id": "a", "role": "assistant", "parts": [{"type": "text", "text": "x"}, usage]}
    session = desk_for(ScriptedBackend(), [Message.user("u", "?"), Message.from_wire(wire)]).session
    session.restore({"usage": {"total": "many", "input": -1, "output": 7}})
    assert session.tokens == Tokens(10, 7, 15, 4)


async def test_a_flood_of_reports_is_told_calmly(desk_for) -> None:
    flood: list[Step] = [e.Usage(total=1) for _ in range(500)]
    reply = [e.Start("a"), *flood, e.TextStart("t"), e.TextDelta("t", "x"), e.Finish("stop")]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    told: list[object] = []
    desk.session.observe(lambda change: told.append(change) if isinstance(change, TurnChanged) else None)
    desk.session.send("go")
    await desk.turn_over()
    assert desk.session.tokens.total == 500
    assert len(told) < 50
