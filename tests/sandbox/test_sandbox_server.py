"""The endpoints: shapes, checks, history, votes, settings, what survives a restart (protocols/kai.md §4, §16)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kai_tui.sandbox.project import Project
from tests.sandbox.chatter import Chatter, Flavour, chatting, envelope, new_id, user_message

BOTH = pytest.mark.parametrize("flavour", ["agent", "assistant"])


def problem(body: dict[str, Any]) -> str:
    """`type:surface` of either error body."""
    if "error" in body:
        assert body["error"]["exceptionId"].startswith("KAI-")
        return f"{body['error']['type']}:{body['error']['surface']}"
    return str(body["code"])


@BOTH
async def test_the_stack_lists_what_is_served(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        index = (await chat.client.get("/v2/storage")).json()
        kais = ["kai-agent", "kai-assistant"] if flavour == "agent" else ["kai-assistant"]
        assert [service["id"] for service in index["services"]] == [*kais, "queue", "mcp-server"]
        for service in index["services"][: len(kais)]:
            info = (await chat.client.get(f"{service['url']}/api")).json()
            assert info["appName"] == f"{service['id']}-sandbox"
        token = (await chat.client.get("/v2/storage/tokens/verify")).json()
        assert token["isMasterToken"] is True
        assert token["owner"]["name"] == "Alder & Finch"


@BOTH
async def test_what_only_one_flavour_has(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        agent = flavour == "agent"
        for path in ("/api/usage", "/api/settings", "/api/settings/user", "/api/settings/tools"):
            assert (await chat.client.get(path)).status_code == (200 if agent else 404)
        resume = await chat.client.get(f"/api/chat/{new_id()}/stream")
        assert resume.status_code == (404 if agent else 204)
        assert (await chat.client.get("/api/nothing")).status_code == 404
        assert (await chat.client.put("/api/history", json={})).status_code == 404


@pytest.mark.some(10)
@BOTH
@pytest.mark.parametrize(
    "spoil",
    [
        {"id": "test-123"},
        {"id": None},
        {"message": None},
        {"message": {"id": "x", "role": "user", "parts": [{"type": "text", "text": "x"}]}},
        {"message": {**user_message("x"), "role": "system"}},
        {"message": {**user_message("x"), "parts": []}},
        {"message": {**user_message("x"), "parts": "x"}},
        {"message": {**user_message("x"), "parts": [{"type": "tool-result", "result": "confirmed"}]}},
        {"message": user_message("  \n ")},
        {"message": user_message("x" * 100_001)},
        {"message": {**user_message("x"), "parts": [{"type": "text", "text": 5}]}},
        {"selectedChatModel": None},
        {"selectedVisibilityType": "secret"},
        {"branchId": "main"},
        {"branchId": 10**30},
    ],
)
async def test_bad_messages_are_refused(flavour: Flavour, spoil: dict[str, Any]) -> None:
    async with chatting(flavour) as chat:
        body = {**envelope(chat.chat_id, user_message("x")), **spoil}
        body = {name: value for name, value in body.items() if value is not None}
        response = await chat.client.post("/api/chat", json=body)
        assert response.status_code == 400
        assert problem(response.json()) == "bad_request:api"
        assert (await chat.client.get("/api/history")).json()["chats"] == []


@BOTH
@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'{"id": NaN}', b"[" * 100_000, b"\xff"])
async def test_bad_json_is_refused(flavour: Flavour, raw: bytes) -> None:
    async with chatting(flavour) as chat:
        response = await chat.client.post(
            "/api/chat", content=raw, headers={"content-type": "application/json"}
        )
        assert response.status_code == 400


@BOTH
async def test_headers_are_needed(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        for name in ("x-storageapi-token", "x-storageapi-url"):
            response = await chat.client.get("/api/history", headers={name: ""})
            assert response.status_code == 401
            assert problem(response.json()) == "unauthorized:chat"
        for path in ("/ping", "/api"):
            assert (await chat.client.get(path, headers={"x-storageapi-token": ""})).status_code == 200
        wrong = await chat.client.get("/v2/storage/tokens/verify", headers={"x-storageapi-token": "no"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "storage.tokenInvalid")


@BOTH
async def test_bodies_have_a_limit_and_a_type(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        huge = await chat.client.post(
            "/api/chat", content=b" " * (1024 * 1024 + 1), headers={"content-type": "application/json"}
        )
        assert huge.status_code == 413
        body = json.dumps(envelope(chat.chat_id, user_message("x")))
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            response = await chat.client.post("/api/chat", content=body, headers={"content-type": kind})
            assert response.status_code == 400
        fine = await chat.client.post(
            "/api/chat", content=body, headers={"content-type": "Application/JSON; charset=utf-8"}
        )
        assert fine.status_code == 200


@BOTH
async def test_a_chat_is_read_and_deleted(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        answer = await chat.say("Which region sold most?")
        url = f"/api/chat/{chat.chat_id}"
        read = (await chat.client.get(url)).json()
        assert read["title"] == "Which region sold most"
        assert [message["role"] for message in read["messages"]] == ["user", "assistant"]
        assert read["messages"][1]["id"] == answer.id
        assert (await chat.client.delete("/api/chat")).status_code == 400
        assert (await chat.client.delete("/api/chat", params={"id": chat.chat_id})).status_code == 200
        gone = await chat.client.get(url)
        assert (gone.status_code, problem(gone.json())) == (404, "not_found:chat")
        again = await chat.client.delete("/api/chat", params={"id": chat.chat_id})
        assert again.status_code == (404 if flavour == "agent" else 403)


async def chats_of(chat: Chatter, count: int) -> list[str]:
    """Chats, newest first."""
    for number in range(count):
        chat.chat_id = new_id()
        await chat.say(f"{number} + 1")
    return [each["id"] for each in (await chat.client.get("/api/history?limit=100")).json()["chats"]]


@pytest.mark.parametrize("rule", ["template", "client"])
async def test_history_in_pages(rule: str) -> None:
    older, newer = (
        ("ending_before", "starting_after") if rule == "template" else ("starting_after", "ending_before")
    )
    async with chatting("assistant", cursor_rule=rule) as chat:
        ids = await chats_of(chat, 5)
        first = (await chat.client.get("/api/history?limit=2")).json()
        assert ([each["id"] for each in first["chats"]], first["hasMore"]) == (ids[:2], True)
        second = (await chat.client.get(f"/api/history?limit=2&{older}={ids[1]}")).json()
        assert [each["id"] for each in second["chats"]] == ids[2:4]
        last = (await chat.client.get(f"/api/history?limit=2&{older}={ids[3]}")).json()
        assert ([each["id"] for each in last["chats"]], last["hasMore"]) == (ids[4:], False)
        back = (await chat.client.get(f"/api/history?limit=2&{newer}={ids[1]}")).json()
        assert [each["id"] for each in back["chats"]] == ids[:1]


@BOTH
async def test_history_refuses(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        for query in (
            "limit=0",
            "limit=x",
            "limit=9999999",
            "limit=-1",
            f"starting_after={new_id()}&ending_before={new_id()}",
        ):
            assert (await chat.client.get(f"/api/history?{query}")).status_code == 400
        unknown = await chat.client.get(f"/api/history?ending_before={new_id()}")
        assert unknown.status_code == (404 if flavour == "agent" else 400)


@BOTH
async def test_votes(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        answer = await chat.say("help")
        vote = {"chatId": chat.chat_id, "messageId": answer.id, "type": "up"}
        response = await chat.client.patch("/api/vote", json=vote)
        assert response.text == "Message voted"
        await chat.client.patch("/api/vote", json={**vote, "type": "down"})
        votes = (await chat.client.get("/api/vote", params={"chatId": chat.chat_id})).json()
        assert votes == [{"chatId": chat.chat_id, "messageId": answer.id, "isUpvoted": False}]
        for spoil, status in (
            ({"type": "sideways"}, 400),
            ({"messageId": new_id()}, 404),
            ({"chatId": 1}, 400),
        ):
            assert (await chat.client.patch("/api/vote", json={**vote, **spoil})).status_code == status
        assert (await chat.client.get("/api/vote")).status_code == 400
        assert (await chat.client.get("/api/vote", params={"chatId": new_id()})).status_code == 404


async def test_settings_tools_usage_suggestions() -> None:
    async with chatting("agent") as chat:
        settings = (await chat.client.patch("/api/settings", json={"customInstructions": "Be brief."})).json()
        assert settings["customInstructions"] == "Be brief."
        assert (await chat.client.patch("/api/settings", json={"customInstructions": None})).json()[
            "customInstructions"
        ] is None
        user = "/api/settings/user"
        await chat.client.patch(user, json={"toolPermissions": {"run_job": "always_allow"}})
        merged = (
            await chat.client.patch(user, json={"toolPermissions": {"create_config": "blocked"}})
        ).json()
        assert merged["toolPermissions"] == {"run_job": "always_allow", "create_config": "blocked"}
        assert (await chat.client.patch(user, json={"toolPermissions": None})).json()["toolPermissions"] == {}
        for body in (
            {},
            {"toolPermissions": {"x": "maybe"}},
            {"customInstructions": "x" * 4001},
            {"customInstructions": 5},
        ):
            assert (await chat.client.patch(user, json=body)).status_code == 400
        tools = {
            each["name"]: each["readOnly"]
            for each in (await chat.client.get("/api/settings/tools")).json()["tools"]
        }
        assert len(tools) >= 12
        assert (tools["query_data"], tools["run_job"]) == (True, False)
        await chat.say("help")
        usage = (await chat.client.get("/api/usage")).json()
        assert usage["messagesUsed"] == 1
        assert usage["resetDate"] > chat.chunks[0].get("at", "")
        found = (await chat.client.post("/api/suggestions", json={"context": "dashboard", "data": {}})).json()
        assert found["suggestions"][0]["prompt"]
        assert (await chat.client.post("/api/suggestions", json={"context": "moon"})).status_code == 400


async def test_the_quota_can_be_used_up_on_request() -> None:
    async with chatting("agent") as chat:
        response = await chat.post(user_message("/demo quota"))
        assert (response.status_code, problem(response.json())) == (429, "rate_limit:chat")


@BOTH
async def test_a_message_sent_again_is_not_doubled(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        message = user_message("2 + 2")
        await chat.post(message)
        assert (await chat.post(message)).status_code == 400  # answered already
        read = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()
        assert len(read["messages"]) == 2


@BOTH
async def test_a_busy_chat_says_so(flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    from kai_tui.sandbox import desk

    monkeypatch.setattr(desk, "BUSY_SECONDS", 0.05)
    async with chatting(flavour, pace=1.0) as chat:
        body = envelope(chat.chat_id, user_message("/demo slow"))
        async with chat.client.stream("POST", "/api/chat", json=body):
            response = await chat.post(user_message("help"))
            assert (response.status_code, problem(response.json())) == (409, "conflict:chat")


@BOTH
async def test_messages_of_one_chat_are_answered_one_after_the_other(flavour: Flavour) -> None:
    async with chatting(flavour) as chat:
        answers = await asyncio.gather(*(chat.post(user_message(f"{number} + 1")) for number in range(6)))
        assert [answer.status_code for answer in answers] == [200] * 6
        roles = [
            each["role"] for each in (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"]
        ]
        assert roles == ["user", "assistant"] * 6


async def test_a_title_comes_once_and_is_stored() -> None:
    async with chatting("assistant") as chat:
        await chat.say(
            "Tell me please, in very many words, which of the regions of this company sold the most"
        )
        (title,) = [chunk for chunk in chat.chunks if chunk["type"] == "data-chat-title"]
        assert title["data"].endswith("…")
        await chat.say("help")
        assert not [chunk for chunk in chat.chunks if chunk["type"] == "data-chat-title"]
        (row,) = (await chat.client.get("/api/history")).json()["chats"]
        assert row["title"] == title["data"]


@BOTH
async def test_everything_survives_a_restart(flavour: Flavour, tmp_path: Path) -> None:
    path = tmp_path / "new" / "project.db"
    project = Project.open(path)
    async with chatting(flavour, project) as chat:
        await chat.say("My name is Ada")
        answer = await chat.say("Create a bucket called kept")
        await chat.client.patch(
            "/api/vote", json={"chatId": chat.chat_id, "messageId": answer.id, "type": "up"}
        )
        if flavour == "agent":
            await chat.client.patch("/api/settings/user", json={"toolPermissions": {"run_job": "blocked"}})
        before = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()
        chat_id = chat.chat_id
    project.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    project = Project.open(path)
    async with chatting(flavour, project) as chat:
        chat.chat_id = chat_id
        assert (await chat.client.get(f"/api/chat/{chat_id}")).json() == before
        assert "**Ada**" in (await chat.say("What is my name?")).text
        assert "`in.c-kept`" in (await chat.say("What buckets do I have?")).text
        assert len((await chat.client.get("/api/vote", params={"chatId": chat_id})).json()) == 1
        if flavour == "agent":
            user = (await chat.client.get("/api/settings/user")).json()
            assert user["toolPermissions"] == {"run_job": "blocked"}
    project.close()


async def test_odd_texts_are_kept(tmp_path: Path) -> None:
    project = Project.open(tmp_path / "p.db")
    async with chatting("assistant", project) as chat:
        raw = json.dumps(envelope(chat.chat_id, user_message("a \ud83d lone half \x00 and a bell \x07")))
        response = await chat.client.post(
            "/api/chat", content=raw.encode(), headers={"content-type": "application/json"}
        )
        assert response.status_code == 200
        read = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()
        assert read["messages"][0]["parts"][0]["text"].endswith("bell \x07")
    project.close()
