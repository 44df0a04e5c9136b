"""The client against a server whose streams the vendor's library writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from kai_tui.backends.assistant_ui.config import AssistantUiConfig, checked
from kai_tui.backends.assistant_ui.offers import image_at, image_of
from kai_tui.backends.base import (
    Attachment,
    Backend,
    NotAllowed,
    NotFound,
    Outgoing,
    Refused,
    TokenRefused,
    ToolAnswer,
    ToolValue,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.backends.secret import Secret
from kai_tui.conversation.approvals import pending
from kai_tui.conversation.events import Start, Status, TextDelta, ToolApprovalRequest, Usage
from tests.backends.assistant_ui.captures import capture
from tests.backends.assistant_ui.kit import (
    AUTH,
    THREAD,
    WEATHER,
    Conversations,
    answered,
    backend,
    failing,
    folded,
    says,
    sent,
)
from tests.backends.kai_server import TIMEOUT, answer, stream
from tests.fakes.assistant_ui import FakeAssistantUi, Format

FORMATS: list[Format] = ["data", "transport", "openai", "ui", "plain", "json"]
RICH: list[Format] = ["data", "transport"]


@pytest.fixture
async def server() -> AsyncIterator[FakeAssistantUi]:
    async with FakeAssistantUi() as running:
        yield running


def options(fmt: Format) -> dict[str, Any]:
    return {"form": "ui-messages"} if fmt == "ui" else {}


def test_it_is_a_backend():
    it: Backend = backend("https://aui.example")
    assert it.caps.approval == "tool-result"
    assert it.caps.history == "local"
    assert it.caps.delete
    assert {it.caps.votes, it.caps.usage} == {False}


# Six encodings


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("mark", [False, True])
async def test_every_encoding_is_recognised_by_itself(server: FakeAssistantUi, fmt: Format, mark: bool):
    server.fmt, server.mark = fmt, mark
    client = backend(server.url, **options(fmt))
    turn = await sent(client, "hello")
    await client.aclose()
    assert turn.text == "Hello from the fake."
    assert turn.reason == ("stop" if fmt not in ("plain", "json") else "unknown")
    assert turn.message.faults == []
    assert server.calls("POST /api/chat") == server.seen


@pytest.mark.parametrize("fmt", FORMATS)
async def test_an_encoding_can_be_configured(server: FakeAssistantUi, fmt: Format):
    server.fmt = fmt
    names: dict[str, Any] = {"data": "data-stream", "ui": "ui-messages"}
    client = backend(server.url, encoding=names.get(fmt, fmt), **options(fmt))
    assert (await sent(client, "hello")).text == "Hello from the fake."
    await client.aclose()


async def test_a_wrong_encoding_is_not_taken_for_an_answer(server: FakeAssistantUi):
    server.fmt = "data"
    client = backend(server.url, encoding="json")
    error = await failing(sent(client, "hello"))
    await client.aclose()
    assert isinstance(error, UnexpectedAnswer)
    assert error.delivery == "unsure"


@pytest.mark.parametrize("fmt", [*RICH, "ui"])
async def test_a_tool_with_its_result(server: FakeAssistantUi, fmt: Format):
    server.fmt = fmt
    client = backend(server.url, **options(fmt))
    turn = await sent(client, "tool")
    assert "It is 7 degrees." in turn.text
    [call] = turn.message.tool_calls()
    assert (call.tool_name, call.input, call.output) == ("get_weather", {"city": "Prague"}, {"tempC": 7})
    failed = await sent(client, "toolerror")
    assert "no such city" in (failed.message.tool_calls()[0].error_text or "")
    await client.aclose()


@pytest.mark.parametrize("fmt", RICH)
async def test_reasoning_empty_arguments_sources_files_data_and_nested_parts(
    server: FakeAssistantUi, fmt: Format
):
    server.fmt = fmt
    client = backend(server.url)
    thought = await sent(client, "reason")
    assert [(part.type, part.to_wire()["text"]) for part in thought.message.parts] == [
        ("reasoning", "First I think. Then I answer."), ("text", "It is 4."),
    ]  # fmt: skip
    assert [event for event in thought.events if isinstance(event, Usage)] == [Usage(1, 2, source="step")]
    call = (await sent(client, "noargs")).message.tool_calls()[0]
    assert (call.input, call.output) == ({}, "12:00")
    others = await sent(client, "others")
    await client.aclose()
    kinds = [part.type for part in others.message.parts]
    assert (
        kinds.count("source-url")
        == kinds.count("file")
        == kinds.count("data-aui")
        == kinds.count("data-annotation")
        == 1
    )
    texts = {
        part.to_wire()["text"]: part.fields.get("providerMetadata")
        for part in others.message.parts
        if part.type == "text"
    }
    assert texts == {"See ": None, "inner": {"assistantUi": {"parentId": "task-1"}}, "outer": None}
    assert [event.text for event in others.events if isinstance(event, Status)] == ["searching"]


async def test_text_arrives_as_it_is_written(server: FakeAssistantUi):
    for fmt in ("data", "transport", "openai", "ui", "plain"):
        server.fmt = fmt
        server.go_on.clear()
        server.waiting.clear()
        client = backend(server.url, **options(fmt))
        text = ""
        async with asyncio.timeout(TIMEOUT), aclosing(client.send(THREAD, says("slow"))) as events:
            async for event in events:
                text += event.delta if isinstance(event, TextDelta) else ""
                if text.startswith("word0 word1 word2 word3 word4 word5"):
                    server.go_on.set()
        await client.aclose()
        assert text.endswith("word20 "), fmt


# Errors inside a good answer


@pytest.mark.parametrize("fmt", RICH)
async def test_an_error_of_the_run_is_the_end_also_when_the_connection_drops(
    server: FakeAssistantUi, fmt: Format
):
    server.fmt = fmt
    client = backend(server.url)
    reported = await sent(client, "error")
    assert (reported.text, reported.reason, reported.message.errors) == (
        "Partial",
        "error",
        ["The model is overloaded"],
    )
    crashed = await sent(client, "crash")
    assert (crashed.text, crashed.reason, crashed.message.errors) == ("Partial", "error", ["model exploded"])
    assert crashed.message.finish is not None
    assert crashed.message.finish.detail == "model exploded"
    await client.aclose()
    assert len(server.seen) == 2


# Waiting tools


@pytest.mark.parametrize("fmt", RICH)
async def test_a_tool_that_asks_gets_its_value_and_the_reply_goes_on(server: FakeAssistantUi, fmt: Format):
    server.fmt = fmt
    client = backend(server.url)
    turn = await sent(client, "ask")
    [call] = pending(turn.message)
    assert (call.tool_name, call.input, turn.reason) == ("ask_user", {"question": "Deploy?"}, "tool-calls")
    more = await answered(
        client, turn.message, ToolValue(call.tool_call_id, approved=True, value={"answer": "yes"})
    )
    await client.aclose()
    assert more.message.text == 'I need your answer.\n\nThanks: {"answer": "yes"}'
    assert more.message.tool_calls()[0].output == {"answer": "yes"}
    assert more.message.tool_calls()[0].state == "output-available"
    assert more.message.id == turn.message.id
    assert server.results == [
        {"type": "add-tool-result", "toolCallId": "call_h", "toolName": "ask_user", "result": {"answer": "yes"},
         "isError": False, "artifact": None}
    ]  # fmt: skip


async def test_a_denial_is_an_error_with_the_reason(server: FakeAssistantUi):
    client = backend(server.url)
    turn = await sent(client, "ask")
    more = await answered(client, turn.message, ToolAnswer("call_h", approved=False, reason="not today"))
    assert more.message.tool_calls()[0].state == "output-denied"
    assert (server.results[0]["result"], server.results[0]["isError"]) == ("not today", True)
    plain = await answered(client, (await sent(client, "ask")).message, ToolAnswer("call_h", approved=False))
    assert plain.reason == "stop"
    assert server.results[1]["result"] == "The user declined."
    await client.aclose()


async def test_a_plain_yes_is_a_value_too(server: FakeAssistantUi):
    client = backend(server.url)
    turn = await sent(client, "ask")
    await answered(client, turn.message, ToolAnswer("call_h", approved=True))
    assert server.results[0]["result"] == {"approved": True}
    await client.aclose()


async def test_nothing_is_sent_for_an_answer_to_something_else(server: FakeAssistantUi):
    client = backend(server.url)
    turn = await sent(client, "ask")
    for answers in ([], [ToolValue("other", True)], [ToolValue("call_h", True), ToolValue("other", True)],
                    [ToolValue("call_h", True, approval_id="else")]):  # fmt: skip
        assert isinstance(await failing(folded(client.answer(THREAD, turn.message, answers))), Refused)
    changed = ToolAnswer("call_h", True, updated_input={"question": "?"})
    assert isinstance(await failing(folded(client.answer(THREAD, turn.message, [changed]))), Unsupported)
    await client.aclose()
    assert len(server.calls("POST /api/chat")) == 1


async def test_a_call_nobody_waits_for_can_be_given_a_result(server: FakeAssistantUi):
    client = backend(server.url, asks_user=frozenset())
    turn = await sent(client, "ask")
    assert not pending(turn.message)
    assert turn.message.tool_calls()[0].state == "input-available"
    events = client.answer_by_tool_result(THREAD, turn.message, ToolValue("call_h", True, value="Yes"))
    more = await folded(events, turn.message)
    assert more.message.tool_calls()[0].output == "Yes"
    assert server.results[0]["result"] == "Yes"
    error = await failing(
        folded(client.answer_by_tool_result(THREAD, more.message, ToolValue("call_h", True)))
    )
    assert isinstance(error, Refused)
    await client.aclose()


# State


async def test_a_state_is_kept_per_thread_and_sent_back(server: FakeAssistantUi):
    client = backend(server.url)
    assert (await sent(client, "state", "t1")).text == "Turn 1"
    assert (await sent(client, "state", "t1")).text == "Turn 2"
    assert (await sent(client, "state", "t2")).text == "Turn 1"
    assert (await sent(client, "state", "t1")).text == "Turn 3"
    await client.aclose()
    states = [len(seen.body["state"]["messages"]) for seen in server.seen]
    assert states == [0, 2, 0, 4]


async def test_a_state_lives_as_long_as_its_store(server: FakeAssistantUi):
    store = Conversations()
    for _ in range(2):
        client = backend(server.url, store)
        await sent(client, "state")
        await client.aclose()
    assert len(server.seen[1].body["state"]["messages"]) == 2
    assert len((await store.load(THREAD)).state["messages"]) == 4


async def test_a_state_server_without_a_first_state_fails_in_its_own_words(server: FakeAssistantUi):
    client = backend(server.url, first_state=None)
    turn = await sent(client, "state")
    await client.aclose()
    assert "state" not in server.seen[0].body
    assert turn.reason == "error"
    assert "NoneType" in turn.message.errors[0]


async def test_a_tool_of_ours_over_a_state(server: FakeAssistantUi):
    client = backend(server.url, tools=WEATHER)
    turn = await sent(client, "langchain")
    [call] = pending(turn.message)
    assert (call.tool_name, call.input) == ("get_weather", {"location": "SF"})
    assert server.seen[0].body["tools"]["get_weather"]["description"] == "Weather"
    more = await answered(client, turn.message, ToolValue("weather_001", True, value={"tempF": 61}))
    await client.aclose()
    assert more.message.text == "Asking.\n\nDone."
    assert more.message.tool_calls()[0].output == {"tempF": 61}
    assert [each["type"] for each in server.seen[1].body["state"]["messages"]] == ["human", "ai"]


# Stopping


@pytest.mark.parametrize("fmt", FORMATS[:5])
async def test_stopping_hangs_up_and_says_so(server: FakeAssistantUi, fmt: Format):
    server.fmt = fmt
    client = backend(server.url, **options(fmt))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(TIMEOUT):
        events = client.send(THREAD, says("slow"))
        async for event in events:
            if isinstance(event, TextDelta) and server.waiting.is_set():
                break
        begun = loop.time()
        await events.aclose()
        assert loop.time() - begun < 0.25
        await client.aclose()
        assert server.cancelled == [THREAD]
        await server.hung_up.wait()


async def test_stopping_in_the_middle_of_waiting_is_the_same(server: FakeAssistantUi):
    client = backend(server.url)
    task = asyncio.create_task(sent(client, "slow"))
    async with asyncio.timeout(TIMEOUT):
        await server.waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.aclose()
    assert server.cancelled == [THREAD]


async def test_a_server_without_a_cancel_route_is_hung_up_on():
    async with FakeAssistantUi(cancel=False) as server:
        client = backend(server.url)
        assert await client.cancel(THREAD) is False
        task = asyncio.create_task(sent(client, "slow"))
        async with asyncio.timeout(TIMEOUT):
            await server.waiting.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await server.gave_up.wait()
        await client.aclose()
        assert server.stopped == [THREAD]


async def test_a_reply_that_ended_is_not_stopped(server: FakeAssistantUi):
    client = backend(server.url)
    await sent(client, "hello")
    events = client.send(THREAD, says("hello"))
    async for event in events:
        if type(event).__name__ == "Finish":
            break
    await events.aclose()
    await client.aclose()
    assert server.cancelled == []


async def test_the_state_of_a_stopped_reply_is_kept(server: FakeAssistantUi):
    store = Conversations()
    client = backend(server.url, store)
    events = client.send(THREAD, says("state"))
    async for event in events:
        if isinstance(event, TextDelta):
            break
    await events.aclose()
    await client.aclose()
    assert (await store.load(THREAD)).state["messages"][1]["parts"][0]["text"] == "Turn"


# What is sent along


async def test_images_by_address_and_as_data(server: FakeAssistantUi):
    client = backend(server.url)
    png = image_of(b"\x89PNG\r\n\x1a\n" + b"x" * 10, "a.png")
    images = (image_at("https://example.com/a.jpg"), png)
    turn = await sent(client, Outgoing("u1", "image", attachments=images))
    await client.aclose()
    assert turn.text == "2 images"
    parts = server.seen[0].body["commands"][0]["message"]["parts"]
    assert parts[1:] == [
        {"type": "image", "image": "https://example.com/a.jpg"},
        {"type": "image", "image": "data:image/png;base64,iVBORw0KGgp4eHh4eHh4eHh4"},
    ]


async def test_an_image_alone_is_a_message(server: FakeAssistantUi):
    client = backend(server.url)
    turn = await sent(client, Outgoing("u1", "", attachments=(Attachment("https://example.com/a.jpg"),)))
    assert turn.text == "1 images"
    assert isinstance(await failing(sent(client, " ")), Refused)
    await client.aclose()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "address", ["", "ftp://x/y", "file:///etc/passwd", "javascript:alert(1)", "data:text/html;base64,AA==",
                "https://", "https://a b", "data:image/png;base64,", "https://x\\y@z/"],
)  # fmt: skip
async def test_other_addresses_are_no_images(server: FakeAssistantUi, address: str):
    with pytest.raises(Refused):
        image_at(address)
    client = backend(server.url)
    bad = Outgoing("u1", "image", attachments=(Attachment(address),))
    assert isinstance(await failing(sent(client, bad)), Refused)
    await client.aclose()
    assert server.seen == []


@pytest.mark.parametrize("content", [b"", b"GIF", b"<svg/>", b"%PDF-1.7"])
def test_other_files_are_no_images(content: bytes):
    with pytest.raises(Refused, match="PNG, JPEG"):
        image_of(content)


def test_a_giant_image_is_refused():
    with pytest.raises(Refused, match="10 MB"):
        image_of(b"\xff\xd8\xff" + b"x" * (10 << 20))


async def test_the_older_form_carries_the_conversation(server: FakeAssistantUi):
    store = Conversations()
    client = backend(server.url, store, form="messages", system="Be brief.")
    first = await sent(client, says("tool", "u1"))
    from kai_tui.conversation.messages import Message

    store.said[THREAD] = [Message.user("u1", "tool"), first.message, Message.user("u2", "mirror")]
    second = await sent(client, says("mirror", "u2"))
    await client.aclose()
    assert second.text == "6 messages, 1 commands"
    assert [each["role"] for each in server.seen[1].body["messages"]] == [
        "system", "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert server.seen[1].body["commands"][0]["message"]["parts"][0]["text"] == "mirror"


async def test_a_message_that_did_not_arrive_does_not_go_with_an_answer(server: FakeAssistantUi):
    """It is kept here, as one that may have arrived; only the user sends it again."""
    from kai_tui.conversation.messages import Message

    store = Conversations()
    client = backend(server.url, store, form="messages")
    asked = await sent(client, replace(says("please ask", "u1"), earlier=()))
    (call,) = asked.message.tool_calls()
    store.said[THREAD] = [Message.user("u0", "lost words"), Message.user("u1", "please ask"), asked.message]
    await answered(client, asked.message, ToolValue(call.tool_call_id, approved=True, value="yes"))
    await client.aclose()
    said = json.dumps(server.seen[-1].body["messages"])
    assert "please ask" in said
    assert "lost words" not in said


async def test_settings_reach_the_server_and_any_paths_do():
    async with FakeAssistantUi() as server:
        server.on("POST /assistant", server._chat)  # pyright: ignore
        client = backend(
            f"{server.url}/", chat_path="/assistant?fmt=data", cancel_path=None, system="Be brief.",
            run_config={"a": 1}, extra={"callSettings": {"temperature": 0}},
        )  # fmt: skip
        await sent(client, "hello")
        assert await client.cancel(THREAD) is False
        await client.aclose()
        [seen] = server.seen
        assert (seen.path, seen.query) == ("/assistant", {"fmt": "data"})
        assert (seen.body["system"], seen.body["runConfig"]) == ("Be brief.", {"a": 1})
        assert seen.body["callSettings"] == {"temperature": 0}


@pytest.mark.parametrize(
    "wrong", [{"chat_path": "api"}, {"chat_path": "//evil.example/x"}, {"cancel_path": "/a/../b"},
              {"resume_path": "/a b"}, {"health_path": "/a#b"}, {"chat_path": "/a\\b"},
              {"headers": {"content-length": "1"}}, {"headers": {"Host": "evil"}}, {"headers": {"a b": "1"}},
              {"headers": {"accept-encoding": "gzip"}}],
)  # fmt: skip
def test_what_cannot_work_is_refused_before_anything_is_sent(wrong: dict[str, Any]):
    with pytest.raises(Refused):
        checked(AssistantUiConfig("https://aui.example", **wrong))


# Ids


async def test_an_id_the_server_gives_twice_is_taken_once(server: FakeAssistantUi):
    server.same_ids = True
    client = backend(server.url)
    first, second = await sent(client, says("hello", "u1")), await sent(client, says("hello", "u2"))
    other = await sent(client, "hello", "another-thread")
    await client.aclose()
    assert (first.message.id, second.message.id, other.message.id) == ("msg_1", "local", "msg_1")
    assert [event.message_id for event in second.events if isinstance(event, Start)] == [None]


async def test_an_id_of_an_earlier_run_of_the_program_is_not_taken(server: FakeAssistantUi):
    server.same_ids = True
    store = Conversations()
    store.said[THREAD] = [(await sent(client := backend(server.url, store), "hello")).message]
    await client.aclose()
    client = backend(server.url, store)
    assert (await sent(client, says("hello", "u2"))).message.id == "local"
    await client.aclose()


# AI SDK servers


async def test_approvals_of_an_ai_sdk_server_go_with_the_conversation(server: FakeAssistantUi):
    asks, goes_on = capture("js-library/ui-03-danger"), capture("js-library/ui-05-danger-approved")
    server.on("POST /api/chat", stream(asks.body), stream(goes_on.body))
    client = backend(server.url, form="ui-messages")
    turn = await sent(client, "danger")
    assert turn.reason == "tool-calls"
    [call] = pending(turn.message)
    more = await answered(client, turn.message, ToolAnswer(call.tool_call_id, True, call.approval_id))
    await client.aclose()
    first, second = server.seen
    assert "commands" not in first.body
    assert [each["role"] for each in first.body["messages"]] == ["user"]
    assert first.body["id"] == first.body["threadId"] == THREAD
    part = second.body["messages"][-1]["parts"][-1]
    assert (part["state"], part["approval"]["approved"]) == ("approval-responded", True)
    assert more.message.tool_calls()[0].output == "dropped"
    assert "Hello there." in more.message.text


async def test_an_approval_takes_yes_or_no_only(server: FakeAssistantUi):
    server.on("POST /api/chat", stream(capture("js-library/ui-03-danger").body))
    client = backend(server.url, form="ui-messages")
    turn = await sent(client, "danger")
    error = await failing(folded(client.answer(THREAD, turn.message, [ToolValue("call_1", True, value=1)])))
    await client.aclose()
    assert isinstance(error, Unsupported)
    assert len(server.seen) == 1


async def test_a_client_tool_of_an_ai_sdk_server_gets_its_output(server: FakeAssistantUi):
    server.fmt = "ui"
    client = backend(server.url, form="ui-messages")
    turn = await sent(client, "ask")
    assert [event.tool_call_id for event in turn.events if isinstance(event, ToolApprovalRequest)] == [
        "call_h"
    ]
    more = await answered(client, turn.message, ToolValue("call_h", True, value="Yes"))
    await client.aclose()
    part = server.seen[1].body["messages"][-1]["parts"][-1]
    assert (part["state"], part["output"]) == ("output-available", "Yes")
    assert "approval" not in part
    assert more.message.tool_calls()[0].output == "Yes"


# Who answers


async def test_connecting_tells_what_the_server_says(server: FakeAssistantUi):
    client = backend(server.url)
    info = await client.connect()
    assert (info.service, info.name, info.version, info.address) == (
        "assistant-ui",
        "fake-aui",
        "1.2",
        server.url,
    )
    assert info.details["status"] == "healthy"
    assert await client.alive() == ""
    await client.aclose()
    assert server.calls("POST /api/chat") == []


@pytest.mark.parametrize(
    "says_",
    [
        answer(404, {"detail": "Not Found"}),
        answer(405, {}),
        answer(200, b"<html>", {"content-type": "text/html"}),
    ],
)
async def test_a_server_without_health_is_there_all_the_same(server: FakeAssistantUi, says_: Any):
    server.on("GET /health", says_)
    client = backend(server.url)
    assert (await client.connect()).name == ""
    assert await client.alive() == ""
    await client.aclose()


async def test_credentials_that_are_refused_are_said_at_connecting(server: FakeAssistantUi):
    for status, kind in ((401, TokenRefused), (403, NotAllowed)):
        server.on("GET /health", answer(status, {"detail": "no"}))
        client = backend(server.url)
        assert isinstance(await failing(client.connect()), kind)
        assert await client.alive() == ""  # a sign of life
        await client.aclose()


async def test_wrong_credentials_and_a_wrong_path(server: FakeAssistantUi):
    client = backend(server.url, headers={"Authorization": Secret("wrong")})
    error = await failing(sent(client, "hello"))
    assert isinstance(error, TokenRefused)
    assert error.delivery == "not-sent"
    await client.aclose()
    client = backend(server.url, chat_path="/nothing", headers=AUTH)
    error = await failing(sent(client, "hello"))
    assert isinstance(error, NotFound)
    assert "/nothing" in error.sentence
    assert "Kai" not in error.sentence
    await client.aclose()


async def test_a_refused_body_is_said_with_its_field(server: FakeAssistantUi):
    client = backend(server.url, extra={"threadId": None})
    error = await failing(sent(client, "hello"))
    assert "(422)" in error.sentence
    assert "body.threadId: Field required" in error.sentence
    await client.aclose()


async def test_what_there_is_not_says_so():
    client = backend("https://aui.example")
    for call in (client.quota, client.permissions, client.suggestions, lambda: client.vote("x", "y", True), lambda: client.votes("x"),
                 lambda: client.instructions("user"), lambda: client.set_instructions("user", "x"),
                 lambda: client.set_permissions(None)):  # fmt: skip
        with pytest.raises(Unsupported):
            await call()
    assert await client.tools() == ()
