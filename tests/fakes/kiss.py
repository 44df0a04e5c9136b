"""A KISS AI Stack server on loopback, from the checklist of its protocol page (§13).

`test_the_fake_is_like_the_recorded_server` holds it against the captures of the real one.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.backends.kai_server import Exchange, Gate, Handler, Hangup, KaiServer, Seen, answer

INVALID_TOKEN = "Invalid token"
NO_HEADER = "Authorization header missing"
NO_SESSION = "Invalid or inactive session"
WRONG_SECRET = "Invalid client_id or client_secret"
NEITHER = "Value error, Either `scope` or both `client_id` and `client_secret` must be provided."
HALF = "Invalid session request."
TEXT_TYPES = (".txt", ".md", ".csv", ".html", ".json", ".xlsx", ".pdf")


@dataclass
class Client:
    """A client the server knows."""

    client_id: str
    secret: str
    scope: str
    active: bool = True
    started: bool = False
    documents: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """File name, text, metadata."""


class FakeKiss(KaiServer):
    """One stack: remembers clients, tokens and documents, and forgets stacks on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, str] = {}
        """Valid tokens and whose they are; take one out and it has expired."""
        self.model_fails = False
        self.gates: dict[str, Gate] = {}
        """Queries that wait before they are answered."""
        self.answers: dict[str, Any] = {}
        """Results of certain queries."""
        self.speech: str | None = None
        """What is said whatever is asked."""
        self.begun: list[str] = []
        """Queries that reached the model."""

    # What tests do to it

    def restart(self) -> None:
        """Stacks are in memory, clients in a database (§3)."""
        for client in self.clients.values():
            client.started = False

    def expire_tokens(self) -> None:
        self.tokens.clear()

    def only_client(self) -> Client:
        (found,) = self.clients.values()
        return found

    def new_client(self, scope: str = "persistent") -> tuple[Client, str]:
        """A client and a token for it, as `/auth` gives them out."""
        client = Client(str(uuid.uuid4()), secrets.token_urlsafe(32), scope)
        self.clients[client.client_id] = client
        return client, self.new_token(client)

    def new_token(self, client: Client) -> str:
        claims = json.dumps(
            {"sub": client.client_id, "scope": client.scope, "n": secrets.token_hex(4)}
        ).encode()
        body = base64.urlsafe_b64encode(claims).decode().rstrip("=")
        token = f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{body}.{secrets.token_urlsafe(24)}"
        self.tokens[token] = client.client_id
        return token

    # What it does

    def otherwise(self, seen: Seen) -> Handler:
        return self._auth(seen) if seen.path == "/auth" else self._guarded(seen)

    def _auth(self, seen: Seen) -> Handler:
        if seen.method != "POST":
            return detail(405, "Method Not Allowed")
        if not isinstance(seen.body, dict):
            return missing("body")
        scope, client_id, secret = (seen.body.get(name) for name in ("scope", "client_id", "client_secret"))
        if scope not in (None, "temporary", "persistent"):
            expected = "'temporary' or 'persistent'"
            return answer(422, {"detail": [{
                "type": "enum", "loc": ["body", "scope"], "msg": f"Input should be {expected}", "input": scope,
                "ctx": {"expected": expected},
            }]})  # fmt: skip
        if client_id and secret:
            client = self.clients.get(client_id)
            if client is None or not client.active:
                return detail(401, NO_SESSION)
            if secret != client.secret:
                return detail(401, WRONG_SECRET)
            token = self.new_token(client)
        elif scope is None:
            return detail(401, NEITHER)
        elif client_id or secret:
            return detail(400, HALF)
        else:
            client, token = self.new_client(scope)
        return answer(
            200, {"client_id": client.client_id, "client_secret": client.secret, "access_token": token}
        )

    def _guarded(self, seen: Seen) -> Handler:
        scheme, _, token = seen.headers.get("authorization", "").partition(" ")
        if not scheme:
            return detail(401, NO_HEADER)
        client = self.clients.get(self.tokens.get(token, ""))
        if client is None:
            return detail(401, INVALID_TOKEN)
        if not client.active:
            return detail(401, NO_SESSION)
        routes = {"/sessions": self._sessions, "/queries": self._queries, "/documents": self._documents}
        route = routes.get(seen.path) if seen.method == "POST" else None
        return route(client, seen) if route is not None else detail(404, "Not Found")

    def _sessions(self, client: Client, seen: Seen) -> Handler:
        action = seen.query.get("action")
        if action is None:
            return missing("query", "action")
        if not isinstance(seen.body, dict):
            return missing("body")
        if action == "init":
            client.started = True
            return said(client, "Greetings!")
        if action == "close":
            if not client.started:
                return broken
            client.started = False
            if client.scope == "temporary":
                client.active = False
                client.documents.clear()
            return said(client, "Good bye!")
        return detail(400, f"Invalid action: {action}")

    def _queries(self, client: Client, seen: Seen) -> Handler:
        if not isinstance(seen.body, dict):
            return missing("body")
        query = seen.body.get("query", "Greetings")
        if not isinstance(query, str):
            return answer(422, {"detail": [{
                "type": "string_type", "loc": ["body", "query"], "msg": "Input should be a valid string",
                "input": query,
            }]})  # fmt: skip
        if not client.started or self.model_fails or "UNKNOWNTOOL" in query or "fail401" in query:
            return broken
        found = client.documents if "document" in query else []
        extras = {
            "query": query,
            "metadata": [[_note(name, metadata) for name, _, metadata in found]] if found else None,
            "distances": None,
            "supporting_documents": [[text for _, text, _ in found]] if found else None,
        }
        result = self.answers.get(query, f"Hello from the stub model. You said: {query}")
        result = result if self.speech is None else self.speech

        async def thinks(exchange: Exchange) -> None:
            self.begun.append(query)
            if query in self.gates:
                await self.gates[query].wait()
            await said(client, result, extras)(exchange)

        return thinks

    def _documents(self, client: Client, seen: Seen) -> Handler:
        if not isinstance(seen.body, dict) or "files" not in seen.body:
            return missing("body", "files")
        try:
            if not client.started:
                raise LookupError("every exception is swallowed")
            ids: list[str] = []
            for file in seen.body["files"]:
                content = base64.b64decode(file["content"], validate=True)
                if not file["name"].endswith(TEXT_TYPES):
                    raise ValueError("unsupported")
                ids.append(str(len(client.documents)))
                text = content.decode("utf-8", "replace")
                client.documents.append((file["name"], text, seen.body.get("metadata") or {}))
        except (LookupError, ValueError, binascii.Error):
            return said(client, "Files stored")
        return said(client, "Files stored", {"document_tool": ids} if ids else None)


def _note(name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    fixed = {
        "end_token": 5,
        "file_name": name,
        "file_path": f"/tmp/x/{name}",
        "start_token": 0,
        "total_tokens": 5,
    }
    return {**metadata, **fixed}


def said(client: Client, result: Any, extras: Any = None) -> Handler:
    return answer(200, {"stack_id": client.client_id, "result": result, "extras": extras})


def detail(status: int, text: str) -> Handler:
    return answer(status, {"detail": text})


def missing(*where: str) -> Handler:
    fault = {"type": "missing", "loc": list(where), "msg": "Field required", "input": None}
    return answer(422, {"detail": [fault]})


async def broken(exchange: Exchange) -> None:
    """500 as plain text, and the connection is dropped without a word (§6)."""
    await exchange.send(500, {"content-type": "text/plain; charset=utf-8"}, b"Internal Server Error")
    raise Hangup
