"""The vendor's own client takes our fake for a server, and its requests are ours, byte for byte."""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.assistant_ui import wire
from kai_tui.backends.assistant_ui.config import AssistantUiConfig, ClientTool
from kai_tui.backends.base import Attachment, Outgoing, ToolValue
from kai_tui.conversation.messages import FilePart, Message, TextPart, ToolPart
from tests.backends.assistant_ui.kit import AUTH, TOKEN, backend, sent
from tests.fakes.assistant_ui import FakeAssistantUi
from tests.fixture_cases import FIXTURES

vendor = pytest.importorskip(
    "assistant_ui", reason="requirements.lock is newer than this .venv: run make test"
)

RECORDED = [
    json.loads(json.loads(line)["bytes"].partition("\r\n\r\n")[2])
    for line in Path(FIXTURES / "assistant-ui" / "client-requests.jsonl").read_text("utf-8").splitlines()
]


@pytest.fixture
async def server() -> AsyncIterator[FakeAssistantUi]:
    async with FakeAssistantUi() as running:
        yield running


async def test_the_vendors_client_chats_and_cancels(server: FakeAssistantUi):
    asked: list[int] = []

    async def headers() -> dict[str, str]:
        asked.append(1)
        return {"Authorization": f"Bearer {TOKEN}"}

    async with vendor.AssistantClient(server.url, headers=headers) as client:
        thread = client.threads("thread-123")
        command = wire.add_message(Outgoing("u1", "hello"))
        response = await thread.chat(commands=[command], system="Be brief.")
        assert '0:"Hello"' in response.text
        assert (await thread.cancel()).status_code == 200
    assert server.cancelled == ["thread-123"]
    assert len(asked) == 2


async def test_the_vendors_client_is_refused_as_we_are(server: FakeAssistantUi):
    async with vendor.AssistantClient(server.url) as client:
        with pytest.raises(Exception, match="401"):
            await client.threads("t").chat(commands=[])
    async with vendor.AssistantClient(server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        with pytest.raises(Exception, match=r"422.*Field required"):
            await client.threads("t").chat()


async def test_our_requests_are_the_vendors(server: FakeAssistantUi):
    tools = {"get_weather": ClientTool("Weather", {"type": "object", "properties": {}})}
    config: dict[str, Any] = {
        "system": "Be brief.",
        "tools": tools,
        "run_config": {"custom": 1},
        "extra": {"extra_field": "x"},
    }
    ours = backend(server.url, first_state={"k": 1}, **config)
    await sent(ours, "hello", "thread-1")
    await ours.cancel("thread-1")
    await ours.aclose()
    async with vendor.AssistantClient(server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        thread = client.threads("thread-1")
        await thread.chat(
            commands=[
                {
                    "type": "add-message",
                    "message": {"role": "user", "parts": [{"type": "text", "text": "hello"}]},
                }
            ],
            system="Be brief.",
            tools={
                "get_weather": {"description": "Weather", "parameters": {"type": "object", "properties": {}}}
            },
            runConfig={"custom": 1},
            state={"k": 1},
            extra_field="x",
        )
        await thread.cancel()
    mine, my_stop, theirs, their_stop = server.seen
    assert mine.body == theirs.body
    assert my_stop.body == their_stop.body
    for one, other in ((mine, theirs), (my_stop, their_stop)):
        assert one.call == other.call
        for name in ("content-type", "authorization"):
            assert one.headers[name] == other.headers[name]


def test_the_recorded_request_with_a_system_prompt():
    config = AssistantUiConfig("https://aui.example", system="You are a helpful assistant.")
    command = wire.add_message(Outgoing("u", "hello"))
    assert wire.chat_body(config, "thread-123", state=None, commands=[command]) == RECORDED[0]


def conversation() -> list[Message]:
    """The one of the recorded request in the older form."""
    parts = [
        TextPart({"type": "text", "text": "What is in this image?"}),
        FilePart({"type": "file", "mediaType": "image/jpeg", "url": "https://example.com/image.jpg"}),
        FilePart({"type": "file", "mediaType": "application/pdf", "url": "https://example.com/file.pdf"}),
    ]
    call = {
        "type": "tool-get_weather", "toolCallId": "call-123", "state": "output-available",
        "input": {"location": "San Francisco"}, "output": {"temperature": 72},
    }  # fmt: skip
    reply = Message("a", "assistant", [TextPart({"type": "text", "text": "I will help."}), ToolPart(call)])
    return [Message("u", "user", parts), reply]


def test_the_older_form_is_the_recorded_one():
    assert wire.older_messages(conversation(), "be brief") == RECORDED[1]["messages"]


def test_the_vendors_own_conversion_makes_our_commands_of_the_older_form():
    from assistant_ui.client import _convert_messages_to_commands  # pyright: ignore

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _convert_messages_to_commands(wire.older_messages(conversation(), "be brief"))
    assert theirs == RECORDED[1]["commands"]
    outgoing = Outgoing(
        "u", "What is in this image?", attachments=(Attachment("https://example.com/image.jpg"),)
    )
    assert wire.add_message(outgoing) == theirs[0]
    answer = ToolValue("call-123", approved=True, value={"temperature": 72})
    assert wire.add_tool_result(answer, "get_weather") == theirs[2]


def test_the_token_is_in_no_repr():
    assert TOKEN not in repr(AUTH) + repr(AssistantUiConfig("https://aui.example", headers=AUTH))
