"""Every recording of the real iMBRACE as events, message, values; streams in any pieces."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.base import BackendError
from kai_tui.backends.imbrace.answers import plain_events, streamed_events, unwrapped
from kai_tui.backends.imbrace.live_parts import with_documents
from kai_tui.backends.joined_deltas import joined_deltas
from kai_tui.conversation import events as e
from kai_tui.conversation.approvals import pending
from kai_tui.conversation.messages import DataPart, Message, ReasoningPart
from tests.backends.imbrace.kit import account, collect, folded, recorded, streams
from tests.backends.kai_server import KaiServer, answer, stream
from tests.fakes import imbrace_script as script
from tests.recordings import response_of


async def read(pieces: list[bytes]) -> list[e.Event]:
    return await collect(streamed_events(response_of(pieces)))


def continued(path: Path) -> Message | None:
    """The message an approval goes on with: what was sent, as the client had it."""
    request = json.loads(path.with_suffix(".json").read_text())["request"]["body"]
    if not request.get("is_tool_approval"):
        return None
    return Message.from_wire(request["messages"][-1])


def server_parts(path: Path) -> list[Any]:
    """The parts the server would keep, by the fake's own reading of the chunks."""
    before = continued(path)
    chunks = script.chunks_of(path.read_bytes())
    known = before.to_wire()["parts"] if before is not None else []
    return script.stored(chunks, known)


def comparable(message: Message) -> list[Any]:
    """Our parts without what the server never stores."""
    parts = [part.to_wire() for part in message.parts if not isinstance(part, DataPart | ReasoningPart)]
    return [{k: v for k, v in part.items() if k not in ("rawInput",)} for part in parts]


@pytest.mark.parametrize("path", streams(), ids=lambda path: path.stem)
async def test_every_stream_gives_the_message_the_server_keeps(path: Path):
    body = path.read_bytes()
    events = await read([body])
    assert [type(event) for event in events].count(e.Finish) == 1
    assert isinstance(events[-1], e.Finish)
    message = folded(events, continued(path))
    if path.name.startswith(("15", "30", "50")):
        return  # told in tests of their own
    assert comparable(message) == server_parts(path)
    assert message.faults == []


@pytest.mark.parametrize("path", streams(), ids=lambda path: path.stem)
async def test_every_stream_is_the_same_in_any_pieces(path: Path):
    body = path.read_bytes()
    whole = list(joined_deltas(await read([body])))

    async def joined(pieces: list[bytes]) -> list[e.Event]:
        return list(joined_deltas(await read(pieces)))

    assert await joined([body[at : at + 1] for at in range(len(body))]) == whole
    rng = random.Random(path.stem)
    for _ in range(20):
        at = sorted(rng.sample(range(len(body)), min(rng.randrange(1, 30), len(body))))
        assert await joined([body[a:b] for a, b in zip([0, *at], [*at, len(body)], strict=True)]) == whole


async def test_the_shortest_stream_event_by_event():
    _, body = recorded("10")
    events = await read([body])
    assert events == [
        e.Start("46d4f096-808a-4750-bb09-e68908e3e1c8"),
        e.StartStep(),
        e.TextStart("txt-0"),
        e.TextDelta("txt-0", "Hello from the stub model. You said: Hello, what can you do?"),
        e.TextEnd("txt-0"),
        e.FinishStep(),
        e.Finish("unknown"),
    ]


ENDS = {
    "10": e.Finish("unknown"),
    "16": e.Finish("unknown"),
    "23": e.Finish("unknown"),
    "24": e.Finish("unknown"),
    "30": e.Finish("error", detail="Incorrect API key provided."),
    "32": e.Finish("error", detail="upstream died"),
}


@pytest.mark.parametrize("name", ENDS)
async def test_how_recorded_turns_end(name: str):
    _, body = recorded(name)
    assert (await read([body]))[-1] == ENDS[name]


async def test_of_two_errors_only_the_one_that_says_something_is_shown():
    message = folded(await read([recorded("30")[1]]))
    assert message.errors == ["Incorrect API key provided."]
    assert len(message.faults) == 1
    cut = folded(await read([recorded("32")[1]]))
    assert (cut.errors, cut.text) == (["upstream died"], "This answer will be cut")


async def test_reasoning_is_there_when_the_agent_shows_it():
    shown = folded(await read([recorded("12")[1]]))
    hidden = folded(await read([recorded("25")[1]]))
    (part,) = [part for part in shown.parts if isinstance(part, ReasoningPart)]
    assert part.text
    assert [part.text for part in hidden.parts if isinstance(part, ReasoningPart)] == [""]


async def test_an_approval_waits_for_its_answer():
    message = folded(await read([recorded("16")[1]]))
    (call,) = pending(message)
    assert (call.tool_name, call.tool_call_id) == ("create_board", "call_board_1")
    assert call.approval_id == "aitxt-EaKe27QBgDUBBjTksoxl0nbR"
    assert call.input == {
        "board_name": "Leads 2026", "board_type": "General", "description": "Board made by a test",
    }  # fmt: skip
    assert message.text == "I will create a board."


async def test_a_call_with_refused_input_ends_as_an_error():
    message = folded(await read([recorded("15")[1]]))
    (call,) = message.tool_calls()
    assert (call.state, call.tool_name) == ("output-error", "todoWrite")
    assert call.error_text is not None
    assert call.error_text.startswith("Invalid input for tool todoWrite")


async def test_a_stream_that_was_hung_up_on_is_cut_off_not_complete():
    message = folded(await read([recorded("50")[1]]))
    assert message.finish is not None
    assert message.finish.reason == "lost"
    assert message.text.startswith("word0 word1 ")


async def test_a_document_being_written_is_a_part_that_grows():
    _, body = recorded("21")
    events = await read([body])
    shown = [event.data for event in events if isinstance(event, e.Data) and event.type == "data-document"]
    said = "Hello from the stub model. You said: Release notes"
    assert [each["content"] for each in shown][-1] == said
    assert all(said.startswith(each["content"]) for each in shown)
    assert len({each["content"] for each in shown}) > 5
    assert [each["state"] for each in shown] == ["streaming"] * (len(shown) - 1) + ["done"]
    message = folded(events)
    (part,) = [part for part in message.parts if isinstance(part, DataPart)]
    document_id = "f3e02382-748b-4a2e-ade7-a845c37e64d4"
    assert part.to_wire() == {
        "type": "data-document",
        "id": document_id,
        "data": {
            "id": document_id, "title": "Release notes", "kind": "text", "state": "done", "content": said,
        },
    }  # fmt: skip
    assert not any(isinstance(event, e.Data) and event.transient for event in events)
    assert e.Status("Writing “Release notes”") in events
    # In the history the same part stands at the same place; its content is fetched on demand.
    again = with_documents(Message.from_wire({"id": "m", "role": "assistant", "parts": script.stored(
        script.chunks_of(body))}))  # fmt: skip
    assert [each.type for each in again.parts] == [each.type for each in message.parts]
    (kept,) = [each for each in again.parts if isinstance(each, DataPart)]
    assert kept.fields["data"] == {
        "id": document_id,
        "title": "Release notes",
        "kind": "text",
        "state": "done",
    }


async def test_unicode_arrives_whole():
    _, body = recorded("22")
    said = "".join(c["delta"] for c in script.chunks_of(body) if c["type"] == "text-delta")
    assert folded(await read([body])).text == said
    assert not said.isascii()


# Answers in one piece


async def test_a_plain_answer_is_one_block_that_the_server_does_not_keep():
    _, body = recorded("26")
    events = await collect(plain_events(response_of([body], content_type="text/plain; charset=utf-8"), "c"))
    assert events == [
        e.Start(),
        e.StartStep(),
        e.TextStart("0"),
        e.TextDelta("0", body.decode()),
        e.TextEnd("0"),
        e.FinishStep(),
        e.Finish("stop", stored=False),
    ]


async def test_the_frame_of_a_connector_is_taken_off_only_when_it_is_this_chats_own():
    asked, body = recorded("27")
    chat_id = asked["request"]["body"]["id"]
    said = "Hello from the stub model. You said: Hello, plain agent"
    events = await collect(plain_events(response_of([body], content_type="text/plain"), chat_id))
    assert folded(events).text == said
    assert unwrapped(body.decode(), "another") == body.decode()
    assert unwrapped(said, chat_id) == said


# What is no stream: served as recorded, asked through the adapter

HISTORY_IDS = [
    "3511b661-4a1c-4730-bb78-8e39e8c13cf6",
    "99f61bf9-cdd2-4f64-b230-ed9434a6d2bc",
    "9087adad-1785-43c0-8cf8-da70090629a4",
]
CHAT = "365b8bdd-7adc-4bb5-944c-931059d65259"
ANSWER = "46d4f096-808a-4750-bb09-e68908e3e1c8"


async def replayed(name: str, call: str, ask: Any, *, also: dict[str, str] | None = None) -> Any:
    """What the adapter makes of a recorded answer to `METHOD /path`."""
    async with KaiServer() as server:
        for number, path in {name: call, **(also or {})}.items():
            said, body = recorded(number)
            kind = {k.lower(): v for k, v in said["response"]["headers"]}["content-type"]
            if kind.startswith("text/event-stream"):
                server.on(path, stream(body))
            else:
                server.on(path, answer(said["response"]["status"], body, {"content-type": kind}))
        backend = account(server.url)
        try:
            return await ask(backend)
        except BackendError as error:
            return type(error).__name__, error.code, error.sentence.replace(backend.host, "HOST")
        finally:
            await backend.aclose()


async def test_recorded_answers_as_values():
    base = "/ai-agent/chat-client"
    info = await replayed(
        "01", "GET /ai-agent/health", lambda b: b.about(), also={"02": "GET /ai-agent/version"}
    )
    assert (info.service, info.version, info.details["nodeVersion"]) == (
        "imbrace",
        "1.0.0",
        "v20.20.2",
    )
    assert await replayed("01", "GET /ai-agent/health", lambda b: b.alive()) == "2026-11-20T23:46:54.440Z"
    person = await replayed("04", f"POST {base}/auth/user", lambda b: b.whoami())
    assert (person.id, person.email) == ("18e18a27-e406-4243-9569-2b696f5bf957", "tester@example.com")
    asked = await replayed("05", "GET /ai-agent/chat/get-agent-prompt-suggestion", lambda b: b.suggestions())
    assert [each.prompt for each in asked][:2] == ["What can you do?", "Show my boards"]
    page = await replayed("60", f"GET {base}/chats", lambda b: b.chats(limit=3))
    assert [each.id for each in page.items] == HISTORY_IDS
    assert page.cursor == HISTORY_IDS[-1]
    assert (page.items[0].title, page.items[0].created_at) == ("slow please", "2026-11-20T23:47:35.405Z")
    older = await replayed("61", f"GET {base}/chats", lambda b: b.chats(cursor=HISTORY_IDS[1], limit=2))
    assert older.items[0].id == HISTORY_IDS[2]
    chat = await replayed(
        "64",
        f"GET {base}/chats/{CHAT}",
        lambda b: b.chat(CHAT),
        also={"65": f"GET {base}/chats/{CHAT}/messages"},
    )
    assert chat.summary.title == "Hello, what can you do?"
    assert [(each.role, each.id) for each in chat.messages][1] == ("assistant", ANSWER)
    assert chat.extra["assistantId"] == "asst_stream"
    running = await replayed("51", f"GET {base}/chats/{HISTORY_IDS[1]}", lambda b: b.status(HISTORY_IDS[1]))
    assert running.running
    assert await replayed("71", f"GET {base}/chats/{CHAT}/votes", lambda b: b.votes(CHAT)) == {ANSWER: True}
    assert await replayed("74", f"GET {base}/chats/{CHAT}/votes", lambda b: b.votes(CHAT)) == {ANSWER: False}
    assert await replayed("72", f"PATCH {base}/votes", lambda b: b.vote(CHAT, ANSWER, False)) is None
    assert (
        await replayed("82", f"PATCH {base}/chats/{CHAT}", lambda b: b.set_visibility(CHAT, "public")) is None
    )
    title = await replayed("83", f"POST {base}/chats/{CHAT}/title", lambda b: b.title_for(CHAT, "x"))
    assert title == "Hello there, tell me about boards"
    assert (
        await replayed("87", f"DELETE {base}/messages/{ANSWER}/trailing", lambda b: b.delete_from(ANSWER))
        is None
    )
    saved = await replayed(
        "88", f"POST {base}/documents", lambda b: b.save_document("7", "Draft", "x", "text")
    )
    assert (saved.title, saved.content) == ("Draft", "Draft...")
    assert (
        await replayed("90", f"GET {base}/documents/7/latest", lambda b: b.document("7"))
    ).title == "Draft"
    assert (
        await replayed("91", f"GET {base}/documents/latest-by-kind", lambda b: b.latest_document("text"))
    ).kind == "text"
    assert await replayed("92", f"DELETE {base}/chats/{CHAT}", lambda b: b.delete(CHAT)) is None
    assert await replayed("94", f"DELETE {base}/chats", lambda b: b.delete_all()) == 29


async def test_recorded_messages_as_messages():
    path = f"GET /ai-agent/chat-client/chats/{CHAT}/messages"
    approved = await replayed("18", path, lambda b: b.messages(CHAT))
    (call,) = approved[-1].tool_calls()
    assert (call.state, call.approval["approved"], call.output["success"]) == ("output-available", True, True)
    denied = await replayed("20", path, lambda b: b.messages(CHAT))
    assert [call.state for call in denied[-1].tool_calls()] == ["output-denied"]
    failed = await replayed("31", path, lambda b: b.messages(CHAT))
    assert failed[-1].text == "Incorrect API key provided."
    with_file = await replayed("46", path, lambda b: b.messages(CHAT))
    assert with_file[0].parts[1].fields["url"] == "https://example.com/a.txt"
    whole = await replayed("53", path, lambda b: b.messages(CHAT))
    assert whole[-1].text.endswith(" word199")
    open_call = await replayed("57", path, lambda b: b.messages(CHAT))
    assert [len(pending(message)) for message in open_call] == [0, 1, 0, 0]
    alone = await replayed("29b", path, lambda b: b.messages(CHAT))
    assert [message.role for message in alone] == ["user"]


async def test_recorded_status_streams():
    path = f"GET /ai-agent/chat-client/chats/{CHAT}/status/stream"

    async def states(backend: Any) -> list[bool]:
        return [each.running async for each in backend.until_idle(CHAT)]

    assert await replayed("52", path, states) == [True, False]
    assert await replayed("54", path, states) == [True, False]
    assert await replayed("55", path, states) == [False]


REFUSED = {
    "28": (
        "ServerFailed",
        None,
        "Server error at HOST (500): An error occurred while processing your request.",
    ),
    "33": ("ServerFailed", "agent", "HOST does not know this agent. Choose another one."),
    "34": ("ServerFailed", "agent", "This agent has no model, so it cannot answer."),
    "35": ("TokenRefused", "unauthorized:auth", "Token refused by HOST. Sign in again with a valid token."),
    "36": ("TokenRefused", None, "Token refused by HOST. Sign in again with a valid token."),
    "37": ("TokenRefused", "no-organization", "The organisation is missing. Choose one for this account."),
    "38": ("Refused", None, "HOST did not take the request (400): Chat ID is required in request body."),
    "39": ("Refused", None, "HOST did not take the request (400): Missing required field assistant_id."),
    "40": ("ServerFailed", None, "Server error at HOST (500): it could not make sense of the request."),
    "41": ("ServerFailed", None, "Server error at HOST (500): "),
    "42": ("Refused", None, "HOST did not take the request (400): Internal server error."),
    "44": ("NotFound", None, "HOST has nothing of that kind at this address. Is it an iMBRACE address?"),
    "95": ("NotFound", None, "HOST has nothing of that kind at this address. Is it an iMBRACE address?"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_recorded_refusals_of_a_message(name: str):
    kind, code, sentence = REFUSED[name]

    async def send(backend: Any) -> Any:
        return await collect(backend.send(CHAT, _hello()))

    found = await replayed(name, "POST /ai-agent/v2/chat", send)
    assert found[:2] == (kind, code)
    assert found[2].startswith(sentence)
    assert "[ {" not in found[2]
    assert found[2].endswith("may or may not have arrived.") is (kind == "ServerFailed")


CHAT_REFUSED = {
    "62": ("Refused", "bad_request:api", "Only one of starting_after or ending_before"),
    "63": ("NotFound", "not_found:database", "The list of chats changed on the server. Load it again."),
    "96": ("TokenRefused", "unauthorized:auth", "Token refused by HOST."),
}


@pytest.mark.parametrize("name", CHAT_REFUSED)
async def test_recorded_refusals_of_the_history(name: str):
    found = await replayed(name, "GET /ai-agent/chat-client/chats", lambda b: b.chats(cursor=CHAT))
    kind, code, sentence = CHAT_REFUSED[name]
    assert found[:2] == (kind, code)
    assert sentence in found[2]


async def test_recorded_refusals_of_other_calls():
    get = f"GET /ai-agent/chat-client/chats/{CHAT}"
    assert await replayed("66", get, lambda b: b.chat(CHAT)) == (
        "NotFound", "not_found:chat", "This chat no longer exists on the server.",
    )  # fmt: skip
    assert (await replayed("67", get, lambda b: b.chat(CHAT)))[:2] == ("NotAllowed", "forbidden:chat")
    assert (await replayed("68", get, lambda b: b.chat(CHAT)))[:2] == ("Refused", "bad_request:api")
    # Somebody else's 404 is no word about the chat.
    assert (await replayed("95", get, lambda b: b.chat(CHAT)))[0] == "UnexpectedAnswer"
    gone = await replayed("93", f"DELETE /ai-agent/chat-client/chats/{CHAT}", lambda b: b.delete(CHAT))
    assert gone[:2] == ("NotFound", "not_found:chat")
    votes = await replayed("73", "PATCH /ai-agent/chat-client/votes", lambda b: b.vote(CHAT, ANSWER, True))
    assert "Parameters chatId, messageId, and type are required" in votes[2]
    suggestion = await replayed(
        "06", "GET /ai-agent/chat/get-agent-prompt-suggestion", lambda b: b.suggestions()
    )
    assert "assistant_id is required" in suggestion[2]


def _hello() -> Any:
    from tests.backends.imbrace.kit import say

    return say("Hello")
