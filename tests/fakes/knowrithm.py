"""A Knowrithm server on loopback, from the checklist of its protocol page (§14).

Nobody has the real one's code; `test_vendor_client.py` lets the vendor's own Python client judge this one.
Switches choose between the shapes the sources disagree about.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Literal

from tests.backends.kai_server import SSE, Exchange, Gate, Handler, Hangup, KaiServer, Seen, answer

KEY, SECRET = "kn-key-canary-1", "kn-secret-canary-1"
EMAIL, PASSWORD = "ada@example.com", "pass-canary-1"
ANSWER = "Hello! [Source 1]"
SOURCES = [
    {
        "source_number": 1,
        "document_name": "Knowledge Base.pdf",
        "url": "https://docs.example/kb",
        "cited": True,
    }
]
METADATA = {
    "cited_sources": [1],
    "all_sources": ["Document Source 1: Knowledge Base.pdf (https://docs.example/kb)"],
}

Body = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@dataclass
class Task:
    """Work in the background: a few looks say that it goes on, then how it ended."""

    outcome: Callable[[], Any]
    """What it comes to, None while it goes on; a BaseException for a bad end."""
    looks: int = 2
    seen: int = 0


@dataclass
class Conversation:
    id: str
    title: str
    agent_id: str
    status: str = "active"
    messages: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0


class FakeKnowrithm(KaiServer):
    """One company: two agents, conversations, documents, websites."""

    def __init__(self) -> None:
        super().__init__()
        self.acks: Literal["task", "messages", "sync", "bare"] = "messages"
        """What a message is answered with. `bare`: an acknowledgement that names nothing to ask."""
        self.events: Literal["chat", "plain", "default"] = "chat"
        """Names of the events of the stream."""
        self.stream_status = 200
        self.named_stream: str | None = None
        """A stream address to name in acknowledgements."""
        self.noise = True
        """Comments, heartbeats, another conversation's events, data on several lines."""
        self.results_as_text = False
        self.list_key: str | None = None
        """Instead of each list's own name."""
        self.hints: dict[str, Any] = {"retry_after_ms": 20}
        self.writes_are_tasks = False
        self.per_page_limit = 100
        self.newest_first = False
        self.think: Gate | None = None
        """The agent waits here before it answers."""
        self.answer_text: Any = ANSWER
        self.refresh_as_task = False
        self.tasks_are_open = True
        """The vendor's command line asks for tasks without credentials (§4)."""
        self.key = (KEY, SECRET)
        self.validate_status = 200
        self.locked = False
        self.echo_ids = True
        """Whether acknowledgements name the stored message."""
        self.agents = [
            {"id": "a-1", "name": "Support", "status": "active", "description": "Helps", "model_name": "m-1"},
            {"id": "a-2", "name": "Old", "status": "inactive"},
        ]
        self.conversations: dict[str, Conversation] = {}
        self.documents: list[dict[str, Any]] = []
        self.websites: list[dict[str, Any]] = []
        self.tasks: dict[str, Task] = {}
        self.access_tokens: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.subscribers: dict[str, list[asyncio.Queue[bytes]]] = {}
        self.clock = 0
        self._working: set[asyncio.Task[None]] = set()

    @property
    def base(self) -> str:
        return f"{self.url}/api"

    async def __aexit__(self, *rest: object) -> None:
        for task in list(self._working):
            task.cancel()
        await super().__aexit__(*rest)

    # What tests do to it

    def new_login(self) -> dict[str, str]:
        tokens = {"access_token": f"eyJ.{uuid.uuid4().hex}", "refresh_token": f"rt.{uuid.uuid4().hex}"}
        self.access_tokens.add(tokens["access_token"])
        self.refresh_tokens.add(tokens["refresh_token"])
        return tokens

    def conversation(self, title: str = "Earlier", messages: int = 0) -> Conversation:
        """One that is there already, with so many messages."""
        found = Conversation(str(uuid.uuid4()), title, "a-1", number=len(self.conversations))
        self.conversations[found.id] = found
        for number in range(messages):
            self.add(found, "assistant" if number % 2 else "user", f"Message {number}")
        return found

    def add(self, conversation: Conversation, role: str, content: Any, **more: Any) -> dict[str, Any]:
        self.clock += 1
        minutes, seconds = divmod(self.clock, 60)
        message = {
            "id": str(uuid.uuid4()), "role": role, "content": content, "content_type": "text",
            "created_at": f"2026-11-03T10:{minutes:02}:{seconds:02}Z", **more,
        }  # fmt: skip
        conversation.messages.append(message)
        return message

    def publish(self, conversation_id: str, *blocks: bytes) -> None:
        for queue in self.subscribers.get(conversation_id, []):
            for block in blocks:
                queue.put_nowait(block)

    def posts(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == "POST" and seen.path.endswith("/chat")]

    # Routing

    def otherwise(self, seen: Seen) -> Handler:
        if seen.path in ("/api/health", "/api/v1/health"):
            return answer(200, {"status": "healthy", "version": "2.1.0", "services": {"db": "up"},
                                "timestamp": "2026-11-03T10:00:00Z"})  # fmt: skip
        if not seen.path.startswith("/api/v1/"):
            return answer(404, b"<!doctype html><title>404 Not Found</title>", {"content-type": "text/html"})
        path = seen.path.removeprefix("/api/v1")
        if path == "/auth/login":
            return self._login(seen)
        if path == "/auth/refresh":
            return self._refresh(seen)
        open_to_all = path.startswith("/tasks/") and self.tasks_are_open
        refused = None if open_to_all else self._refused(seen)
        if refused is not None:
            return refused
        for method, pattern, route in self._table():
            match = re.fullmatch(pattern, path)
            if match is not None and method == seen.method:
                return route(seen, *match.groups())
        return answer(404, b"<!doctype html><title>404 Not Found</title>", {"content-type": "text/html"})

    def _table(self) -> list[tuple[str, str, Callable[..., Handler]]]:
        one = "([^/]+)"
        return [
            ("GET", "/auth/validate", self._validate),
            ("GET", "/auth/user/me", self._me),
            ("POST", "/auth/logout", lambda seen: answer(200, {"message": "bye"})),
            ("GET", "/agent", lambda seen: self._list(seen, "agents", self.agents)),
            ("GET", f"/agent/by-name/{one}", self._agent_by_name),
            ("GET", f"/agent/{one}", self._agent),
            ("POST", "/conversation", self._create),
            ("GET", "/conversation", self._conversations),
            ("GET", "/conversation/entity", self._conversations),
            ("GET", "/conversation/deleted", self._deleted),
            ("GET", f"/conversation/{one}/messages", self._messages),
            ("GET", f"/conversation/{one}/messages/stream", self._stream),
            ("GET", f"/elsewhere/{one}", self._stream),
            ("POST", f"/conversation/{one}/chat", self._chat),
            ("DELETE", f"/conversation/{one}/messages", self._clear),
            ("DELETE", f"/conversation/{one}", self._delete),
            ("PATCH", f"/conversation/{one}/restore", self._restore),
            ("DELETE", f"/message/{one}", self._delete_message),
            ("GET", f"/tasks/{one}/status", self._task),
            ("POST", "/document/upload", self._upload),
            ("GET", "/document", lambda seen: self._list(seen, "document", self._alive(self.documents))),
            ("GET", f"/document/agent/{one}", self._documents_of),
            ("DELETE", f"/document/{one}", self._delete_document),
            ("PATCH", f"/document/{one}/restore", self._restore_document),
            ("POST", "/website/source", self._add_website),
            ("GET", "/website/source", self._websites),
            ("GET", f"/website/source/{one}/pages", self._pages),
            ("POST", f"/sdk/website/source/{one}/crawl", self._crawl),
            ("DELETE", f"/sdk/website/source/{one}", self._delete_website),
        ]

    # Who asks

    def _refused(self, seen: Seen) -> Handler | None:
        headers = seen.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        by_key = (headers.get("x-api-key"), headers.get("x-api-secret")) == self.key
        if self.locked and (by_key or bearer):
            return answer(423, {"error": "Account locked", "code": "AUTH_423"})
        if by_key or bearer in self.access_tokens:
            return None
        return answer(401, {"error": "Invalid credentials", "code": "AUTH_001"})

    def _login(self, seen: Seen) -> Handler:
        if self.locked:
            return answer(423, {"error": "Account locked"})
        if not isinstance(seen.body, dict) or not seen.body.get("email"):
            return answer(400, {"error": "email and password are required"})
        good = (seen.body.get("email"), seen.body.get("password")) == (EMAIL, PASSWORD)
        return self._later(
            lambda: {"tokens": self.new_login()} if good else ValueError("Invalid email or password")
        )

    def _refresh(self, seen: Seen) -> Handler:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.refresh_tokens or (seen.body or {}).get("refresh_token", token) != token:
            return answer(401, {"error": "Token has expired", "code": "AUTH_002"})
        if self.refresh_as_task:
            # The task is asked for with the refresh token, which has to do.
            self.access_tokens.add(token)
            return self._later(lambda: {"access_token": self.new_login()["access_token"]})
        return answer(200, {"data": self.new_login()})

    def _validate(self, seen: Seen) -> Handler:
        if self.validate_status != 200:
            return answer(self.validate_status, {"error": "JWT required"})
        info = {"name": "tui", "scopes": ["read", "write"], "status": "active", "rate_limit_per_hour": 1000}
        return answer(
            200, {"valid": True, "user": {"email": EMAIL}, "company": {"name": "Acme"}, "api_key_info": info}
        )

    def _me(self, seen: Seen) -> Handler:
        return answer(200, {"user": {"email": EMAIL, "first_name": "Ada"}, "company": {"name": "Acme"}})

    # Tasks

    def _later(self, outcome: Callable[[], Any], **more: Any) -> Handler:
        task_id = str(uuid.uuid4())
        self.tasks[task_id] = Task(outcome)
        return answer(202, {
            "status": "accepted", "task_id": task_id, "status_url": f"/v1/tasks/{task_id}/status",
            "message": "Request accepted and queued for processing.", "retry_after_ms": 20, **more,
        })  # fmt: skip

    def _written(self, outcome: Any, status: int = 200) -> Handler:
        """A write: done at once, or later."""
        return self._later(lambda: outcome) if self.writes_are_tasks else answer(status, outcome)

    def _task(self, seen: Seen, task_id: str) -> Handler:
        task = self.tasks.get(task_id)
        if task is None:
            return answer(404, {"detail": "No such task"})
        task.seen += 1
        outcome = task.outcome() if task.seen > task.looks else None
        if outcome is None:
            status = "pending" if task.seen == 1 else "started"
            return answer(
                200, {"task_id": task_id, "status": status, "progress": 10 * task.seen, "meta": self.hints}
            )
        if isinstance(outcome, BaseException):
            error = {"message": str(outcome), "code": "TASK_1"}
            return answer(200, {"task_id": task_id, "status": "failed", "error": error})
        result = json.dumps(outcome) if self.results_as_text else outcome
        return answer(200, {"task_id": task_id, "status": "completed", "progress": 100, "result": result})

    # Conversations

    def _list(self, seen: Seen, name: str, rows: list[dict[str, Any]]) -> Handler:
        page = int(seen.query.get("page", "1"))
        per_page = min(int(seen.query.get("per_page", "20")), self.per_page_limit)
        pages = max(1, -(-len(rows) // per_page))
        return answer(200, {
            self.list_key or name: rows[(page - 1) * per_page : page * per_page],
            "pagination": {"page": page, "per_page": per_page, "total": len(rows), "pages": pages,
                           "has_next": page < pages, "has_prev": page > 1},
        })  # fmt: skip

    def _row(self, each: Conversation) -> dict[str, Any]:
        moment = f"2026-11-02T10:{each.number:02}:00Z"
        return {
            "id": each.id, "title": each.title, "status": each.status, "agent": {"id": each.agent_id},
            "message_count": len(each.messages), "created_at": moment, "last_activity": moment, "metadata": {},
        }  # fmt: skip

    def _conversations(self, seen: Seen) -> Handler:
        rows = [self._row(each) for each in reversed(self.conversations.values()) if each.status != "deleted"]
        return self._list(seen, "conversations", rows)

    def _deleted(self, seen: Seen) -> Handler:
        rows = [self._row(each) for each in self.conversations.values() if each.status == "deleted"]
        return self._list(seen, "conversations", rows)

    def _create(self, seen: Seen) -> Handler:
        if not any(agent["id"] == seen.body.get("agent_id") for agent in self.agents):
            return answer(404, {"error": "Agent not found", "code": "AGENT_404"})
        made = self.conversation(seen.body.get("title") or "New Conversation")
        made.agent_id = seen.body["agent_id"]
        return self._written({"conversation": self._row(made)}, 201)

    def _found(self, conversation_id: str) -> Conversation | None:
        found = self.conversations.get(conversation_id)
        return found if found is not None and found.status != "deleted" else None

    def _missing(self) -> Handler:
        return answer(404, {"error": "Conversation not found", "code": "CONV_404", "details": {}})

    def _messages(self, seen: Seen, conversation_id: str) -> Handler:
        found = self._found(conversation_id)
        if found is None:
            return self._missing()
        return self._list(seen, "messages", found.messages[::-1] if self.newest_first else found.messages)

    def _delete(self, seen: Seen, conversation_id: str) -> Handler:
        found = self._found(conversation_id)
        if found is None:
            return self._missing()
        found.status = "deleted"
        return self._written({
            "message": "deleted", "conversation_id": found.id, "deleted_messages_count": len(found.messages)
        })  # fmt: skip

    def _restore(self, seen: Seen, conversation_id: str) -> Handler:
        found = self.conversations.get(conversation_id)
        if found is None:
            return self._missing()
        found.status = "active"
        return self._written({"message": "restored"})

    def _clear(self, seen: Seen, conversation_id: str) -> Handler:
        found = self._found(conversation_id)
        if found is None:
            return self._missing()
        found.messages.clear()
        return self._written({"message": "cleared"})

    def _delete_message(self, seen: Seen, message_id: str) -> Handler:
        for each in self.conversations.values():
            for message in each.messages:
                if message["id"] == message_id:
                    each.messages.remove(message)
                    return self._written({"message": "deleted"})
        return self._missing()

    # Asking

    def _chat(self, seen: Seen, conversation_id: str) -> Handler:
        found = self._found(conversation_id)
        if found is None:
            return self._missing()
        text = seen.body["message"]
        asked = self.add(found, "user", text)
        if self.acks == "sync":
            self._reply(found, asked, text)
            return answer(200, {"messages": found.messages[-4:]})
        task_id = str(uuid.uuid4())
        outcomes: list[Any] = []
        self.tasks[task_id] = Task(lambda: outcomes[0] if outcomes else None)
        working = asyncio.create_task(self._work(found, asked, text, task_id, outcomes))
        self._working.add(working)
        working.add_done_callback(self._working.discard)
        ack: dict[str, Any] = {"status": "queued", "task_id": task_id, "conversation_id": found.id}
        if self.echo_ids:
            ack["message_id"] = asked["id"]
        if self.acks == "messages":
            ack["poll_url"] = f"/v1/conversation/{found.id}/messages"
        elif self.acks == "task":
            ack |= {"status": "accepted", "status_url": f"{self.url}/api/v1/tasks/{task_id}/status"}
        else:
            ack = {"status": "ok", "message": "Message accepted"}
        if self.named_stream is not None:
            ack["stream_url"] = self.named_stream.format(id=found.id)
        return answer(202, ack)

    async def _work(
        self, found: Conversation, asked: dict[str, Any], text: str, task_id: str, outcomes: list[Any]
    ) -> None:
        common = {"conversation_id": found.id, "message_id": asked["id"], "task_id": task_id}
        self._tell(found.id, {"chat": "chat_status", "plain": "queued"}, {**common, "status": "queued"})
        if self.think is not None:
            await self.think.wait()
        self._tell(
            found.id, {"chat": "chat_status", "plain": "in_progress"}, {**common, "status": "in_progress"}
        )
        if "fail" in text:
            outcomes.append(RuntimeError("The model is overloaded"))
            failed = {"conversation_id": found.id, "status": "failed", "error": "The model is overloaded"}
            self._tell(found.id, {"chat": "chat_response", "plain": "failed"}, failed)
            return
        reply = self._reply(found, asked, text)
        outcomes.append({"message": "done"})
        said = {"conversation_id": found.id, "status": "completed", "message": reply}
        self._tell(found.id, {"chat": "chat_response", "plain": "completed"}, said)

    def _reply(self, found: Conversation, asked: dict[str, Any], text: str) -> dict[str, Any]:
        said = f"{self.answer_text} You said: {text}" if self.answer_text == ANSWER else self.answer_text
        return self.add(
            found, "assistant", said, sources=SOURCES, metadata=METADATA, tokens_used=42, model_used="m-1",
            processing_time=0.5, confidence_score=0.9,
        )  # fmt: skip

    def _tell(self, conversation_id: str, names: dict[str, str], payload: dict[str, Any]) -> None:
        name = names.get(self.events, "message")
        if self.noise:
            other = {
                **payload,
                "conversation_id": "another",
                "message": {"role": "assistant", "content": "WRONG"},
            }
            self.publish(
                conversation_id,
                b": keep-alive\n\n",
                sse("heartbeat", {"time": 1}),
                sse(name, other),
                sse(name, payload, lines=3),
            )
        else:
            self.publish(conversation_id, sse(name, payload))

    def _stream(self, seen: Seen, conversation_id: str) -> Handler:
        if self.stream_status != 200 and not seen.path.startswith("/api/v1/elsewhere"):
            return answer(self.stream_status, {"error": "Streaming is disabled", "code": "SSE_OFF"})

        async def listens(exchange: Exchange) -> None:
            queue: asyncio.Queue[bytes] = asyncio.Queue()
            self.subscribers.setdefault(conversation_id, []).append(queue)
            await exchange.start(SSE)
            gone = asyncio.create_task(exchange.until_hung_up())
            block: asyncio.Task[bytes] | None = None
            try:
                while not gone.done():
                    block = asyncio.create_task(queue.get())
                    await asyncio.wait({gone, block}, return_when=asyncio.FIRST_COMPLETED)
                    if not block.done():
                        break
                    if block.result() == b"":
                        return  # the end of the stream, on a test's demand
                    await exchange.write(block.result())
            finally:
                gone.cancel()
                if block is not None:
                    block.cancel()
                self.subscribers[conversation_id].remove(queue)
            raise Hangup

        return listens

    # Agents, documents, websites

    def _agent(self, seen: Seen, agent_id: str) -> Handler:
        found = next((each for each in self.agents if each["id"] == agent_id), None)
        return answer(200, {"agent": found}) if found else answer(404, {"message": "Agent not found"})

    def _agent_by_name(self, seen: Seen, name: str) -> Handler:
        from urllib.parse import unquote

        found = next((each for each in self.agents if each["name"] == unquote(name)), None)
        return answer(200, {"agent": found}) if found else answer(404, {"message": "Agent not found"})

    def _alive(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{key: row[key] for key in row if key != "deleted"} for row in rows if not row.get("deleted")]

    def _upload(self, seen: Seen) -> Handler:
        if isinstance(seen.body, dict):
            names, agent = [(url, b"") for url in seen.body.get("urls", [])], seen.body.get("agent_id")
        else:
            head = f"content-type: {seen.headers['content-type']}\r\n\r\n".encode()
            parts = list(BytesParser(policy=HTTP).parsebytes(head + seen.body).iter_parts())
            fields = {part.get_param("name", header="content-disposition"): part for part in parts}
            agent = fields["agent_id"].get_payload().strip()
            names = [
                (part.get_filename(), part.get_payload(decode=True))
                for part in parts
                if part.get_param("name", header="content-disposition") == "files"
            ]
        made = [self._document(name, content, agent) for name, content in names if not name.endswith(".exe")]
        errors = [{"file": name, "error": "Unsupported type"} for name, _ in names if name.endswith(".exe")]
        report = {
            "success": bool(made), "documents": made, "documents_processed": len(made),
            "documents_failed": len(errors), "task_ids": [], "errors": errors, "errors_count": len(errors),
        }  # fmt: skip
        if not names:
            return answer(
                400, {"error": "Validation failed", "code": "DOC_001", "details": {"files": ["Missing"]}}
            )
        if self.writes_are_tasks:
            return self._later(lambda: {"ok": True})
        return answer(207 if errors else 200, report)

    def _document(self, name: str, content: bytes, agent_id: str) -> dict[str, Any]:
        made = {
            "id": f"d-{len(self.documents) + 1}", "original_filename": name, "status": "pending",
            "processing_error": None, "document_type": name.rpartition(".")[2], "file_size": len(content),
            "agent_id": agent_id, "created_at": "2026-11-03T10:00:00Z",
        }  # fmt: skip
        self.documents.append(made)
        return dict(made)

    def _documents_of(self, seen: Seen, agent_id: str) -> Handler:
        return self._list(
            seen, "document", [row for row in self._alive(self.documents) if row["agent_id"] == agent_id]
        )

    def _delete_document(self, seen: Seen, document_id: str) -> Handler:
        return self._mark(document_id, True)

    def _restore_document(self, seen: Seen, document_id: str) -> Handler:
        return self._mark(document_id, False)

    def _mark(self, document_id: str, deleted: bool) -> Handler:
        for row in self.documents:
            if row["id"] == document_id:
                row["deleted"] = deleted
                return self._written({"message": "ok", "document_id": document_id, "deleted_chunks_count": 3})
        return answer(404, {"detail": "Document not found"})

    def _add_website(self, seen: Seen) -> Handler:
        made = {
            **seen.body,
            "id": f"w-{len(self.websites) + 1}",
            "last_crawl_status": "active",
            "is_active": True,
        }
        self.websites.append(made)
        return self._written({"website_source": made}, 201)

    def _websites(self, seen: Seen) -> Handler:
        wanted = seen.query.get("agent_id")
        rows = [row for row in self.websites if wanted in (None, row["agent_id"])]
        return answer(200, {"website_sources": rows})

    def _pages(self, seen: Seen, website_id: str) -> Handler:
        page = {
            "id": "p-1",
            "canonical_url": "https://docs.example/a",
            "title": "A",
            "last_crawl_status": "crawled",
        }
        return answer(200, {"website_source": {"id": website_id}, "pages": [page]})

    def _crawl(self, seen: Seen, website_id: str) -> Handler:
        if not any(row["id"] == website_id for row in self.websites):
            return answer(404, {"error": "Website not found"})
        return self._later(lambda: {"pages": 1}, website_source_id=website_id)

    def _delete_website(self, seen: Seen, website_id: str) -> Handler:
        before = len(self.websites)
        self.websites = [row for row in self.websites if row["id"] != website_id]
        if len(self.websites) == before:
            return answer(404, {"error": "Website not found"})
        return self._written({"message": "removed"})


def sse(name: str, payload: Any, *, lines: int = 1) -> bytes:
    """One event; its data over several lines when asked for, as JSON may be."""
    text = json.dumps(payload) if lines == 1 else json.dumps(payload, indent=1)
    data = "".join(f"data: {line}\n" for line in text.split("\n"))
    head = "" if name == "message" else f"event: {name}\n"
    return f"{head}id: {uuid.uuid4().hex[:6]}\n{data}\n".encode()
