"""Talks to a sandbox in this process as a client would, over its API only."""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx

from kai_tui.conversation.fold import fold_stream
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.sandbox.project import Project
from kai_tui.sandbox.server import create_app
from kai_tui.sandbox.transport import StreamingASGITransport

TOKEN = "test-token"
BASE = "http://sandbox.kai-tui.invalid"
HEADERS = {"x-storageapi-token": TOKEN, "x-storageapi-url": BASE}
Flavour = Literal["agent", "assistant"]
Answer = bool | str | dict[str, Any] | None
"""True: yes. A text: no, for this reason. False: no. A dict: yes, with this input. None: no answer."""


def new_id() -> str:
    return str(uuid.uuid4())


def user_message(text: str, id: str | None = None) -> dict[str, Any]:
    return {"id": id or new_id(), "role": "user", "parts": [{"type": "text", "text": text}]}


def envelope(chat_id: str, message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": chat_id,
        "message": message,
        "selectedChatModel": "chat-model",
        "selectedVisibilityType": "private",
        **more,
    }


def chunks_in(body: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: {")]


class Chatter:
    """One chat."""

    def __init__(self, client: httpx.AsyncClient, flavour: Flavour, project: Project) -> None:
        self.client = client
        self.flavour: Flavour = flavour
        self.project = project
        self.chat_id = new_id()
        self.chunks: list[dict[str, Any]] = []
        """Of the last answer."""
        self.more: dict[str, Any] = {}
        """Further fields of every post."""
        self.path: str | None = None
        """What messages are about."""
        self.asked: list[ToolPart] = []
        """Calls of the last answer that had to be decided."""

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.project.look() as connection:
            return [tuple(row) for row in connection.execute(sql, values)]

    async def say(self, text: str, decide: Callable[[ToolPart], Answer] = lambda _call: True) -> Message:
        """Say something and answer every question with `decide`; gives the whole answer."""
        self.chunks, self.asked = [], []
        if self.flavour == "agent":
            return await self._say_to_agent(text, decide)
        return await self._say_to_assistant(text, decide)

    async def post(self, message: dict[str, Any], **more: Any) -> httpx.Response:
        return await self.client.post("/api/chat", json=envelope(self.chat_id, message, **self.more, **more))

    def _message(self, text: str) -> dict[str, Any]:
        message = user_message(text)
        if self.path is not None:
            message["metadata"] = {"hidden": False, "requestContext": {"path": self.path}}
        return message

    async def _say_to_assistant(self, text: str, decide: Callable[[ToolPart], Answer]) -> Message:
        message, into = self._message(text), None
        while True:
            response = await self.post(message)
            assert response.status_code == 200, response.text
            chunks = chunks_in(response.text)
            self.chunks += chunks
            answer = fold_stream(chunks, into)
            waiting = [call for call in answer.tool_calls() if call.state == "approval-requested"]
            if not waiting:
                return answer
            self.asked += copy.deepcopy(waiting)
            message = into = answered(answer, decide)

    async def _say_to_agent(self, text: str, decide: Callable[[ToolPart], Answer]) -> Message:
        decided: set[str] = set()
        body = envelope(self.chat_id, self._message(text), **self.more)
        async with self.client.stream("POST", "/api/chat", json=body) as response:
            assert response.status_code == 200
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                self.chunks.append(json.loads(line[6:]))
                if self.chunks[-1]["type"] != "tool-input-available":
                    continue
                call = fold_stream(self.chunks).tool_calls()[-1]
                if call.tool_call_id in decided or not self._writes(call):
                    continue
                decided.add(call.tool_call_id)
                self.asked.append(copy.deepcopy(call))
                answer = decide(call)
                if answer is not None:
                    asyncio.get_running_loop().create_task(self.decide(call.tool_call_id, answer))
        return fold_stream(self.chunks)

    @staticmethod
    def _writes(call: ToolPart) -> bool:
        from kai_tui.sandbox.tools import TOOLS

        return not TOOLS[call.tool_name].read_only

    async def decide(self, call_id: str, answer: Answer) -> httpx.Response:
        """Post a decision to the agent; waits until the call waits."""
        body: dict[str, Any] = {"toolUseId": call_id, "approved": answer is True or isinstance(answer, dict)}
        if isinstance(answer, str):
            body["reason"] = answer
        if isinstance(answer, dict):
            body["updatedInput"] = answer
        async with asyncio.timeout(5):
            while True:
                response = await self.client.post(f"/api/chat/{self.chat_id}/approval", json=body)
                if response.status_code != 404:
                    return response
                await asyncio.sleep(0)


def answered(message: Message, decide: Callable[[ToolPart], Answer]) -> dict[str, Any]:
    """The message with the calls decided, as the assistant flavour wants it back."""
    wire = message.to_wire()
    for part in wire["parts"]:
        if part.get("state") != "approval-requested":
            continue
        answer = decide(ToolPart(part))
        if answer is None:
            continue
        part["state"] = "approval-responded"
        part["approval"]["approved"] = answer is True
        if isinstance(answer, str):
            part["approval"]["reason"] = answer
    return wire


@asynccontextmanager
async def chatting(
    flavour: Flavour = "assistant", project: Project | None = None, **options: Any
) -> AsyncIterator[Chatter]:
    """A chat with a sandbox of its own."""
    own = project if project is not None else Project.open(":memory:")
    transport = StreamingASGITransport(
        create_app(own, service=flavour, token=TOKEN, **{"pace": 0, **options})
    )
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=HEADERS, timeout=10) as client:
        yield Chatter(client, flavour, own)
    if project is None:
        own.close()
