"""kai-tui and Knowrithm: a question and its answer over every carrier (§5), chats the server names (§7), history (§8)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import (
    CHAT_GONE,
    ConnectionLost,
    NotFound,
    Refused,
    ServerFailed,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.backends.knowrithm.client import KnowrithmBackend
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message, SourcePart
from tests.backends.kai_server import TIMEOUT, Exchange, Gate, Hangup, answer, hang_up
from tests.backends.knowrithm.desk import (
    ASKED,
    CHAT,
    QUICK,
    asked,
    calls,
    folded,
    key,
    knowrithm,
    says,
    statuses,
)
from tests.backends.knowrithm.desk import server as server  # the fixture
from tests.fakes.knowrithm import ANSWER, FakeKnowrithm, sse


async def until(condition: Any) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not condition():
            await asyncio.sleep(0.001)


# A new chat


async def test_a_first_message_makes_a_conversation_named_after_it(server: FakeKnowrithm):
    named: list[tuple[str, str]] = []
    backend = knowrithm(server, on_name=lambda *pair: named.append(pair))
    events = await asked(backend, "Hello there!\nSecond line " + "x" * 100, new_chat=True)
    message = folded(events)
    assert message.text.startswith("Hello! [Source 1] You said: Hello there!")
    assert message.finish == e.Finish("stop")
    (conversation,) = server.conversations.values()
    assert conversation.title.startswith("Hello there! Second line xxx")
    assert len(conversation.title) == 60
    assert conversation.agent_id == "a-1"  # the only one that is active
    user, reply = conversation.messages
    assert named == [(CHAT, conversation.id), (ASKED, user["id"])]
    assert message.id == reply["id"]
    await backend.aclose()


async def test_the_stream_is_open_before_the_message_is_posted(server: FakeKnowrithm):
    chat = server.conversation()
    backend = knowrithm(server)
    await asked(backend, "Hi", chat.id)
    assert calls(server) == [
        f"GET /conversation/{chat.id}/messages/stream",
        f"POST /conversation/{chat.id}/chat",
    ]
    assert server.seen[0].headers["accept"] == "text/event-stream"
    assert server.seen[1].body == {"message": "Hi"}
    await backend.aclose()


async def test_further_messages_and_other_runs_use_the_same_conversation(server: FakeKnowrithm):
    names: dict[str, str] = {}
    backend = knowrithm(server, on_name=names.__setitem__)
    await asked(backend, "One", new_chat=True)
    await asked(backend, "Two", new_chat=True, message_id="m-2")  # a retry of what was never confirmed
    await backend.aclose()
    backend = knowrithm(server, names=names)
    await asked(backend, "Three", message_id="m-3")
    assert [len(each.messages) for each in server.conversations.values()] == [6]
    chat = await backend.chat(CHAT)
    assert [message.role for message in chat.messages] == ["user", "assistant"] * 3
    assert [message.id for message in chat.messages[::2]] == [ASKED, "m-2", "m-3"]
    assert [row.id for row in (await backend.chats()).items] == [CHAT]
    await backend.aclose()


async def test_with_a_choice_of_agents_the_user_chooses(server: FakeKnowrithm):
    server.agents[1]["status"] = "active"
    backend = knowrithm(server)
    with pytest.raises(Refused, match="Choose the agent") as caught:
        await asked(backend, "Hi", new_chat=True)
    assert (caught.value.code, caught.value.delivery) == ("agent", "not-sent")
    assert server.conversations == {}
    backend.choose_agent("a-2")
    await asked(backend, "Hi", new_chat=True)
    assert [each.agent_id for each in server.conversations.values()] == ["a-2"]
    await backend.aclose()


@pytest.mark.parametrize("text", [True, False])
async def test_a_conversation_made_by_a_task(server: FakeKnowrithm, text: bool):
    server.writes_are_tasks, server.results_as_text = True, text
    backend = knowrithm(server)
    assert folded(await asked(backend, "Hi", new_chat=True)).finish == e.Finish("stop")
    assert len(server.conversations) == 1
    assert "GET /tasks/" in " ".join(calls(server))
    await backend.aclose()


@pytest.mark.parametrize(
    "shape", [lambda row: {"data": row}, lambda row: row, lambda row: {"data": {"conversation": row}}]
)
async def test_a_conversation_in_other_shapes(server: FakeKnowrithm, shape: Any):
    made = server.conversation()
    server.on("POST /api/v1/conversation", answer(201, shape(server._row(made))))
    backend = knowrithm(server)
    assert (await backend.new_chat("Title", agent_id="a-1")).id == made.id
    await backend.aclose()


async def test_when_the_conversation_is_not_made_the_message_is_not_sent(server: FakeKnowrithm):
    server.on("POST /api/v1/conversation", hang_up)
    backend = knowrithm(server)
    with pytest.raises(ConnectionLost) as caught:
        await asked(backend, "Hi", new_chat=True)
    assert caught.value.delivery == "not-sent"
    assert server.posts() == []
    server.on("POST /api/v1/conversation", answer(201, {"ok": True}))
    with pytest.raises(UnexpectedAnswer, match="did not say which conversation"):
        await asked(backend, "Hi", new_chat=True)
    await backend.aclose()


# The three carriers


@pytest.mark.parametrize("events", ["chat", "plain", "default"])
@pytest.mark.parametrize("acks", ["task", "messages"])
async def test_over_the_event_stream(server: FakeKnowrithm, acks: Any, events: Any):
    server.acks, server.events = acks, events
    server.think = Gate()
    chat = server.conversation(messages=2)
    backend = knowrithm(server)
    found: list[e.Event] = []
    async with asyncio.timeout(TIMEOUT), aclosing(backend.send(chat.id, says("Hi"))) as stream:
        async for event in stream:
            found.append(event)
            if isinstance(event, e.Status):
                server.think.open()
    assert statuses(found) == ["Waiting in the queue…", "The agent is working…"]
    message = folded(found)
    assert message.text == f"{ANSWER} You said: Hi"
    assert message.id == chat.messages[-1]["id"]
    assert e.Usage(total=42) in found
    (source,) = [part for part in message.parts if isinstance(part, SourcePart)]
    assert source.to_wire() == {
        "type": "source-url", "url": "https://docs.example/kb", "sourceId": "source-1", "title": "Knowledge Base.pdf",
        "number": 1, "cited": True,
    }  # fmt: skip
    assert message.metadata == {
        "model_used": "m-1", "processing_time": 0.5, "tokens_used": 42, "confidence_score": 0.9,
    }  # fmt: skip
    assert len(server.posts()) == 1
    await until(lambda: not server.subscribers[chat.id])
    await backend.aclose()


@pytest.mark.parametrize("acks", ["task", "messages", "sync", "bare"])
async def test_without_a_stream_it_is_polled_for(server: FakeKnowrithm, acks: Any):
    server.acks, server.stream_status = acks, 503
    chat = server.conversation(messages=4)
    backend = knowrithm(server)
    message = folded(await asked(backend, "Hi", chat.id))
    assert message.text == f"{ANSWER} You said: Hi"
    assert message.id == chat.messages[-1]["id"]
    again = folded(await asked(backend, "More", chat.id, message_id="m-2"))
    assert again.text == f"{ANSWER} You said: More"
    # Switched off means for the rest of the session.
    assert calls(server).count(f"GET /conversation/{chat.id}/messages/stream") == 1
    assert len(server.posts()) == 2
    if acks == "task":
        assert any("/tasks/" in call for call in calls(server))
    await backend.aclose()


async def test_an_old_server_without_a_stream_may_name_another_one(server: FakeKnowrithm):
    server.stream_status = 404
    server.named_stream = "https://evil.example/api/v1/elsewhere/{id}"
    server.think = Gate()
    chat = server.conversation()
    backend = knowrithm(server, pace=dataclasses.replace(QUICK, messages=30.0))
    for text in ("Hi", "Again"):
        task = asyncio.create_task(asked(backend, text, chat.id))
        await until(lambda: server.subscribers.get(chat.id))
        server.think.open()
        assert folded(await task).text == f"{ANSWER} You said: {text}"
        server.think = Gate()
        await until(lambda: not server.subscribers[chat.id])
    assert calls(server).count(f"GET /elsewhere/{chat.id}") == 2
    assert calls(server).count(f"GET /conversation/{chat.id}/messages/stream") == 1
    await backend.aclose()


async def test_a_stream_that_breaks_off_gives_way_to_polling(server: FakeKnowrithm):
    server.think = Gate()
    chat = server.conversation()
    backend = knowrithm(server)
    task = asyncio.create_task(asked(backend, "Hi", chat.id))
    await until(lambda: server.posts())
    server.publish(chat.id, b"")
    await until(lambda: not server.subscribers[chat.id])
    server.think.open()
    assert folded(await task).text == f"{ANSWER} You said: Hi"
    assert len(server.posts()) == 1
    await backend.aclose()


async def test_a_stream_whose_head_does_not_come_holds_nothing_up(server: FakeKnowrithm):
    """Some servers send the head with the first event only."""
    chat = server.conversation()

    async def late(exchange: Exchange) -> None:
        await exchange.until_hung_up()
        raise Hangup

    server.on(f"GET /api/v1/conversation/{chat.id}/messages/stream", late)
    backend = knowrithm(server, pace=dataclasses.replace(QUICK, opening=0.05, beside_stream=0.05))
    assert folded(await asked(backend, "Hi", chat.id)).finish == e.Finish("stop")
    await backend.aclose()


async def test_what_a_stream_replays_is_no_answer(server: FakeKnowrithm):
    chat = server.conversation(messages=2)
    old = chat.messages[-1]
    server.think = Gate()
    backend = knowrithm(server)
    await backend.chat(chat.id)
    task = asyncio.create_task(asked(backend, "Hi", chat.id))
    await until(lambda: server.posts())
    replayed = {"conversation_id": chat.id, "status": "completed", "message": old}
    server.publish(chat.id, sse("chat_response", replayed))
    other = {"conversation_id": chat.id, "status": "completed", "message_id": "another-question",
             "message": {"id": "x", "role": "assistant", "content": "not for us"}}  # fmt: skip
    server.publish(chat.id, sse("chat_response", other))
    echo = {
        "conversation_id": chat.id,
        "status": "completed",
        "message": {"id": "u", "role": "user", "content": "Hi"},
    }
    server.publish(chat.id, sse("chat_response", echo))
    server.think.open()
    assert folded(await task).text == f"{ANSWER} You said: Hi"
    await backend.aclose()


@pytest.mark.parametrize("events", ["chat", "plain"])
@pytest.mark.parametrize(("acks", "stream"), [("messages", 200), ("task", 200), ("task", 503)])
async def test_an_agent_that_fails(server: FakeKnowrithm, acks: Any, stream: int, events: Any):
    server.acks, server.stream_status, server.events = acks, stream, events
    chat = server.conversation()
    backend = knowrithm(server)
    events_seen = await asked(backend, "fail now", chat.id)
    message = folded(events_seen)
    assert message.finish is not None
    assert message.finish.reason == "error"
    assert (message.finish.detail or "").startswith("The model is overloaded")
    assert message.errors
    assert len(server.posts()) == 1
    await backend.aclose()


@pytest.mark.parametrize(
    ("name", "payload", "text"),
    [
        ("chat_response", {"status": "completed", "message": "just text"}, "just text"),
        ("completed", {"message": '{"role": "assistant", "content": "in a string"}'}, "in a string"),
        ("message", {"message": {"role": "assistant", "content": "no status"}}, "no status"),
        ("chat_response", {"id": "z", "role": "assistant", "content": "bare"}, "bare"),
        ("completed", {"status": "completed", "data": 1, "message": {"content": {"a": 1}}}, '{\n  "a": 1\n}'),
    ],
)
async def test_answers_in_other_shapes(server: FakeKnowrithm, name: str, payload: dict[str, Any], text: str):
    server.think = Gate()
    chat = server.conversation()
    backend = knowrithm(server)
    task = asyncio.create_task(asked(backend, "Hi", chat.id))
    await until(lambda: server.posts())
    for junk in (
        b"data: not json\n\n",
        b"data: 7\n\n",
        b"event: chat_response\ndata: [1]\n\n",
        b"event: odd\n\n",
    ):
        server.publish(chat.id, junk)
    server.publish(chat.id, sse(name, payload))
    assert folded(await task).text == text
    await backend.aclose()


async def test_an_answer_that_is_only_announced_is_fetched(server: FakeKnowrithm):
    server.think = Gate()
    chat = server.conversation()
    backend = knowrithm(server)
    task = asyncio.create_task(asked(backend, "Hi", chat.id))
    await until(lambda: server.posts())
    server.add(chat, "assistant", "Fetched")
    server.publish(chat.id, sse("completed", {"conversation_id": chat.id, "status": "completed"}))
    assert folded(await task).text == "Fetched"
    await backend.aclose()


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [2, 3, 100])
async def test_the_answer_is_found_in_long_chats_whatever_their_order(
    server: FakeKnowrithm, limit: int, newest_first: bool
):
    server.stream_status, server.per_page_limit, server.newest_first = 503, limit, newest_first
    chat = server.conversation(messages=9)
    backend = knowrithm(server)
    assert folded(await asked(backend, "Hi", chat.id)).text == f"{ANSWER} You said: Hi"
    await backend.aclose()


async def test_nothing_heard_for_too_long(server: FakeKnowrithm):
    server.think = Gate()
    chat = server.conversation()
    backend = knowrithm(server, pace=dataclasses.replace(QUICK, give_up=0.1))
    message = folded(await asked(backend, "Hi", chat.id))
    assert message.finish is not None
    assert message.finish.reason == "lost"
    assert "The answer may still come" in (message.finish.detail or "")
    assert len(server.posts()) == 1
    server.think.open()
    await until(lambda: len(chat.messages) == 2)
    assert (await backend.chat(chat.id)).messages[-1].text == f"{ANSWER} You said: Hi"
    await backend.aclose()


async def test_news_keeps_patience(server: FakeKnowrithm):
    server.think = Gate()
    server.stream_status = 200
    chat = server.conversation()
    backend = knowrithm(server, pace=dataclasses.replace(QUICK, give_up=2.0))
    task = asyncio.create_task(asked(backend, "Hi", chat.id))
    await until(lambda: server.posts())
    clock = asyncio.get_running_loop().time
    until_then = clock() + 2.3
    while clock() < until_then:
        await asyncio.sleep(0.05)  # forty times as often: a busy machine may hold both up for a second
        server.publish(chat.id, sse("chat_status", {"conversation_id": chat.id, "status": "in_progress"}))
    server.think.open()
    assert folded(await task).finish == e.Finish("stop")
    await backend.aclose()


async def test_hanging_up_stops_listening_and_the_answer_turns_up_later(server: FakeKnowrithm):
    server.think = Gate()
    chat = server.conversation()
    backend = knowrithm(server)
    stream = backend.send(chat.id, says("Hi"))
    assert isinstance(await anext(stream), e.Start)
    await stream.aclose()
    await until(lambda: not server.subscribers[chat.id])
    asked_before = len(server.seen)
    server.think.open()
    await until(lambda: len(chat.messages) == 2)
    assert len(server.seen) == asked_before
    messages = (await backend.chat(chat.id)).messages
    assert [(message.id == ASKED, message.role) for message in messages] == [
        (True, "user"),
        (False, "assistant"),
    ]
    await backend.aclose()


async def test_two_chats_at_once(server: FakeKnowrithm):
    first, second = server.conversation(), server.conversation()
    backend = knowrithm(server)
    one, two = await asyncio.gather(
        asked(backend, "One", first.id, message_id="m1"), asked(backend, "Two", second.id, message_id="m2")
    )
    assert folded(one).text.endswith("One")
    assert folded(two).text.endswith("Two")
    await backend.aclose()


async def test_nothing_is_posted_for_nothing(server: FakeKnowrithm):
    backend = knowrithm(server)
    with pytest.raises(Refused):
        await asked(backend, " \n")
    assert server.seen == []
    await backend.aclose()


# What is known about the message


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_message_in_doubt_is_found_by_its_text(server: FakeKnowrithm, arrives: bool):
    chat = server.conversation()
    server.add(chat, "user", "Hi")  # the same words, before
    backend = knowrithm(server)
    before = await backend.chat(chat.id)

    async def loses(exchange: Exchange) -> None:
        if arrives:
            server.add(chat, "user", "Hi")
        raise Hangup

    server.on(f"POST /api/v1/conversation/{chat.id}/chat", loses)
    with pytest.raises(ConnectionLost) as caught:
        await asked(backend, "Hi", chat.id)
    assert caught.value.delivery == "unsure"
    assert caught.value.sentence.endswith("Your message may or may not have arrived.")
    assert len(server.posts()) == 1
    after = await backend.chat(chat.id)
    ids = [message.id for message in after.messages]
    assert (ASKED in ids) is arrives
    assert ids[0] == before.messages[0].id
    await backend.aclose()


async def test_a_message_whose_id_was_not_named_is_known_again(server: FakeKnowrithm):
    server.echo_ids = False
    chat = server.conversation()
    backend = knowrithm(server)
    await asked(backend, "Hi", chat.id)
    assert (await backend.chat(chat.id)).messages[0].id == ASKED
    await backend.aclose()


async def test_a_chat_that_is_gone(server: FakeKnowrithm):
    backend = knowrithm(server)
    for call in (asked(backend, "Hi", "gone"), backend.chat("gone"), backend.delete("gone")):
        with pytest.raises(NotFound) as caught:
            await call
        assert (caught.value.code, caught.value.delivery) == (CHAT_GONE, "not-sent")
        assert caught.value.sentence == "This chat no longer exists on the server."
    await backend.aclose()


async def test_a_proxys_404_is_no_chat_that_is_gone(server: FakeKnowrithm):
    html = answer(404, b"<html><title>404 page not found</title></html>", {"content-type": "text/html"})
    chat = server.conversation()
    for call in ("GET {}/messages", "POST {}/chat", "DELETE {}"):
        server.on(call.format(f"/api/v1/conversation/{chat.id}").replace("//", "/"), html)
    backend = knowrithm(server)
    for call in (asked(backend, "Hi", chat.id), backend.chat(chat.id), backend.delete(chat.id)):
        with pytest.raises(UnexpectedAnswer):
            await call
    await backend.aclose()


# History


@pytest.mark.parametrize("key", [None, "data"])
async def test_chats_page_by_page(server: FakeKnowrithm, key: str | None):
    server.list_key = key
    made = [server.conversation(f"Chat {number}").id for number in range(7)]
    backend = knowrithm(server)
    found: list[str] = []
    cursor = None
    for _ in range(10):
        page = await backend.chats(cursor=cursor, limit=3)
        found += [row.id for row in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == made[::-1]
    first = (await backend.chats(limit=3)).items[0]
    assert (first.title, first.updated_at) == ("Chat 6", "2026-11-02T10:06:00Z")
    assert server.seen[0].path == "/api/v1/conversation/entity"
    assert server.seen[0].query == {"page": "1", "per_page": "3"}
    await backend.aclose()


async def test_where_there_is_no_list_of_ones_own_the_companys_is_read(server: FakeKnowrithm):
    server.conversation()
    server.on("GET /api/v1/conversation/entity", answer(404, {"error": "Not found"}))
    backend = knowrithm(server)
    for _ in range(2):
        assert len((await backend.chats()).items) == 1
    assert calls(server) == ["GET /conversation/entity", "GET /conversation", "GET /conversation"]
    await backend.aclose()


@pytest.mark.parametrize(
    "shape", [lambda rows: rows, lambda rows: {"data": rows}, lambda rows: {"data": {"messages": rows}},
              lambda rows: {"data": json.dumps(rows)}],
)  # fmt: skip
async def test_messages_in_other_shapes(server: FakeKnowrithm, shape: Any):
    rows = [
        {"id": 1, "role": "user", "content": "Hi"},
        {"id": 2, "role": "assistant", "content": "Ho"},
        "junk",
        {},
    ]
    server.on("GET /api/v1/conversation/c/messages", answer(200, shape(rows)))
    backend = knowrithm(server)
    messages = (await backend.chat("c")).messages
    assert [(each.id, each.role, each.text) for each in messages[:2]] == [
        ("1", "user", "Hi"),
        ("2", "assistant", "Ho"),
    ]
    await backend.aclose()


@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_long_chat_is_read_whole_and_in_order(server: FakeKnowrithm, newest_first: bool):
    server.per_page_limit, server.newest_first = 10, newest_first
    chat = server.conversation("Long one", messages=35)
    backend = knowrithm(server)
    await backend.chats()
    found = await backend.chat(chat.id)
    assert [message.text for message in found.messages] == [f"Message {number}" for number in range(35)]
    assert found.summary.title == "Long one"
    assert len([call for call in calls(server) if call.endswith("/messages")]) == 4
    await backend.aclose()


@pytest.mark.parametrize("later", [True, False])
async def test_delete_and_restore(server: FakeKnowrithm, later: bool):
    server.writes_are_tasks = later
    chat = server.conversation(messages=2)
    backend = knowrithm(server)
    await backend.delete(chat.id)
    assert chat.status == "deleted"
    assert (await backend.chats()).items == []
    assert [row.id for row in (await backend.conversations.deleted(None, 50)).items] == [chat.id]
    await backend.conversations.restore(chat.id)
    assert [row.id for row in (await backend.chats()).items] == [chat.id]
    await backend.conversations.delete_message(chat.messages[0]["id"])
    assert len(chat.messages) == 1
    await backend.conversations.clear(chat.id)
    assert chat.messages == []
    await backend.aclose()


async def test_a_deletion_that_fails_later_is_told(server: FakeKnowrithm):
    chat = server.conversation()
    server.on(
        f"DELETE /api/v1/conversation/{chat.id}", server._later(lambda: RuntimeError("Locked by an audit"))
    )
    backend = knowrithm(server)
    with pytest.raises(ServerFailed, match=r"The chat was not deleted: Locked by an audit \(TASK_1\)\."):
        await backend.delete(chat.id)
    await backend.aclose()


async def test_feedback_can_be_read(server: FakeKnowrithm):
    chat = server.conversation()
    for feedback in (1, -1, 0, None):
        server.add(chat, "assistant", "x", user_feedback=feedback)
    backend = knowrithm(server)
    up, down = (message["id"] for message in chat.messages[:2])
    assert await backend.votes(chat.id) == {up: True, down: False}
    await backend.aclose()


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            [
                {"source_number": 2, "document_name": "B", "url": None},
                {"source_number": 1, "document_name": "A"},
            ],
            ["A", "B"],
        ),
        (
            ["Source 3: Notes (https://x.example/n)", "Document Source 1: Book", "loose"],
            ["Book", "Notes", "loose"],
        ),
        ([{"title": "T", "url": "javascript:alert(1)"}, 7, None, []], ["T"]),
        ([{}], ["Source 1"]),
    ],
)
async def test_sources_in_all_their_shapes(server: FakeKnowrithm, sources: Any, expected: list[str]):
    chat = server.conversation()
    server.add(chat, "assistant", "x", metadata={"all_sources": sources, "cited_sources": [1]})
    server.add(chat, "assistant", "x", citations=sources)
    backend = knowrithm(server)
    for message in (await backend.chat(chat.id)).messages:
        parts = [part for part in message.parts if isinstance(part, SourcePart)]
        assert [part.fields["title"] for part in parts] == expected
        assert all(str(part.fields.get("url", "https:")).startswith("https:") for part in parts)
    await backend.aclose()


async def test_what_it_cannot_do_is_refused_before_anything_is_sent(server: FakeKnowrithm):
    backend = knowrithm(server)
    assert (backend.caps.history, backend.caps.delete, backend.caps.votes, backend.caps.approval) == (
        "server", True, False, "none",
    )  # fmt: skip
    for call in (
        backend.vote(CHAT, "m", True), backend.quota(), backend.instructions("user"),
        backend.set_instructions("user", "x"), backend.permissions(), backend.set_permissions(None),
        backend.suggestions(), anext(backend.answer(CHAT, Message(), [])),
    ):  # fmt: skip
        with pytest.raises(Unsupported, match=r"^Knowrithm has no "):
            await call
    assert server.seen == []
    await backend.aclose()


def test_no_address_given_is_the_vendors():
    assert KnowrithmBackend("", key()).host == "app.knowrithm.org"
