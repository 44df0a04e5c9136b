"""Circumstances of a running sandbox: a guest, a quota near its end."""

from __future__ import annotations

import pytest

from tests.sandbox.chatter import chatting, user_message


async def usage(chat) -> tuple[int, int]:
    found = (await chat.client.get("/api/usage")).json()
    return found["messagesUsed"], found["messagesLimit"]


async def test_a_guest_may_read_the_projects_instructions_but_not_change_them() -> None:
    async with chatting("agent", role="guest") as chat:
        assert (await chat.client.get("/api/settings")).status_code == 200
        refused = await chat.client.patch("/api/settings", json={"customInstructions": "x"})
        assert refused.status_code == 403
        assert refused.json()["error"]["type"] == "forbidden"
        own = await chat.client.patch("/api/settings/user", json={"customInstructions": "x"})
        assert own.json()["customInstructions"] == "x"
        answer = await chat.say("/demo admin", lambda call: True)
        assert "admin" in answer.text
        allowed = await chat.client.patch("/api/settings", json={"customInstructions": "x"})
        assert allowed.status_code == 200


async def test_the_quota_can_be_near_its_end_and_at_it() -> None:
    async with chatting("agent") as chat:
        answer = await chat.say("/demo quota 85", lambda call: True)
        assert "85 %" in answer.text
        assert await usage(chat) == (425, 500)
        refused = await chat.post(user_message("/demo quota"))
        assert refused.status_code == 429
        assert await usage(chat) == (500, 500)
        for text in ("Hello", "/demo guest"):
            assert (await chat.post(user_message(text))).status_code == 429
        await chat.say("/demo quota off", lambda call: True)
        used, _ = await usage(chat)
        assert used == 2
        assert (await chat.say("Hello", lambda call: True)).text


@pytest.mark.parametrize(("flavour", "shape"), [("agent", list), ("assistant", dict)])
async def test_connected_mcp_comes_in_both_shapes(flavour, shape) -> None:
    async with chatting(flavour) as chat:
        assert isinstance((await chat.client.get("/api")).json()["connectedMcp"], shape)
