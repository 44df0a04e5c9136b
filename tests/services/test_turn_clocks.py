"""A turn's own clocks: silence, the wait a server asks for, looking again for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kai_tui.backends.base import (
    CHAT_GONE,
    CannotConnect,
    Chat,
    ChatSummary,
    NotFound,
    Quota,
    RateLimited,
    ServerFailed,
    TokenRefused,
    Waiting,
)
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message, TextPart
from kai_tui.services.approval_round import Place
from kai_tui.services.approval_service import ApprovalService
from kai_tui.services.changes import Notice, SessionChange, TurnChanged
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.session_state import SessionTools
from kai_tui.services.session_tools import no_ledger
from kai_tui.services.turn import OUTCOME_UNKNOWN
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import ANSWER, CHAT, MemoryKeeper, text_reply, write_call


class Stopped:
    """Monotonic seconds that pass only when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Room:
    """A session on screen, and its clock."""

    def __init__(self, backend: ScriptedBackend) -> None:
        self.backend, self.clock = backend, Stopped()
        self.keeper, self.approvals = MemoryKeeper(), ApprovalService()
        self.heard: list[SessionChange] = []

        async def provide() -> ScriptedBackend:
            return backend

        self.session = ChatSession(
            CHAT,
            SessionTools(
                provide,
                self.approvals,
                self.keeper,
                lambda: Place("Project", "kai.test", "main"),
                no_ledger(),
                quota=self.backend.quota,
                clock=self.clock,
            ),
        )
        self.session.observe(self.heard.append)
        self.session.set_watched(True)

    @property
    def message_id(self) -> str:
        return next(m.id for m in self.session.messages if m.role == "user")

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.session.beat()

    def notices(self) -> list[str]:
        return [change.sentence for change in self.heard if isinstance(change, Notice)]

    def settled(self) -> list[str]:
        return [entry[2] for entry in self.keeper.log if entry[0] == "settle"]

    async def over(self) -> None:
        await until(lambda: self.session.turn.phase == "finished")


@pytest.fixture
async def opened() -> AsyncIterator[list[Room]]:
    rooms: list[Room] = []
    yield rooms
    for room in rooms:
        await room.session.aclose()


@pytest.fixture
def room_for(opened: list[Room]):
    def make(backend: ScriptedBackend) -> Room:
        opened.append(Room(backend))
        return opened[-1]

    return make


# Silence


async def test_silence_is_told_at_15_and_at_60_seconds_and_ends_with_an_event(room_for) -> None:
    more, end = asyncio.Event(), asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        e.TextStart("0"),
        more,
        e.TextDelta("0", "Hi"),
        end,
        e.Finish("stop"),
    ]
    room = room_for(ScriptedBackend(replies=[reply]))
    room.session.send("go")
    await until(lambda: room.session.turn.phase == "streaming")
    room.pass_time(14.9)
    assert room.session.turn.silence == ""
    told = sum(isinstance(change, TurnChanged) for change in room.heard)
    room.pass_time(0.2)
    assert room.session.turn.silence == "waiting"
    assert room.session.turn.quiet_since == 1000.0
    assert sum(isinstance(change, TurnChanged) for change in room.heard) == told + 1
    room.pass_time(45)
    assert room.session.turn.silence == "long"
    more.set()
    await until(lambda: room.session.turn.silence == "")
    assert room.session.turn.quiet_since is None
    end.set()
    await room.over()
    room.pass_time(100)
    assert room.session.turn.silence == ""


async def test_silence_counts_before_the_first_event_too(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(ScriptedBackend(replies=[[gate, *text_reply("Hi")]]))
    room.session.send("go")
    await until(lambda: room.backend.posts)
    room.pass_time(61)
    assert (room.session.turn.phase, room.session.turn.silence) == ("sending", "long")
    gate.set()
    await room.over()


async def test_the_clock_stands_still_while_a_decision_is_open(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(ScriptedBackend(replies=[[e.Start(ANSWER), *write_call(), gate, e.Finish("stop")]]))
    room.session.send("create it")
    await until(lambda: room.approvals.pending)
    room.pass_time(500)
    assert room.session.turn.phase == "waiting-for-approval"
    assert room.session.turn.silence == ""
    room.approvals.withdraw(CHAT, "w1")
    room.pass_time(14)
    assert room.session.turn.silence == ""
    room.pass_time(2)
    assert room.session.turn.silence == "waiting"
    gate.set()
    await room.over()


# The server asks to wait


def busy_then(*replies: list[Step], wait: float | None = 42.0) -> ScriptedBackend:
    return ScriptedBackend(replies=[[RateLimited("Too many.", retry_after=wait, status=429)], *replies])


async def test_a_message_the_server_asked_to_hold_is_sent_once_more_by_itself(room_for) -> None:
    room = room_for(busy_then(text_reply("Hi")))
    room.session.send("go")
    await until(lambda: room.session.turn.phase == "holding")
    countdown = room.session.turn.countdown
    assert countdown is not None
    assert (countdown.what, countdown.until) == ("send-again", 1042.0)
    assert room.session.delivery(room.message_id) == "not-sent"
    assert room.settled() == ["not-sent"]
    room.session.send("and then this")
    assert [each.text for each in room.session.queue] == ["and then this"]
    room.pass_time(41)
    await asyncio.sleep(0)
    assert len(room.backend.posts) == 1
    room.backend.replies.append(text_reply("second"))
    room.pass_time(1.1)
    await until(lambda: room.session.delivery(room.message_id) == "sent")
    assert [post.message_id for post in room.backend.posts][:2] == [room.message_id] * 2
    await until(lambda: len(room.backend.posts) == 3 and not room.session.turn.busy)
    assert not room.session.queue


async def test_a_second_429_is_not_followed_by_a_third_try(room_for) -> None:
    room = room_for(busy_then([RateLimited("Still too many.", retry_after=5.0, status=429)]))
    room.session.send("go")
    await until(lambda: room.session.turn.phase == "holding")
    room.pass_time(43)
    await room.over()
    assert len(room.backend.posts) == 2
    assert room.session.turn.countdown is None
    assert room.session.delivery(room.message_id) == "not-sent"
    assert "asks to wait until" in (room.session.why_not_sent(room.message_id) or "")


@pytest.mark.parametrize("how", ["left", "stopped", "long", "unwatched"])
async def test_without_the_user_nothing_is_sent_again(room_for, how: str) -> None:
    room = room_for(busy_then(wait=61.0 if how == "long" else 42.0))
    if how == "unwatched":
        room.session.set_watched(False)
    room.session.send("go")
    if how in ("left", "stopped"):
        await until(lambda: room.session.turn.phase == "holding")
        room.pass_time(20)
        if how == "left":
            room.session.set_watched(False)
        else:
            room.session.stop()
    await room.over()
    room.session.set_watched(True)
    room.pass_time(100)
    await asyncio.sleep(0.01)
    assert len(room.backend.posts) == 1
    assert room.session.delivery(room.message_id) == "not-sent"
    assert "asks to wait until" in (room.session.why_not_sent(room.message_id) or "")
    assert room.settled()[-1] == "not-sent"


async def test_a_used_up_quota_is_named_and_counts_nothing_down(room_for) -> None:
    backend = busy_then(wait=None)
    backend.offers = {"usage": True}
    backend.quota_now = Quota(150, 150, "2026-12-01T00:00:00.000Z")
    room = room_for(backend)
    room.session.send("go")
    await room.over()
    assert room.session.turn.countdown is None
    await until(lambda: "150 of 150 messages" in (room.session.why_not_sent(room.message_id) or ""))
    why = room.session.why_not_sent(room.message_id) or ""
    assert any(day in why for day in ("1 Dec", "Dec 1", "30 Nov", "Nov 30"))


# Tries to connect


async def test_tries_to_connect_count_down_and_a_stop_means_not_sent(room_for) -> None:
    gate = asyncio.Event()
    waiting = Waiting("Cannot reach kai.test.", 2.0, 2, 3)
    room = room_for(ScriptedBackend(replies=[[waiting, gate, *text_reply("Hi")]]))
    room.session.send("go")
    await until(lambda: room.session.turn.countdown is not None)
    countdown = room.session.turn.countdown
    assert countdown is not None
    assert (countdown.what, countdown.number, countdown.of, countdown.until) == (
        "connect-again",
        2,
        3,
        1002.0,
    )
    room.session.stop()
    assert room.session.delivery(room.message_id) == "not-sent"
    assert room.session.turn.countdown is None
    await until(lambda: room.settled() == ["not-sent"])


async def test_a_stop_before_anything_was_posted_means_not_sent(room_for) -> None:
    room = room_for(ScriptedBackend(replies=[text_reply("Hi")]))
    asked = asyncio.Event()

    async def tools() -> list[object]:
        asked.set()
        await asyncio.Event().wait()
        return []

    room.backend.tools = tools
    room.session.send("go")
    await asked.wait()
    room.session.stop()
    assert room.session.delivery(room.message_id) == "not-sent"
    assert room.backend.posts == []


# Unknown outcomes


def unsure(room: Room) -> Message:
    return Message.user(room.backend.posts[0].message_id, "go")


async def test_an_answer_that_is_still_being_made_is_looked_for_a_few_times(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(ScriptedBackend(replies=[[gate, ServerFailed("Server error.", status=502)]]))
    room.session.send("go")
    await until(lambda: room.backend.posts)
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [unsure(room)])
    gate.set()
    await room.over()
    assert room.session.delivery(room.message_id) == "sent"
    assert room.notices() == ["Server error. Your message did arrive."]
    for number, pause in enumerate((3.0, 10.0), 1):
        await until(
            lambda number=number: (c := room.session.turn.countdown) is not None and c.number == number
        )
        countdown = room.session.turn.countdown
        assert countdown is not None
        assert (countdown.what, countdown.of) == ("look-again", 3)
        room.pass_time(pause)
    await until(lambda: (c := room.session.turn.countdown) is not None and c.number == 3)
    answer = Message(ANSWER, "assistant", [TextPart({"type": "text", "text": "Yes."})])
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [unsure(room), answer])
    room.pass_time(30)
    await until(lambda: len(room.session.messages) == 2)
    assert room.session.turn.countdown is None
    finish = room.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "lost"
    assert len(room.backend.posts) == 1


async def test_looking_for_an_answer_ends_by_itself_and_with_a_new_message(room_for) -> None:
    gate = asyncio.Event()
    failed: list[Step] = [gate, ServerFailed("Server error.", status=502)]
    room = room_for(
        ScriptedBackend(replies=[failed, [gate, ServerFailed("x", status=502)], text_reply("Hi")])
    )
    room.session.send("go")
    await until(lambda: room.backend.posts)
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [unsure(room)])
    gate.set()
    await room.over()
    for pause in (3.0, 10.0, 30.0):
        before = room.session.turn.countdown
        room.pass_time(pause)
        await until(lambda before=before: room.session.turn.countdown is not before)
    assert room.session.turn.countdown is None
    room.session.send("again")
    await room.over()
    room.backend.stored[CHAT] = Chat(
        ChatSummary(CHAT, "t"), [Message.user(post.message_id, "x") for post in room.backend.posts]
    )
    assert room.session.turn.countdown is None or room.session.turn.countdown.what == "look-again"
    room.session.send("third")
    await room.over()
    assert room.session.turn.countdown is None
    assert len(room.backend.posts) == 3


async def test_reading_back_takes_no_reply_away_that_was_seen(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(
        ScriptedBackend(replies=[text_reply("Seen"), [gate, ServerFailed("Server error.", status=502)]])
    )
    room.session.send("one")
    await room.over()
    room.session.send("two")
    await until(lambda: len(room.backend.posts) == 2)
    asked = [Message.user(post.message_id, post.text) for post in room.backend.posts]
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), asked)
    gate.set()
    await room.over()
    assert [m.text for m in room.session.messages] == ["one", "Seen", "two"]
    finish = room.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "stop"


async def test_the_outcome_is_said_to_be_unknown_while_it_is_checked(room_for) -> None:
    gate, reading = asyncio.Event(), asyncio.Event()
    backend = ScriptedBackend(replies=[[gate, ServerFailed("Server error.", status=500)]])
    original = backend.chat

    async def slow(chat_id: str) -> Chat:
        await reading.wait()
        return await original(chat_id)

    backend.chat = slow  # type: ignore[method-assign]
    room = room_for(backend)
    room.session.send("go")
    gate.set()
    await until(lambda: room.session.why_not_sent(room.message_id) == OUTCOME_UNKNOWN)
    assert room.session.turn.busy
    reading.set()
    await room.over()
    assert room.notices() == ["Server error. Your message did not arrive."]


async def test_a_stopped_message_that_arrived_says_that_the_server_may_go_on(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(ScriptedBackend(replies=[[gate]]))
    room.session.send("go")
    await until(lambda: room.backend.posts)
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [unsure(room)])
    room.session.stop()
    await until(lambda: room.session.delivery(room.message_id) == "sent")
    assert room.session.why_not_sent(room.message_id) == "Stopped. Kai may still be working on the server."


async def test_a_reply_that_is_stopped_before_its_first_word_says_so_under_its_question(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(ScriptedBackend(replies=[[e.Start("a1"), gate]]))
    room.session.send("go")
    await until(lambda: room.session.turn.phase == "streaming")
    room.session.stop()
    assert [each.role for each in room.session.messages] == ["user", "assistant"]
    reply = room.session.messages[-1]
    assert reply.finish is not None
    assert reply.finish.reason == "cancelled"
    assert room.session.delivery(room.message_id) == "sent"
    await until(lambda: not room.session._background)
    assert room.keeper.replies["a1"][1] == "stopped"


async def test_a_reply_that_went_on_after_a_stop_says_so_when_it_is_read(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(
        ScriptedBackend(replies=[[e.Start(ANSWER), e.TextStart("0"), e.TextDelta("0", "Half"), gate]])
    )
    room.session.send("go")
    await until(lambda: len(room.session.messages) == 2 and room.session.messages[1].text)
    room.session.stop()
    finish = room.session.messages[1].finish
    assert finish is not None
    assert finish.detail == "Kai may still be working on the server."
    whole = Message(ANSWER, "assistant", [TextPart({"type": "text", "text": "Half and the rest"})])
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [unsure(room), whole])
    room.session.look_again()
    await until(lambda: room.session.messages[1].text == "Half and the rest")
    finish = room.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "cancelled"
    assert "went on after you stopped" in (finish.detail or "")
    assert room.notices()[-1] == "The server had more. It is shown now."


async def test_looking_again_says_when_there_is_nothing_new_or_nobody_answers(room_for) -> None:
    room = room_for(ScriptedBackend(replies=[text_reply("Hi")]))
    room.session.send("go")
    await room.over()
    asked, answer = room.session.messages
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [asked, Message.from_wire(answer.to_wire())])
    room.session.look_again()
    await until(lambda: room.notices() == ["The server has nothing new here."])
    room.backend.chat_error = CannotConnect("kai.test refuses connections.")
    room.session.look_again()
    await until(lambda: "could not be asked" in room.notices()[-1])


async def test_after_a_sleep_a_question_settled_elsewhere_goes_away(room_for) -> None:
    gate = asyncio.Event()
    room = room_for(ScriptedBackend(replies=[[e.Start(ANSWER), *write_call(), gate, e.Finish("stop")]]))
    room.session.send("create it")
    await until(lambda: room.approvals.pending)
    asked, answer = room.session.messages
    settled = Message.from_wire(answer.to_wire())
    settled.parts[0].fields.update(state="output-available", output={"ok": True})
    room.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [asked, settled])
    room.session.woke()
    await until(lambda: not room.approvals.pending)
    assert room.notices() == ["create_config was settled elsewhere. Nothing was sent."]
    assert room.backend.answered == []
    gate.set()
    await room.over()


# Chats that are gone, tokens that are refused


async def test_a_chat_that_is_gone_can_be_read_and_takes_no_message(room_for) -> None:
    room = room_for(
        ScriptedBackend(replies=[text_reply("Hi"), [NotFound("This chat no longer exists.", code=CHAT_GONE)]])
    )
    room.session.send("one")
    await room.over()
    room.session.send("two")
    await until(lambda: room.session.gone and not room.session.turn.busy)
    assert [m.text for m in room.session.messages] == ["one", "Hi", "two"]
    assert [n for n in room.notices() if "no longer exists" in n] == [room.notices()[-1]]
    room.session.send("three")
    await room.over()
    assert len(room.backend.posts) == 2
    last = room.session.messages[-1].id
    assert room.session.take_back(last) == "three"
    assert [m.text for m in room.session.messages] == ["one", "Hi", "two"]
    await until(lambda: ("settle", last, "sent") in room.keeper.log)


async def test_a_refused_token_leaves_the_message_for_a_word_of_the_user(room_for) -> None:
    room = room_for(ScriptedBackend(replies=[[TokenRefused("Token refused by kai.test.", status=401)]]))
    room.session.send("go")
    await room.over()
    assert room.session.delivery(room.message_id) == "not-sent"
    assert room.session.why_not_sent(room.message_id) == "The token was refused."
    assert [c.code for c in room.heard if isinstance(c, Notice)] == ["sign-in"]
    assert len(room.backend.posts) == 1
