"""The fake against the real server's captures, and against what the official client sent it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.kiss import FakeKiss
from tests.fixture_cases import FIXTURES

CAPTURES = FIXTURES / "kiss-ai-stack"
EXACT = {"detail", "Greetings!", "Good bye!", "Files stored"}


@pytest.fixture
async def server() -> AsyncIterator[FakeKiss]:
    async with FakeKiss() as running:
        yield running


def captures() -> list[Path]:
    return sorted(CAPTURES.glob("[0-9]*.json"))


def shape(value: Any) -> Any:
    """What has to be equal: names, kinds, refusals word for word; answers of a model may differ."""
    if isinstance(value, dict):
        return {key: item if key == "detail" else shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    if isinstance(value, str):
        return value if value in EXACT else "text"
    return type(value).__name__


def client_of(token: str) -> str:
    body = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"])


class Stand:
    """Replays captures on the fake: its ids, secrets and tokens stand for the recorded ones."""

    def __init__(self, server: FakeKiss) -> None:
        self.server = server
        self.live: dict[str, str] = {}
        self.secrets: dict[str, str] = {}

    def token(self, recorded: str) -> str:
        try:
            owner = client_of(recorded)
        except (ValueError, IndexError):
            return recorded
        if owner not in self.live:
            client, _ = self.server.new_client()
            self.live[owner] = client.client_id
        return self.server.new_token(self.server.clients[self.live[owner]])

    async def replay(self, http: httpx.AsyncClient, path: Path) -> httpx.Response:
        recorded = json.loads(path.read_text())["request"]
        headers = dict(recorded["headers"])
        if "Authorization" in headers:
            token = self.token(headers["Authorization"].removeprefix("Bearer "))
            if "expired" in path.name:
                token = "gone"
            headers["Authorization"] = f"Bearer {token}"
        body = recorded["body"]
        if isinstance(body, dict) and body.get("client_id"):
            body = {**body, "client_id": self.live[body["client_id"]]}
            body["client_secret"] = self.secrets.get(body["client_secret"], body["client_secret"])
        return await http.request(recorded["method"], recorded["path"], headers=headers, json=body)

    def learn(self, recorded: Any, live: Any) -> None:
        if isinstance(recorded, dict) and "client_secret" in recorded:
            self.live[recorded["client_id"]] = live["client_id"]
            self.secrets[recorded["client_secret"]] = live["client_secret"]


async def test_the_fake_is_like_the_recorded_server(server: FakeKiss):
    stand = Stand(server)
    seen = 0
    for path in captures():
        expected = json.loads(path.read_text())["response"]
        body = path.with_suffix(".body").read_bytes()
        if path.name.startswith("24-"):
            for client in server.clients.values():
                client.started = True
        if path.name.startswith(("25-", "29-")):
            server.restart()
        async with httpx.AsyncClient(base_url=server.url) as http:
            found = await stand.replay(http, path)
        assert found.status_code == expected["status"], path.name
        kind = dict(expected["headers"])["content-type"]
        assert found.headers["content-type"] == kind, path.name
        if kind == "application/json":
            stand.learn(json.loads(body), found.json())
            assert shape(found.json()) == shape(json.loads(body)), path.name
        else:
            assert found.content == body
        seen += 1
    assert seen == 29


async def test_a_500_drops_the_connection_without_announcing_it(server: FakeKiss):
    _, token = server.new_client()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /queries HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + token.encode()
        + b"\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    )  # fmt: skip
    async with asyncio.timeout(10):
        found = await reader.read()  # to the end
    writer.close()
    assert found.startswith(b"HTTP/1.1 500")
    assert b"connection: close" not in found.lower()
    assert found.endswith(b"Internal Server Error")


async def test_the_official_clients_requests_are_understood(server: FakeKiss):
    """Byte for byte what it sent, but for the address and the token of this run."""
    token = ""
    outcomes: list[tuple[str, int, str]] = []
    for line in (CAPTURES / "client-requests.jsonl").read_text().splitlines():
        raw = json.loads(line)["bytes"]
        first = raw.split("\r\n")[0]
        if "GET /ws" in first:
            continue  # nobody here speaks the socket's protocol (§8)
        head, _, body = raw.partition("\r\n\r\n")
        lines = [
            f"Authorization: Bearer {token}" if each.startswith("Authorization") else each
            for each in head.split("\r\n")
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        answer_head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(answer_head.lower().split("content-length: ")[1].split("\r\n")[0])
        found = json.loads(await reader.readexactly(length))
        writer.close()
        token = found.get("access_token", token)
        outcomes.append(
            (first.split(" ")[1], int(answer_head.split(" ")[1]), str(found.get("result", ""))[:10])
        )
    assert outcomes == [
        ("/auth", 200, ""),
        ("/sessions?action=init", 200, "Greetings!"),
        ("/queries", 200, "Hello from"),
        ("/sessions?action=close", 200, "Good bye!"),
        ("/auth", 200, ""),
    ]
    assert [client.scope for client in server.clients.values()] == ["temporary", "persistent"]
