"""The vendor's own Python client (`knowrithm-py` 0.1.22) takes the fake for the real server.

Its known flaws (knowrithm.md §2, §5, §10): it follows `poll_url` as a task, opens the stream after the POST,
sends the key beside a JWT, and asks `/v1/health`. So it is given acknowledgements in the task style.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.backends.knowrithm.desk import calls
from tests.backends.knowrithm.desk import server as server  # the fixture
from tests.fakes.knowrithm import ANSWER, EMAIL, KEY, PASSWORD, SECRET, FakeKnowrithm
from tests.fixture_cases import FIXTURES

pytest.importorskip("knowrithm_py", reason="requirements.lock is newer than this .venv: run make test")

from knowrithm_py.dataclass.config import KnowrithmConfig
from knowrithm_py.dataclass.error import KnowrithmAPIError
from knowrithm_py.knowrithm.client import KnowrithmClient

T = TypeVar("T")


def vendor(server: FakeKnowrithm, secret: str = SECRET) -> Any:
    server.acks, server.results_as_text = "task", False
    server.hints = {"retry_after_ms": 100}
    config = KnowrithmConfig(base_url=server.base, task_poll_interval=0.1, max_retries=1, timeout=10)
    return KnowrithmClient(KEY, secret, config)


async def blocking(call: Callable[[], T]) -> T:
    """It has no asyncio."""
    async with asyncio.timeout(20):
        return await asyncio.to_thread(call)


async def test_a_whole_conversation(server: FakeKnowrithm):
    client = vendor(server)
    agents = await blocking(lambda: client.agents.list_agents(per_page=50))
    assert [each["id"] for each in agents["agents"]] == ["a-1", "a-2"]
    made = await blocking(lambda: client.conversations.create_conversation("a-1", title="TUI chat"))
    chat = made["conversation"]["id"]
    done = await blocking(lambda: client.messages.send_message(chat, "Hello there!"))
    assert done == {"message": "done"}
    listed = await blocking(
        lambda: client.conversations.list_conversation_messages(chat, page=1, per_page=100)
    )
    assert [each["content"] for each in listed["messages"]] == [
        "Hello there!",
        f"{ANSWER} You said: Hello there!",
    ]
    with pytest.raises(KnowrithmAPIError, match="The model is overloaded"):
        await blocking(lambda: client.messages.send_message(chat, "fail now"))
    mine = await blocking(lambda: client.conversations.list_conversations_for_entity(page=1, per_page=20))
    assert [each["id"] for each in mine["conversations"]] == [chat]
    server.writes_are_tasks = True
    gone = await blocking(lambda: client.conversations.delete_conversation(chat))
    assert gone["conversation_id"] == chat
    deleted = await blocking(client.conversations.list_deleted_conversations)
    assert [each["id"] for each in deleted["conversations"]] == [chat]
    await blocking(lambda: client.conversations.restore_conversation(chat))
    assert server.conversations[chat].status == "active"


@pytest.mark.parametrize("events", ["chat", "plain"])
async def test_it_reads_the_event_stream(server: FakeKnowrithm, events: Any):
    server.events = events
    client = vendor(server)
    chat = server.conversation()

    def listen() -> list[Any]:
        with client.messages.stream_conversation_messages(chat.id) as stream:
            loop.call_soon_threadsafe(opened.set)
            found: list[Any] = []
            for event in stream:
                if event.raw is None:
                    continue  # it makes an event of a lone comment
                found.append(event)
                if (
                    isinstance(event.data, dict)
                    and event.data.get("status") == "completed"
                    and (event.data["conversation_id"] == chat.id)
                ):
                    return found
            return found

    loop, opened = asyncio.get_running_loop(), asyncio.Event()
    listening = asyncio.create_task(blocking(listen))
    await opened.wait()
    while not server.subscribers.get(chat.id):
        await asyncio.sleep(0.001)
    await blocking(lambda: client.messages.send_message(chat.id, "Hi"))
    found = await listening
    ours = [
        each for each in found if isinstance(each.data, dict) and each.data.get("conversation_id") == chat.id
    ]
    names = {
        "chat": ["chat_status", "chat_status", "chat_response"],
        "plain": ["queued", "in_progress", "completed"],
    }
    assert [each.event for each in ours] == names[events]
    assert ours[-1].data["message"]["content"] == f"{ANSWER} You said: Hi"
    assert any(each.event == "heartbeat" for each in found)


async def test_streaming_switched_off(server: FakeKnowrithm):
    server.stream_status = 503
    client = vendor(server)
    chat = server.conversation()
    with pytest.raises(KnowrithmAPIError) as caught:
        await blocking(lambda: client.messages.stream_conversation_messages(chat.id))
    assert caught.value.status_code == 503


async def test_documents_and_websites(server: FakeKnowrithm, tmp_path: Path):
    client = vendor(server)
    file = tmp_path / "kb.txt"
    file.write_text("hello kb")
    stored = await blocking(
        lambda: client.documents.upload_documents("a-1", file_paths=[file], metadata={"tags": "x"})
    )
    assert [each["original_filename"] for each in stored["documents"]] == ["kb.txt"]
    await blocking(lambda: client.documents.upload_documents("a-1", urls=["https://example.com/a"]))
    assert len((await blocking(client.documents.list_documents))["document"]) == 2
    server.writes_are_tasks = True
    await blocking(lambda: client.documents.delete_document("d-1"))
    assert len((await blocking(client.documents.list_documents))["document"]) == 1
    await blocking(lambda: client.documents.restore_document("d-1"))
    made = await blocking(
        lambda: client.websites.register_source({"agent_id": "a-1", "base_url": "https://docs.example"})
    )
    assert made["website_source"]["id"] == "w-1"
    assert len((await blocking(client.websites.list_sources))["website_sources"]) == 1
    assert (await blocking(lambda: client.websites.list_source_pages("w-1")))["pages"]
    assert await blocking(lambda: client.websites.trigger_crawl("w-1", max_pages=3)) == {"pages": 1}
    await blocking(lambda: client.websites.delete_source("w-1"))
    assert server.websites == []


async def test_signing_in_and_who_it_is(server: FakeKnowrithm):
    client = vendor(server)
    found = await blocking(lambda: client.auth.login(EMAIL, PASSWORD))
    tokens = found["tokens"]
    assert tokens["access_token"] in server.access_tokens
    renewed = await blocking(lambda: client.auth.refresh_access_token(tokens["refresh_token"]))
    assert renewed["data"]["access_token"] in server.access_tokens
    me = await blocking(
        lambda: client.auth.get_current_user({"Authorization": f"Bearer {tokens['access_token']}"})
    )
    assert me["user"]["email"] == EMAIL
    with pytest.raises(KnowrithmAPIError, match="Invalid email or password"):
        await blocking(lambda: client.auth.login(EMAIL, "wrong"))
    stranger = vendor(server, "wrong")
    with pytest.raises(KnowrithmAPIError, match="Invalid credentials") as caught:
        await blocking(stranger.agents.list_agents)
    assert caught.value.status_code == 401


async def test_its_recorded_requests_are_understood(server: FakeKnowrithm):
    """The 28 raw requests of `client-requests.jsonl`, with the key of this run and ids that exist."""
    chat = server.conversation(messages=2)
    server.acks = "task"
    outcomes: list[tuple[str, int]] = []
    for line in (FIXTURES / "knowrithm" / "client-requests.jsonl").read_text().splitlines():
        head, _, body = json.loads(line)["bytes"].partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        first = first.replace("conversation/c-1", f"conversation/{chat.id}")
        kept = [
            each
            for each in lines
            if not each.lower().startswith(("content-length", "x-api", "authorization"))
        ]
        if "/auth/login" in first:
            body = json.dumps({"email": EMAIL, "password": PASSWORD})  # it was taken out of the recording
        content = body.encode()
        kept += [f"X-API-Key: {KEY}", f"X-API-Secret: {SECRET}", f"Content-Length: {len(content)}"]
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write("\r\n".join([first, *kept, "", ""]).encode() + content)
        async with asyncio.timeout(10):
            answered = await reader.readline()
        writer.close()
        outcomes.append((" ".join(first.split(" ")[:2]), int(answered.split(b" ")[1])))
        chat.status = "active"  # deleted by one of them
    assert len(outcomes) == 28
    tasks = [status for call, status in outcomes if "/tasks/" in call]
    assert set(tasks) == {404}  # those tasks were the recorder's
    rest = {(call.replace(chat.id, "C"), status) for call, status in outcomes if "/tasks/" not in call}
    assert rest == {
        ("GET /api/v1/health", 200),
        ("GET /api/v1/agent?per_page=50", 200),
        ("POST /api/v1/conversation", 201),
        ("POST /api/v1/conversation/C/chat", 202),
        ("GET /api/v1/conversation/C/messages/stream", 200),
        ("GET /api/v1/conversation/off/messages/stream", 200),
        ("GET /api/v1/conversation?page=1&per_page=20", 200),
        ("GET /api/v1/conversation/C/messages?page=1&per_page=100", 200),
        ("POST /api/v1/document/upload", 200),
        ("DELETE /api/v1/conversation/C", 200),
        ("POST /api/v1/auth/login", 202),
        ("GET /api/v1/conversation", 200),
    }
    assert calls(server)
