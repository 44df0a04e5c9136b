"""The turn's state machine: what the screen sees, what is kept, how often something is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from kai_tui.backends.base import (
    CannotConnect,
    Chat,
    ChatSummary,
    ChatTerms,
    ConnectionLost,
    ServerFailed,
    ToolInfo,
)
from kai_tui.conversation import events as e
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message, TextPart
from kai_tui.services.approval_round import Place
from kai_tui.services.approval_service import ApprovalService, Decision
from kai_tui.services.changes import Notice, PartChanged, SessionChange, TermsChanged, TurnEnded
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.session_state import SessionTools
from kai_tui.services.session_tools import no_ledger
from tests.services.scripted_backend import ScriptedBackend, Step, until

CHAT = "11111111-1111-4111-8111-111111111111"
ANSWER = "22222222-2222-4222-8222-222222222222"


@dataclass
class MemoryKeeper:
    """Records what would be on disk, in order."""

    log: list[tuple[str, ...]] = field(default_factory=list)
    replies: dict[str, tuple[JsonObject, str]] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)

    async def keep_outgoing(self, chat_id: str, message_id: str, text: str) -> None:
        self.log.append(("keep", message_id, text))

    async def settle_outgoing(self, message_id: str, state: str) -> None:
        self.log.append(("settle", message_id, state))

    async def keep_queue(self, chat_id: str, waiting: Sequence[tuple[str, str]]) -> None:
        self.log.append(("queue", *(text for _, text in waiting)))

    async def checkpoint(self, chat_id: str, title: str, message: Message, state: str) -> None:
        self.replies[message.id] = (message.to_wire(), state)

    def keep_here(self, chat_id: str) -> None:
        self.log.append(("here",))

    async def keep_reply(
        self, chat_id: str, title: str, question: Message, reply: Message, state: str
    ) -> None:
        self.log.append(("reply", question.id, reply.id, state))

    async def drop_message(self, chat_id: str, message_id: str) -> None:
        self.log.append(("drop", message_id))

    async def rename_message(self, chat_id: str, old_id: str, new_id: str) -> None:
        self.log.append(("rename", old_id, new_id))

    async def remember_answer(
        self, chat_id: str, tool_call_id: str, approval_id: str | None, approved: bool
    ) -> bool:
        self.log.append(("answer", tool_call_id, str(approved)))
        return True

    async def answers_noted(self, chat_id: str) -> dict[tuple[str, str], bool]:
        return {}

    async def withdraw_answer(self, chat_id: str, tool_call_id: str, approval_id: str | None) -> None:
        self.log.append(("withdraw", tool_call_id))

    async def keep_note(self, chat_id: str, kind: str, value: object) -> None:
        self.notes[kind] = value


@dataclass
class Desk:
    """A session with everything around it."""

    backend: ScriptedBackend
    session: ChatSession
    approvals: ApprovalService
    keeper: MemoryKeeper
    heard: list[SessionChange]

    def notices(self) -> list[str]:
        return [change.sentence for change in self.heard if isinstance(change, Notice)]

    async def turn_over(self) -> None:
        await until(lambda: self.session.turn.phase == "finished")


@pytest.fixture
async def desk_for() -> Callable[[ScriptedBackend], Desk]:
    def make(backend: ScriptedBackend, messages: Sequence[Message] = ()) -> Desk:
        approvals, keeper = ApprovalService(), MemoryKeeper()

        async def provide() -> ScriptedBackend:
            return backend

        session = ChatSession(
            CHAT,
            SessionTools(
                provide, approvals, keeper, lambda: Place("Project", "kai.test", "main"), no_ledger()
            ),
            messages=messages,
        )
        heard: list[SessionChange] = []
        session.observe(heard.append)
        return Desk(backend, session, approvals, keeper, heard)

    return make


def text_reply(*deltas: str, reason: e.FinishReason = "stop") -> list[Step]:
    return [
        e.Start(ANSWER),
        e.StartStep(),
        e.TextStart("0"),
        *(e.TextDelta("0", delta) for delta in deltas),
        e.TextEnd("0"),
        e.Finish(reason),
    ]


def write_call(call_id: str = "w1", name: str = "create_config") -> list[Step]:
    return [
        e.ToolInputStart(call_id, name, {}),
        e.ToolInputAvailable(call_id, name, {"name": "x"}, {}),
    ]


async def test_a_turn_streams_and_ends(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[text_reply("Hel", "lo")]))
    desk.session.send("Hi")
    await desk.turn_over()
    assert [m.role for m in desk.session.messages] == ["user", "assistant"]
    assert desk.session.messages[1].text == "Hello"
    assert desk.session.messages[1].id == ANSWER
    assert desk.session.turn.reason == "stop"
    assert len(desk.backend.posts) == 1
    assert desk.session.delivery(desk.backend.posts[0].message_id) == "sent"
    assert sum(isinstance(change, TurnEnded) for change in desk.heard) == 1
    assert any(isinstance(change, PartChanged) for change in desk.heard)
    await until(lambda: desk.keeper.replies.get(ANSWER, ({}, ""))[1] == "complete")


class _Sleeps:
    """How often the event loop waited for a while, so that other threads had the interpreter."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
        select = selector.select

        def counted(timeout: float | None = None) -> object:
            self.count += timeout is not None and timeout > 0
            return select(timeout)

        monkeypatch.setattr(selector, "select", counted)


def long_reply(events: int) -> list[Step]:
    return text_reply(*["word "] * events)


async def test_a_reply_that_comes_at_full_speed_leaves_the_interpreter_to_the_keys(
    desk_for, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_for(ScriptedBackend(replies=[long_reply(400)]))
    monkeypatch.setattr("kai_tui.services.session_turn.SLICE_SECONDS", 0.0)
    # Wherever the test runs, its slices are not taken for waiting.
    monkeypatch.setattr("kai_tui.services.session_turn.WAITED_SECONDS", 60.0)
    sleeps = _Sleeps(monkeypatch)
    desk.session.send("Hi")
    await until(lambda: desk.session.turn.phase == "finished")
    assert sleeps.count >= 400


async def test_a_reply_that_is_waited_for_does_not_pause_as_well(
    desk_for, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_for(ScriptedBackend(replies=[long_reply(400)]))
    monkeypatch.setattr("kai_tui.services.session_turn.SLICE_SECONDS", 0.0)
    monkeypatch.setattr("kai_tui.services.session_turn.WAITED_SECONDS", 0.0)
    sleeps = _Sleeps(monkeypatch)
    desk.session.send("Hi")
    await until(lambda: desk.session.turn.phase == "finished")
    assert sleeps.count < 100


async def test_the_text_is_kept_before_it_is_sent(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[[CannotConnect("x refuses connections.")]]))
    desk.session.send("precious")
    await desk.turn_over()
    message_id = desk.session.messages[0].id
    assert desk.keeper.log[0] == ("keep", message_id, "precious")
    assert ("settle", message_id, "not-sent") in desk.keeper.log
    assert desk.session.delivery(message_id) == "not-sent"
    assert desk.notices() == ["x refuses connections."]


async def test_blank_text_is_not_sent(desk_for) -> None:
    desk = desk_for(ScriptedBackend())
    desk.session.send(" \n ")
    assert desk.session.messages == []
    assert desk.session.turn.phase == "idle"


async def test_retry_keeps_the_message_id_and_sends_once(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[[CannotConnect("no")], text_reply("ok")]))
    desk.session.send("again")
    await desk.turn_over()
    first = desk.backend.posts[0].message_id
    desk.session.retry(first)
    await until(lambda: len(desk.session.messages) == 2)
    await desk.turn_over()
    assert [post.message_id for post in desk.backend.posts] == [first, first]
    assert [m.role for m in desk.session.messages] == ["user", "assistant"]


async def test_an_unknown_outcome_is_read_back_and_never_sent_again(desk_for) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[[gate, ServerFailed("Server error.", status=500)]])
    desk = desk_for(backend)
    desk.session.send("did it arrive?")
    await until(lambda: backend.posts)
    asked = Message.user(backend.posts[0].message_id, "did it arrive?")
    answer = Message(ANSWER, "assistant", [TextPart({"type": "text", "text": "Yes."})])
    backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [asked, answer])
    gate.set()
    await desk.turn_over()
    assert desk.session.delivery(backend.posts[0].message_id) == "sent"
    assert [m.text for m in desk.session.messages] == ["did it arrive?", "Yes."]
    assert len(backend.posts) == 1


async def test_an_unknown_outcome_that_did_not_arrive_is_not_sent(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[[ServerFailed("Server error.", status=500)]]))
    desk.session.send("lost?")
    await desk.turn_over()
    message_id = desk.session.messages[0].id
    assert desk.session.delivery(message_id) == "not-sent"
    assert "not reach" in (desk.session.why_not_sent(message_id) or "")


async def test_an_unknown_outcome_stays_unsure_while_the_server_is_away(desk_for) -> None:
    backend = ScriptedBackend(replies=[[ConnectionLost("Connection lost.")]])
    backend.chat_error = CannotConnect("kai.test refuses connections.")
    desk = desk_for(backend)
    desk.session.send("lost?")
    await desk.turn_over()
    message_id = desk.session.messages[0].id
    assert desk.session.delivery(message_id) == "unsure"
    backend.chat_error = None
    desk.session.retry(message_id)
    await until(lambda: desk.session.delivery(message_id) == "not-sent")
    assert len(backend.posts) == 1


async def test_stop_keeps_what_came_and_hangs_up(desk_for) -> None:
    gate = asyncio.Event()
    reply: list[Step] = [e.Start(ANSWER), e.TextStart("0"), e.TextDelta("0", "half a "), gate]
    desk = desk_for(ScriptedBackend(replies=[[*reply, e.TextDelta("0", "never"), e.Finish("stop")]]))
    desk.session.send("go")
    await until(lambda: len(desk.session.messages) == 2 and desk.session.messages[1].text)
    desk.session.stop()
    assert desk.session.turn.phase == "finished"
    assert desk.session.turn.reason == "cancelled"
    gate.set()
    await until(lambda: desk.backend.hung_up == 1)
    assert desk.session.messages[1].text == "half a "
    finish = desk.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "cancelled"
    await until(lambda: desk.keeper.replies[ANSWER][1] == "stopped")


async def test_a_lost_reply_is_cut_off_even_when_the_server_has_more(desk_for) -> None:
    backend = ScriptedBackend(
        replies=[
            [e.Start(ANSWER), e.TextStart("0"), e.TextDelta("0", "one"), e.Finish("lost", detail="gone")]
        ]
    )
    whole = Message(ANSWER, "assistant", [TextPart({"type": "text", "text": "one two three"})])
    backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [whole])
    desk = desk_for(backend)
    desk.session.send("go")
    await desk.turn_over()
    await until(lambda: desk.session.messages[1].text == "one two three")
    finish = desk.session.messages[1].finish
    assert finish is not None
    assert finish.reason == "lost"
    assert len(backend.posts) == 1


async def test_messages_typed_meanwhile_wait_and_are_sent_after_a_good_end(desk_for) -> None:
    gate = asyncio.Event()
    desk = desk_for(
        ScriptedBackend(replies=[[e.Start(ANSWER), gate, e.Finish("stop")], text_reply("second")])
    )
    desk.session.send("first")
    await until(lambda: desk.session.turn.phase == "streaming")
    desk.session.send("next")
    assert [each.text for each in desk.session.queue] == ["next"]
    gate.set()
    await until(lambda: len(desk.backend.posts) == 2)
    assert desk.session.queue == []
    await desk.turn_over()


async def test_messages_typed_meanwhile_stay_after_a_bad_end(desk_for) -> None:
    gate = asyncio.Event()
    desk = desk_for(ScriptedBackend(replies=[[e.Start(ANSWER), gate, e.Finish("lost")]]))
    desk.session.send("first")
    await until(lambda: desk.session.turn.phase == "streaming")
    desk.session.send("next")
    gate.set()
    await desk.turn_over()
    assert desk.session.queue_paused
    assert desk.session.take_newest() == "next"
    assert len(desk.backend.posts) == 1


async def test_side_request_asks_for_a_write_and_answers_beside_the_stream(desk_for) -> None:
    gate = asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call(),
        gate,
        e.ToolOutputAvailable("w1", {}, {}),
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    desk.session.send("create it")
    await until(lambda: desk.approvals.pending)
    assert desk.session.turn.phase == "waiting-for-approval"
    approval = desk.approvals.pending[0]
    assert (approval.tool_name, approval.input, approval.host) == ("create_config", {"name": "x"}, "kai.test")
    assert desk.approvals.decide(approval, Decision(True))
    await until(lambda: desk.backend.answered)
    assert [(a.tool_call_id, a.approved) for a in desk.backend.answered[0]] == [("w1", True)]
    assert ("answer", "w1", "True") in desk.keeper.log
    gate.set()
    await desk.turn_over()
    assert len(desk.backend.answered) == 1
    assert desk.approvals.pending == []


async def test_a_read_tool_is_not_asked_about(desk_for) -> None:
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call("r1", "get_tables"),
        e.ToolOutputAvailable("r1", {}, {}),
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    asked: list[int] = []
    desk.approvals.observe(lambda _: asked.append(len(desk.approvals.pending)))
    desk.session.send("list")
    await desk.turn_over()
    assert asked == []


async def test_always_allow_is_not_asked_about_and_unknown_tools_are(desk_for) -> None:
    gate = asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call("a"),
        *write_call("b", "frobnicate"),
        gate,
        e.Finish("stop"),
    ]
    backend = ScriptedBackend(
        replies=[reply], tool_list=[ToolInfo("create_config", permission="always_allow")]
    )
    desk = desk_for(backend)
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    assert [each.tool_name for each in desk.approvals.pending] == ["frobnicate"]
    gate.set()
    await desk.turn_over()


async def test_a_question_goes_away_when_the_output_arrives_by_itself(desk_for) -> None:
    gate = asyncio.Event()
    reply: list[Step] = [
        e.Start(ANSWER),
        *write_call(),
        gate,
        e.ToolOutputAvailable("w1", {}, {}),
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    desk.session.send("create it")
    await until(lambda: desk.approvals.pending)
    approval = desk.approvals.pending[0]
    gate.set()
    await desk.turn_over()
    assert not desk.approvals.decide(approval, Decision(True))
    assert desk.backend.answered == []


def asking(*call_ids: str) -> list[Step]:
    steps: list[Step] = [e.Start(ANSWER), e.StartStep()]
    for call_id in call_ids:
        steps += [*write_call(call_id), e.ToolApprovalRequest(call_id, f"ap-{call_id}", {"signature": "s"})]
    return [*steps, e.FinishStep(), e.Finish("tool-calls")]


def stored_reply(desk: Desk) -> None:
    desk.backend.stored[CHAT] = Chat(
        ChatSummary(CHAT, "t"), [Message.from_wire(desk.session.messages[-1].to_wire())]
    )


async def test_continuation_answers_all_calls_in_one_post(desk_for) -> None:
    done: list[Step] = [
        e.Start(ANSWER),
        e.ToolOutputAvailable("w1", {"ok": True}, {}),
        e.ToolOutputDenied("w2"),
        e.StartStep(),
        e.TextStart("0"),
        e.TextDelta("0", "Done."),
        e.Finish("stop"),
    ]
    desk = desk_for(ScriptedBackend(style="continuation", replies=[asking("w1", "w2")], answers=[done]))
    desk.session.send("both")
    await until(lambda: len(desk.approvals.pending) == 2)
    stored_reply(desk)
    first, second = desk.approvals.pending
    desk.approvals.decide(first, Decision(True))
    assert desk.session.turn.phase == "waiting-for-approval"
    assert desk.backend.answered == []
    desk.approvals.decide(second, Decision(False, "wrong one"))
    await desk.turn_over()
    assert len(desk.backend.answered) == 1
    assert [(a.tool_call_id, a.approved, a.reason) for a in desk.backend.answered[0]] == [
        ("w1", True, None),
        ("w2", False, "wrong one"),
    ]
    assert len(desk.session.messages) == 2
    assert desk.session.messages[1].text == "Done."
    assert [call.state for call in desk.session.messages[1].tool_calls()] == [
        "output-available",
        "output-denied",
    ]


async def test_an_input_changed_on_the_server_is_asked_again_and_not_sent(desk_for) -> None:
    desk = desk_for(
        ScriptedBackend(style="continuation", replies=[asking("w1")], answers=[[e.Finish("stop")]])
    )
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    stored_reply(desk)
    changed = desk.backend.stored[CHAT].messages[0]
    changed.tool_calls()[0].fields["input"] = {"name": "something else"}
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.approvals.pending)
    assert desk.backend.answered == []
    assert desk.approvals.pending[0].input == {"name": "something else"}
    assert desk.approvals.pending[0].note is not None
    stored_reply(desk)
    desk.approvals.decide(desk.approvals.pending[0], Decision(False))
    await desk.turn_over()
    assert [a.approved for a in desk.backend.answered[0]] == [False]


async def test_an_answer_that_did_not_arrive_is_asked_again(desk_for) -> None:
    desk = desk_for(
        ScriptedBackend(
            style="continuation",
            replies=[asking("w1")],
            answers=[[CannotConnect("kai.test refuses connections.")], [e.Start(ANSWER), e.Finish("stop")]],
        )
    )
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    stored_reply(desk)
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await until(lambda: desk.approvals.pending)
    assert desk.session.messages[1].tool_calls()[0].state == "approval-requested"
    assert ("withdraw", "w1") in desk.keeper.log
    desk.approvals.decide(desk.approvals.pending[0], Decision(True))
    await desk.turn_over()
    assert len(desk.backend.answered) == 2


async def test_an_answer_with_unknown_outcome_that_arrived_is_not_asked_again(desk_for) -> None:
    backend = ScriptedBackend(
        style="continuation", replies=[asking("w1")], answers=[[ConnectionLost("Connection lost.")]]
    )
    desk = desk_for(backend)
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    stored_reply(desk)
    decided = desk.approvals.pending[0]
    original = backend.answer

    async def answer(chat_id, message, answers, **terms):
        done = Message.from_wire(message.to_wire())
        done.tool_calls()[0].fields.update({"state": "output-available", "output": {"ok": True}})
        backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [done])
        async for event in original(chat_id, message, answers, **terms):
            yield event

    backend.answer = answer  # type: ignore[method-assign]
    desk.approvals.decide(decided, Decision(True))
    await desk.turn_over()
    assert desk.approvals.pending == []
    assert len(backend.answered) == 1
    assert desk.session.messages[1].tool_calls()[0].state == "output-available"


async def test_a_question_left_open_is_asked_again_when_the_chat_is_opened(desk_for) -> None:
    first = desk_for(ScriptedBackend(style="continuation", replies=[asking("w1")]))
    first.session.send("go")
    await until(lambda: first.approvals.pending)
    left = [Message.from_wire(each.to_wire()) for each in first.session.messages]
    desk = desk_for(
        ScriptedBackend(style="continuation", answers=[[e.Start(ANSWER), e.Finish("stop")]]), left
    )
    desk.session.resume_questions(desk.backend)
    assert desk.session.turn.phase == "waiting-for-approval"
    stored_reply(desk)
    desk.approvals.decide(desk.approvals.pending[0], Decision(False))
    await desk.turn_over()
    assert len(desk.backend.answered) == 1


async def test_an_error_without_any_text_is_shown(desk_for) -> None:
    desk = desk_for(
        ScriptedBackend(replies=[[e.Error("Overloaded"), e.Finish("error", detail="Overloaded")]])
    )
    desk.session.send("go")
    await desk.turn_over()
    assert desk.session.messages[1].errors == ["Overloaded"]


async def test_titles_and_usage_are_told(desk_for) -> None:
    reply: list[Step] = [e.Title("Orders"), e.Usage(total=10), e.Usage(input=1, output=2), *text_reply("x")]
    desk = desk_for(ScriptedBackend(replies=[reply]))
    desk.session.send("go")
    await desk.turn_over()
    assert desk.session.title == "Orders"
    assert desk.session.turn.tokens == 13


async def test_closing_ends_although_its_last_task_is_done_in_the_same_round(desk_for) -> None:
    """Hung for ever on Python 3.13: gathering only finished tasks does not give the loop a turn."""
    desk = desk_for(ScriptedBackend(replies=[text_reply("x")]))
    desk.session.send("go")
    await desk.turn_over()
    done = asyncio.get_running_loop().create_task(asyncio.sleep(0))
    await done
    desk.session._background.add(done)
    asyncio.get_running_loop().call_soon(desk.session._background.discard, done)
    await desk.session.aclose()
    assert not desk.session._background


async def test_the_first_message_decides_the_terms_of_a_chat(desk_for) -> None:
    desk = desk_for(ScriptedBackend(replies=[[e.Finish("stop")], [e.Finish("stop")]]))
    terms = ChatTerms("public", read_only=True)
    heard: list[object] = []
    desk.session.observe(heard.append)
    assert desk.session.set_terms(terms)
    assert TermsChanged() in heard
    desk.session.send("first")
    assert not desk.session.set_terms(ChatTerms())
    await desk.turn_over()
    desk.session.send("second")
    await desk.turn_over()
    assert [each.terms for each in desk.backend.posts] == [terms, terms]
    assert desk.session.terms == terms
    assert desk.keeper.notes["terms"] == {"visibility": "public", "read_only": True}


async def test_a_message_that_arrives_late_is_not_sent_again(desk_for) -> None:
    gate = asyncio.Event()
    desk = desk_for(ScriptedBackend(replies=[[gate], [e.Finish("stop")]]))
    desk.session.send("go")
    await until(lambda: desk.backend.posts)
    desk.session.stop()
    message_id = desk.session.messages[0].id
    await until(lambda: desk.session.delivery(message_id) == "not-sent")
    # The server was slow: it stores what the stopped request brought only now.
    stored = Message.user(message_id, "go")
    desk.backend.stored[CHAT] = Chat(ChatSummary(CHAT, "t"), [stored])
    desk.session.retry(message_id)
    await desk.turn_over()
    assert desk.session.delivery(message_id) == "sent"
    assert len(desk.backend.posts) == 1
    assert any("had arrived" in each for each in desk.notices())
