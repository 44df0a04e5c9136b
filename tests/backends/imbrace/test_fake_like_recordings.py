"""The fake answers the recorded requests as the real server did: status, kind, shape, order of the chunks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.imbrace import ImbraceFake
from tests.fakes.imbrace_script import chunks_of
from tests.fixture_cases import FIXTURES

FOLDER = FIXTURES / "imbrace"
RECORDED = sorted(FOLDER.glob("[0-9]*.json"))
NOT_OURS = {"42-malformed-json": "the recorder kept no body, and the server under the fake reads JSON itself"}


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


async def ask(fake: ImbraceFake, request: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=10) as client:
        return await client.request(
            request["method"],
            fake.url + request["path"],
            headers={k: v for k, v in request["headers"].items() if v is not None},
            json=request["body"] if request["body"] is not None else None,
        )


def shape(value: Any, depth: int = 0) -> Any:
    """What a body is made of, without its values; lists by their first element."""
    if isinstance(value, dict) and depth < 3:
        return {key: shape(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0], depth + 1)] if value else []
    return type(value).__name__


async def prepare(fake: ImbraceFake, name: str, request: Any) -> None:
    """What the recorded session had done before."""
    before = {
        "17": "16", "18": "16", "19": None, "20": None, "29a": "26", "29b": "26", "31": "30", "46": "45", "51": "50", "52": "50",
        "53": "50", "54": "50", "55": "50", "57": "56", "64": "10", "65": "10", "67": "10", "70": "10", "71": "10",
        "72": "10", "74": "10", "82": "80", "83": "80", "84": "80", "85": "80", "92": "80", "90": "88", "91": "88",
    }  # fmt: skip
    number = name.split("-")[0]
    if before.get(number):
        (path,) = FOLDER.glob(f"{before[number]}-*.json")
        earlier = json.loads(path.read_text())["request"]
        parts = request["path"].split("/")
        chat = (request["body"] or {}).get("chatId") or (
            parts[4] if "chats" in parts and len(parts) > 4 else (request["body"] or {}).get("id")
        )
        if chat and earlier["body"]:
            earlier["body"]["id"] = chat
        message = (request["body"] or {}).get("message")
        if isinstance(message, dict) and "chatId" in message:
            earlier["body"]["id"] = message["chatId"]
        await ask(fake, earlier)
    if number in ("71", "74"):
        parts = request["path"].split("/")
        fake.chats[parts[4]].votes["46d4f096-808a-4750-bb09-e68908e3e1c8"] = True
    if number in ("60", "61", "94"):
        for text in ("a", "b", "c", "d"):
            (path,) = FOLDER.glob("10-*.json")
            earlier = json.loads(path.read_text())["request"]
            earlier["body"]["id"] = f"99f61bf9-cdd2-4f64-b230-ed9434a6d2b{text}"
            await ask(fake, earlier)
    if number in ("17", "18", "19", "20", "58", "59"):
        await approved_before(fake, request)


async def approved_before(fake: ImbraceFake, request: Any) -> None:
    """The waiting call that an answer of the recordings belongs to."""
    body = request["body"]
    chat_id = body["id"] if body else request["path"].split("/")[4]
    (path,) = FOLDER.glob("16-*.json")
    earlier = json.loads(path.read_text())["request"]
    earlier["body"]["id"] = chat_id
    await ask(fake, earlier)
    message = fake.chats[chat_id].messages[-1]
    if body:
        sent = body["messages"][-1]
        message["id"] = sent["id"]
        waiting = next(part for part in message["parts"] if "approval" in part)
        waiting["approval"] = {"id": next(p["approval"]["id"] for p in sent["parts"] if "approval" in p)}


@pytest.mark.some(12)
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_the_fake_answers_as_the_real_server_did(fake: ImbraceFake, path: Path):
    name = path.stem
    if name in NOT_OURS:
        pytest.skip(NOT_OURS[name])
    recorded = json.loads(path.read_text())
    body = path.with_suffix(".body").read_bytes()
    async with asyncio.timeout(15):
        await prepare(fake, name, recorded["request"])
        said = await ask(fake, recorded["request"])
    headers = {key.lower(): value for key, value in recorded["response"]["headers"]}
    assert said.status_code == recorded["response"]["status"]
    kind = headers["content-type"].partition(";")[0]
    assert said.headers["content-type"].partition(";")[0] == kind
    if kind == "text/event-stream":
        if name[:2] in ("50", "52", "54"):
            return  # how far it went when it was hung up on is not ours to repeat
        assert [_kind(chunk) for chunk in _merged(chunks_of(said.content))] == [
            _kind(chunk) for chunk in _merged(chunks_of(body))
        ]
    elif kind == "text/plain":
        assert said.content == body
    elif name[:2] not in ("18", "20", "57", "31", "53"):
        mine, theirs = json.loads(said.content), json.loads(body)
        if isinstance(theirs, dict):
            optional = {"timestamp", "path", "method", "lastContext", "cause", "data"}
            assert mine.keys() - optional == theirs.keys() - optional
        else:
            assert shape(mine[0]) == shape(theirs[0]) if isinstance(theirs[0], dict) else mine
    elif name[:2] not in ("18", "20", "57"):
        assert [_kinds(message) for message in said.json()] == [_kinds(each) for each in json.loads(body)]


def _kind(chunk: Any) -> str:
    return str(chunk.get("type") or chunk.get("status"))


def _merged(chunks: list[Any]) -> list[Any]:
    """Deltas of one block as one: how a model cuts its words is not the point."""
    found: list[Any] = []
    for chunk in chunks:
        if found and _kind(chunk) == _kind(found[-1]) and "elta" in _kind(chunk):
            continue
        found.append(chunk)
    return found


def _kinds(message: Any) -> Any:
    return message["role"], [(part["type"], part.get("state")) for part in message["parts"]], message.keys()
