"""A fake iMBRACE on 127.0.0.1: gateway and services in one (imbrace.md §18), as the recordings show it.

Under `/ai-agent` and the other gateway paths it behaves like the gateway, under `/api` like the AI Agent
service alone. Routes set with `on` come first, so that any call can be broken.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from tests.backends.kai_server import SSE, Exchange, Handler, Hangup, KaiServer, Seen, answer
from tests.fakes import imbrace_script as script

ORGANIZATION = "org_1"
OTHER_ORGANIZATION = "org_2"
USER = "18e18a27-e406-4243-9569-2b696f5bf957"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1XzEifQ.x"
PASSWORD = "correct horse"
CODE = "123456"
INVALID = "The request couldn't be processed. Please check your input and try again."

_HALF = re.compile(r"[\ud800-\udfff]")

AGENTS: list[dict[str, Any]] = [
    {
        "id": "asst_stream",
        "name": "Streaming agent",
        "description": "Answers token by token",
        "streaming": True,
        "show_thinking_process": True,
        "model_id": "gpt-stub",
        "provider_id": "p1",
        "agent_type": "agent",
    },
    {"id": "asst_quiet", "name": "Quiet agent", "streaming": True, "show_thinking_process": False},
    {"id": "asst_plain", "name": "Plain agent", "streaming": False, "model_id": "gpt-stub"},
    {"id": "asst_nomodel", "name": "No model", "streaming": True},
    {"id": "asst_team", "name": "Team lead", "streaming": True, "agent_type": "team_lead"},
]


@dataclass
class Answering:
    """An answer being made, whether or not somebody still listens."""

    chunks: list[Any] = field(default_factory=list)
    done: bool = False
    news: asyncio.Condition = field(default_factory=asyncio.Condition)


@dataclass
class FakeChat:
    row: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    votes: dict[str, bool] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class No(Exception):
    """A refusal."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


Route = Callable[["ImbraceFake", Exchange, "re.Match[str]", str], Awaitable[Any]]
_ROUTES: list[tuple[str, re.Pattern[str], Route]] = []


def route(method: str, path: str) -> Callable[[Route], Route]:
    """Register a handler; `{}` in the path is one segment. Without a return it has answered itself."""

    def register(handler: Route) -> Route:
        _ROUTES.append((method, re.compile(path.replace("{}", "([^/]+)")), handler))
        return handler

    return register


class ImbraceFake(KaiServer):
    """The server; use with `async with`."""

    def __init__(self) -> None:
        super().__init__()
        self.credentials = {
            "api_test": USER, "api_other": str(uuid.uuid4()), "acc_test": USER, JWT: USER,
        }  # fmt: skip
        self.login_tokens: set[str] = set()
        self.codes: dict[str, str] = {}
        self.chats: dict[str, FakeChat] = {}
        self.documents: dict[str, list[dict[str, Any]]] = {}
        self.knowledge: dict[str, dict[str, Any]] = {}
        self.uploads: list[tuple[dict[str, str], str, bytes]] = []
        self.agents = [dict(agent) for agent in AGENTS]
        self.completions = True
        self.speech: Sequence[str] | None = None
        """What is said whatever is asked, in these pieces."""
        self.slowly = asyncio.Event()
        """Slow answers wait for this after some words."""
        self.slowly.set()
        self._clock = datetime(2026, 11, 20, 23, 46, tzinfo=UTC)
        self._answering: set[asyncio.Task[None]] = set()

    async def __aexit__(self, *what: object) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await super().__aexit__(*what)

    def otherwise(self, seen: Seen) -> Handler:
        async def handler(exchange: Exchange) -> None:
            try:
                for method, pattern, handle in _ROUTES:
                    path = (
                        seen.path.replace("/api/", "/ai-agent/", 1)
                        if seen.path.startswith("/api/")
                        else seen.path
                    )
                    found = pattern.fullmatch(path)
                    if found is not None and method == seen.method:
                        body = await handle(self, exchange, found, self._user(seen))
                        if body is not None:
                            status, content = body if isinstance(body, tuple) else (200, body)
                            await answer(status, content)(exchange)
                        return
                raise No(404, {"success": False, "error": "API endpoint not found"})
            except No as no:
                await answer(no.status, no.body)(exchange)

        return handler

    @property
    def posts(self) -> int:
        """How many messages and answers arrived."""
        return len(self.calls("POST /ai-agent/v2/chat")) + len(self.calls("POST /api/v2/chat"))

    def chat_of(self, chat_id: str, user: str) -> FakeChat:
        """A user's chat, or the refusal."""
        _check_uuid(chat_id)
        chat = self.chats.get(chat_id)
        if chat is None:
            raise No(404, {"code": "not_found:chat",
                           "message": "The requested chat was not found. Please check the chat ID and try again."})  # fmt: skip
        if chat.row["userId"] != user:
            raise No(403, {"code": "forbidden:chat",
                           "message": "This chat belongs to another user. Please check the chat ID and try again."})  # fmt: skip
        return chat

    def now(self) -> str:
        """A later time at each call."""
        self._clock += timedelta(milliseconds=10)
        return self._clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def begin(self, chat: FakeChat, chunks: list[Any], message: dict[str, Any], slow: bool) -> Answering:
        """Make an answer in the background: it is finished and stored whoever listens."""
        answering = Answering()

        async def run() -> None:
            for number, chunk in enumerate(chunks):
                if slow and number == 8:
                    await self.slowly.wait()
                async with answering.news:
                    answering.chunks.append(chunk)
                    answering.news.notify_all()
            message["parts"] = script.stored(chunks, message["parts"])
            if message not in chat.messages:
                message["createdAt"] = self.now()
                chat.messages.append(message)
            chat.row["status"] = "idle"
            chat.changed.set()
            async with answering.news:
                answering.done = True
                answering.news.notify_all()

        task = asyncio.create_task(run())
        self._answering.add(task)
        return answering

    def _user(self, seen: Seen) -> str:
        """Who asks; the gateway also reads `Authorization` and fills in the organisation of a key."""
        if re.fullmatch(r"/(ai-agent|api)/(health|version|config)|/platform/v1/login/.*", seen.path):
            return ""
        credential = seen.headers.get("x-api-key") or seen.headers.get("x-access-token")
        if not seen.path.startswith("/api/"):
            credential = credential or seen.headers.get("authorization", "").removeprefix("Bearer ")
            if "x-api-key" in seen.headers:
                seen.headers.setdefault("x-organization-id", ORGANIZATION)
        if not credential:
            raise No(401, {"message": "Missing credential (x-access-token or x-api-key)"})
        if credential in self.login_tokens and seen.path.startswith("/platform/v1/"):
            return USER
        if credential not in self.credentials:
            raise No(401, {"code": "unauthorized:auth", "message": "Invalid or expired access token"})
        return self.credentials[credential]


def _check_uuid(value: Any) -> None:
    try:
        uuid.UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise No(400, {"code": "bad_request:api", "message": INVALID, "cause": "Invalid uuid"}) from None


def _wrapped(data: Any) -> Any:
    return {"success": True, "data": data, "timestamp": "2026-11-20T23:46:54.440Z"}


def _invalid(cause: str | None = None) -> No:
    return No(400, {"code": "bad_request:api", "message": INVALID, **({"cause": cause} if cause else {})})


# Who answers


@route("GET", "/ai-agent/health")
async def _health(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return _wrapped({"status": "ok", "uptime": 176.8, "timestamp": "2026-11-20T23:46:54.440Z",
                     "version": "1.0.0", "environment": "production"})  # fmt: skip


@route("GET", "/ai-agent/version")
async def _version(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return _wrapped({"version": "1.0.0", "name": "server", "environment": "production", "nodeVersion": "v20.20.2",
                     "timestamp": "2026-11-20T23:46:54.459Z"})  # fmt: skip


@route("GET", "/ai-agent/config")
async def _config(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return _wrapped({"aichat": {}, "webapp": {}})


@route("POST", "/ai-agent/chat-client/auth/user")
async def _who(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return {"id": user, "email": "tester@example.com"}


@route("GET", "/ai-agent/chat/get-agent-prompt-suggestion")
async def _suggestions(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    if "assistant_id" not in exchange.seen.query:
        raise No(400, {"error": "assistant_id is required"})
    return {"success": True, "data": ["What can you do?", "Show my boards", "Draft an email"]}


# A message


@route("POST", "/ai-agent/v2/chat")
async def _chat(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    seen = exchange.seen
    body: Any = seen.body
    if "x-organization-id" not in seen.headers:
        raise No(401, {"message": "Missing organization ID"})
    for name, said in (
        ("id", "Chat ID is required in request body"),
        ("assistant_id", "Missing required field assistant_id"),
    ):
        if not body.get(name):
            raise No(400, {"error": said})
    if not re.fullmatch(r"[0-9a-f-]{36}", body["id"]):
        issues = [{"validation": "uuid", "code": "invalid_string", "message": "Invalid uuid", "path": []}]
        raise No(500, {"error": json.dumps(issues, indent=2)})
    if not body.get("messages"):
        raise No(500, {"error": "Cannot read properties of undefined (reading 'length')"})
    agent = next((each for each in fake.agents if each["id"] == body["assistant_id"]), None)
    if agent is None:
        raise No(500, {"error": f"Assistant not found: {body['assistant_id']}"})
    chat = fake.chats.get(body["id"])
    if chat is None:
        chat = fake.chats[body["id"]] = _new_chat(fake, body, user)
    if agent["id"] == "asst_nomodel" and not (body.get("model_id") and body.get("provider_id")):
        raise No(500, {"error": "Assistant is missing model_id/provider_id configuration"})
    if body.get("is_tool_approval"):
        return await _continued(fake, exchange, chat, body["messages"][-1])
    sent = next(each for each in body["messages"] if each["role"] == "user")
    parts = sent.get("parts") or [{"type": "text", "text": sent["content"]}]
    text = next((part["text"] for part in parts if part["type"] == "text"), "")
    chat.messages.append(_message(fake, chat, "user", parts))
    chat.row["title"] = text[:40] or "New chat"
    chat.row["status"] = "processing"
    if agent["streaming"] is False:
        return await _plain(fake, exchange, body, text)
    message = _message(fake, chat, "assistant", [])
    chunks = script.answer_to(
        text, body["id"], message["id"], thinks=agent.get("show_thinking_process", True)
    )
    if fake.speech is not None:
        chunks = list(script.spoken(list(fake.speech), message["id"]))
    answering = fake.begin(chat, chunks, message, "slow" in text)
    await _stream(exchange, answering)
    return None


async def _continued(fake: ImbraceFake, exchange: Exchange, chat: FakeChat, sent: Any) -> None:
    message = next(each for each in chat.messages if each["id"] == sent["id"])
    chunks: list[Any] = []
    for part in sent["parts"]:
        approval = part.get("approval") or {}
        kept = next(
            (each for each in message["parts"] if each.get("toolCallId") == part.get("toolCallId")), None
        )
        if part.get("state") != "approval-responded" or kept is None:
            continue
        assert kept["approval"]["id"] == approval["id"]
        kept["approval"] = approval
        chunks += script.decided(part, message["id"])
    chat.row["status"] = "processing"
    await _stream(exchange, fake.begin(chat, chunks, message, slow=False))


async def _plain(fake: ImbraceFake, exchange: Exchange, body: Any, text: str) -> Any:
    """Nothing is stored, and the chat stays in `processing`: a defect of the real server (§5)."""
    if "fail500" in text:
        raise No(500, {"error": "An error occurred while processing your request."})
    said = f"Hello from the stub model. You said: {text}" if fake.speech is None else "".join(fake.speech)
    if body.get("from-connector"):
        said = f"session_id: {body['id']}\n\n<chat_result>\n{said}\n</chat_result>"
    await exchange.send(200, {"content-type": "text/plain; charset=utf-8"}, said.encode())


async def _stream(exchange: Exchange, answering: Answering) -> None:
    """Write the answer as it is made, until it is whole or nobody listens any more."""
    leaving = asyncio.create_task(exchange.until_hung_up())
    writing = asyncio.create_task(_write(exchange, answering))
    try:
        await asyncio.wait({leaving, writing}, return_when=asyncio.FIRST_COMPLETED)
        if not writing.done():
            raise Hangup
        await writing
    finally:
        leaving.cancel()
        writing.cancel()
        await asyncio.gather(leaving, writing, return_exceptions=True)


async def _write(exchange: Exchange, answering: Answering) -> None:
    await exchange.start({**SSE, "x-accel-buffering": "no"})
    at = 0
    done = False
    while not done:
        async with answering.news:
            while not answering.done and len(answering.chunks) == at:
                await answering.news.wait()
            fresh, at = answering.chunks[at:], len(answering.chunks)
            done = answering.done
        for chunk in fresh:
            line = json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
            line = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", line)  # as JSON.stringify writes it
            await exchange.write(f"data: {line}\n\n".encode())
    await exchange.write(b"data: [DONE]\n\n")


def _new_chat(fake: ImbraceFake, body: Any, user: str) -> FakeChat:
    return FakeChat(
        {
            "id": body["id"],
            "createdAt": fake.now(),
            "title": "New chat",
            "userId": user,
            "organizationId": ORGANIZATION,
            "assistantId": body["assistant_id"],
            "visibility": "private",
            "type": "chat",
            "status": "idle",
            "lastContext": {"lastTotalTokens": None, "lastOutputTokens": "0[object Object]"},
        }
    )


def _message(fake: ImbraceFake, chat: FakeChat, role: str, parts: list[Any]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "chatId": chat.row["id"],
        "role": role,
        "parts": parts,
        "attachments": [],
        "metadata": None,
        "createdAt": fake.now(),
    }


# History


@route("GET", "/ai-agent/chat-client/chats")
async def _history(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    query = exchange.seen.query
    before, after = query.get("ending_before"), query.get("starting_after")
    if before and after:
        raise _invalid("Only one of starting_after or ending_before can be provided.")
    rows = sorted(
        (chat.row for chat in fake.chats.values() if chat.row["userId"] == user),
        key=lambda row: row["createdAt"],
        reverse=True,
    )
    limit = int(query.get("limit", "10"))
    cursor = before or after
    if cursor:
        at = next((index for index, row in enumerate(rows) if row["id"] == cursor), None)
        if at is None:
            raise No(404, {"code": "not_found:database",
                           "message": "An error occurred while executing a database query.",
                           "cause": f"Chat with id {cursor} not found"})  # fmt: skip
        rows = rows[at + 1 :] if before else rows[:at]
    return {"chats": rows[:limit], "hasMore": len(rows) > limit}


@route("POST", "/ai-agent/chat-client/chats")
async def _create(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    body: Any = exchange.seen.body
    if not {"id", "message", "selectedVisibilityType"} <= body.keys():
        raise _invalid("Invalid uuid; Required; Required")
    created = body["id"] not in fake.chats
    if created:
        chat = _new_chat(fake, {"id": body["id"], "assistant_id": body.get("assistantId")}, user)
        chat.messages.append(_message(fake, chat, "user", body["message"]["parts"]))
        fake.chats[body["id"]] = chat
    return (201 if created else 200), {"ok": True, "id": body["id"], "created": created}


@route("DELETE", "/ai-agent/chat-client/chats")
async def _delete_all(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    mine = [key for key, chat in fake.chats.items() if chat.row["userId"] == user]
    for key in mine:
        del fake.chats[key]
    return {"deletedCount": len(mine)}


@route("GET", "/ai-agent/chat-client/chats/{}")
async def _get(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return fake.chat_of(found[1], user).row


@route("PATCH", "/ai-agent/chat-client/chats/{}")
async def _patch(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    chat = fake.chat_of(found[1], user)
    chat.row.update({k: v for k, v in exchange.seen.body.items() if k in ("visibility", "assistantId")})
    return {"ok": True}


@route("DELETE", "/ai-agent/chat-client/chats/{}")
async def _delete(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    row = fake.chat_of(found[1], user).row
    del fake.chats[found[1]]
    return row


@route("GET", "/ai-agent/chat-client/chats/{}/messages")
async def _messages(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return fake.chat_of(found[1], user).messages


@route("GET", "/ai-agent/chat-client/chats/{}/status/stream")
async def _status(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    chat = fake.chat_of(found[1], user)
    await exchange.start(SSE)
    if chat.row["status"] == "processing":
        await exchange.write(b'data: {"status":"processing"}\n\n')
        await chat.changed.wait()
    await exchange.write(b'data: {"status":"idle"}\n\n')


@route("POST", "/ai-agent/chat-client/chats/{}/title")
async def _title(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    fake.chat_of(found[1], user)
    body: Any = exchange.seen.body
    if not body or "message" not in body:
        raise _invalid()
    return {"title": body["message"]["parts"][0]["text"]}


@route("POST", "/ai-agent/chat-client/messages")
async def _persist(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    message: Any = exchange.seen.body.get("message")
    if not isinstance(message, dict):
        raise _invalid("Required")
    chat = fake.chat_of(message["chatId"], user)
    chat.messages.append({**_message(fake, chat, "assistant", message["parts"]), "id": message["id"]})
    return {"ok": True, "id": message["id"]}


@route("DELETE", "/ai-agent/chat-client/messages/{}/trailing")
async def _trailing(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    for chat in fake.chats.values():
        ids = [message["id"] for message in chat.messages]
        if found[1] in ids:
            del chat.messages[ids.index(found[1]) :]
    return {"ok": True}


# Votes and documents


@route("PATCH", "/ai-agent/chat-client/votes")
async def _vote(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    body: Any = exchange.seen.body
    if not {"chatId", "messageId", "type"} <= body.keys():
        raise _invalid("Parameters chatId, messageId, and type are required.")
    fake.chat_of(body["chatId"], user).votes[body["messageId"]] = body["type"] == "up"
    return {"ok": True}


@route("GET", "/ai-agent/chat-client/chats/{}/votes")
async def _votes(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    votes = fake.chat_of(found[1], user).votes
    return [{"chatId": found[1], "messageId": key, "isUpvoted": up} for key, up in votes.items()]


@route("POST", "/ai-agent/chat-client/documents")
async def _save(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    document_id = exchange.seen.query.get("id")
    if not document_id:
        raise _invalid("Parameter id is required.")
    version = {"id": document_id, "createdAt": fake.now(), **exchange.seen.body, "userId": user}
    fake.documents.setdefault(document_id, []).append(version)
    return [version]


@route("GET", "/ai-agent/chat-client/documents/latest-by-kind")
async def _by_kind(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    kind = exchange.seen.query["kind"]
    versions = [each for document in fake.documents.values() for each in document if each["kind"] == kind]
    if not versions:
        raise No(404, {"code": "not_found:document", "message": "The requested document was not found."})
    return max(versions, key=lambda each: each["createdAt"])


@route("GET", "/ai-agent/chat-client/documents/{}/latest")
async def _latest(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    if found[1] not in fake.documents:
        raise No(404, {"code": "not_found:document", "message": "The requested document was not found."})
    return fake.documents[found[1]][-1]


@route("GET", "/ai-agent/chat-client/documents/{}")
async def _versions(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return fake.documents.get(found[1], [])


# chat-ai


@route("GET", "/v3/ai/accounts/assistants")
async def _agents(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return fake.agents


@route("GET", "/v3/ai/assistants/{}")
async def _agent(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    agent = next((each for each in fake.agents if each["id"] == found[1]), None)
    if agent is None:
        raise No(400, {"detail": "404: Assistant not found"})
    return agent


@route("GET", "/v3/marketplaces/use-cases")
async def _use_cases(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return {"data": [{"assistant_id": each["id"], "name": each["name"]} for each in fake.agents]}


@route("GET", "/v3/ai/workflow-agent/models")
async def _models(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    if "x-organization-id" not in exchange.seen.headers:
        raise No(422, {"detail": [{"msg": "Field required"}]})
    return {"success": True, "message": "Models retrieved successfully",
            "data": [{"name": "gpt-stub", "is_toolCall_available": True, "is_vision_available": False}]}  # fmt: skip


@route("POST", "/v3/ai/completions")
async def _completions(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    if not fake.completions:
        raise No(404, {"detail": "Not Found"})
    body: Any = exchange.seen.body
    said = f"{len(body['messages'])} messages, the last: {body['messages'][-1]['content']}"
    if fake.speech is not None:
        said = "".join(fake.speech)
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    head = {"id": "cmpl_1", "model": body["model"]}
    if not body["stream"]:
        message = {"role": "assistant", "content": said}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return {"success": True, "data": {**head, "choices": choices, "usage": usage}}
    await exchange.start({"content-type": "text/event-stream"})
    words = list(fake.speech) if fake.speech is not None else re.split(r"(?<= )", said)
    for number, word in enumerate(words):
        last = number == len(words) - 1
        delta = {"content": word, **({"role": "assistant"} if not number else {})}
        chunk: Any = {
            **head,
            "choices": [{"index": 0, "delta": delta, "finish_reason": "stop" if last else None}],
        }
        await exchange.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await exchange.write(
        f"data: {json.dumps({**head, 'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode()
    )
    return None


@route("GET", "/v3/ai/rag/files")
async def _files(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    agent = exchange.seen.query.get("assistant_id")
    return [each for each in fake.knowledge.values() if not agent or each["assistant_id"] == agent]


@route("POST", "/v3/ai/rag/files")
async def _add_file(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    fields, name, content = _form(fake, exchange.seen)
    if not content:
        raise No(400, {"detail": "Empty file content"})
    row = {
        "id": uuid.uuid4().hex,
        "bytes": len(content),
        "filename": name,
        "assistant_id": fields.get("assistant_id", ""),
        "created_at": fake.now(),
        "board_id": "",
    }
    fake.knowledge[row["id"]] = row
    return row


@route("DELETE", "/v3/ai/rag/files/{}")
async def _drop_file(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    if fake.knowledge.pop(found[1], None) is None:
        raise No(404, {"detail": "Requested file not found"})
    return {"deleted": True, "id": found[1]}


@route("POST", "/v3/ai/files/(?:agent|extract)")
async def _other_file(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    _, name, content = _form(fake, exchange.seen)
    if exchange.seen.path.endswith("extract"):
        return {
            "message": "File extracted successfully",
            "result": {"text": content.decode("utf-8", "replace")},
        }
    return {"message": "File uploaded successfully", "result": {"filename": name}}


@route("POST", "/data-board/boards/upload")
async def _upload(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    _, name, content = _form(fake, exchange.seen)
    if b"EVIL" in content:
        return [{"error": "This file is not allowed"}]
    return [{"url": f"https://files.example.com/{uuid.uuid4().hex}/{name}"}]


def _form(fake: ImbraceFake, seen: Seen) -> tuple[dict[str, str], str, bytes]:
    head = f"content-type: {seen.headers['content-type']}\r\n\r\n".encode()
    fields: dict[str, str] = {}
    name, content = "", b""
    for part in BytesParser(policy=HTTP).parsebytes(head + seen.body).iter_parts():
        payload: Any = part.get_payload(decode=True)
        field_name = str(part.get_param("name", header="content-disposition"))
        if part.get_filename() is None:
            fields[field_name] = payload.decode()
        else:
            assert field_name == "file"
            name, content = str(part.get_filename()), payload
    fake.uploads.append((fields, name, content))
    return fields, name, content


# Signing in


@route("POST", "/platform/v1/login/_signin_email_request")
async def _send_code(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    fake.codes[exchange.seen.body["email"]] = CODE
    return {"success": True}


@route("POST", "/platform/v1/login/authenticate")
async def _authenticate(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    body: Any = exchange.seen.body
    by_code = body.get("otp") is not None and fake.codes.pop(body["email"], None) == body["otp"]
    if not by_code and body.get("password") != PASSWORD:
        raise No(401, {"message": "Invalid email or password"})
    token = f"login_acc_{uuid.uuid4().hex}"
    fake.login_tokens.add(token)
    return {"accessToken": token, "organizations": _ORGANIZATIONS}


_ORGANIZATIONS = [{"id": ORGANIZATION, "name": "Acme"}, {"_id": OTHER_ORGANIZATION, "name": "Umbrella"}]


@route("GET", "/platform/v1/organizations")
async def _organizations(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    return {"data": _ORGANIZATIONS, "pagination": {"total": 2}}


@route("POST", "/platform/v1/access/_exchange_access_token")
async def _exchange(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    if exchange.seen.body["organization_id"] not in (ORGANIZATION, OTHER_ORGANIZATION):
        raise No(403, {"message": "You are not a member of this organization"})
    token = f"acc_{uuid.uuid4().hex}"
    fake.credentials[token] = USER
    return {"token": token}


@route("POST", "/v1/platform/third_party_token")
async def _key(fake: ImbraceFake, exchange: Exchange, found: Any, user: str) -> Any:
    key = f"api_{uuid.uuid4().hex}"
    fake.credentials[key] = user
    days = exchange.seen.body["expirationDays"]
    return {"apiKey": {"_id": "k1", "token": key, "organization_id": ORGANIZATION, "is_active": True,
                       "expired_at": "2026-12-01T00:00:00.000Z"}, "expires_in": days * 86400}  # fmt: skip
