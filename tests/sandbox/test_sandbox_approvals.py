"""Approvals in both flavours, to the edges (protocols/kai.md §9)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kai_tui.conversation.fold import fold_stream
from tests.sandbox.chatter import (
    Chatter,
    answered,
    chatting,
    chunks_in,
    envelope,
    new_id,
    user_message,
)


async def asked(chat: Chatter, text: str = "/demo writes") -> tuple[Any, list[dict[str, Any]]]:
    """The assistant flavour's answer that ends with questions."""
    response = await chat.post(user_message(text))
    chunks = chunks_in(response.text)
    return fold_stream(chunks), chunks


def kinds(chunks: list[dict[str, Any]]) -> list[str]:
    return [chunk["type"] for chunk in chunks]


async def test_the_assistant_asks_and_ends_its_stream() -> None:
    async with chatting("assistant") as chat:
        message, chunks = await asked(chat)
        assert kinds(chunks).count("tool-approval-request") == 2
        assert kinds(chunks)[-3:] == ["finish-step", "data-usage", "finish"]
        assert chunks[-1]["finishReason"] == "tool-calls"
        assert [call.state for call in message.tool_calls()] == ["approval-requested"] * 2
        stored = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"]
        assert stored[-1]["parts"] == message.to_wire()["parts"]


async def test_both_answers_in_one_post_continue_the_same_message() -> None:
    async with chatting("assistant") as chat:
        message, _ = await asked(chat)
        wire = answered(message, lambda call: call.tool_name == "create_bucket" or "not that one")
        chunks = chunks_in((await chat.post(wire)).text)
        assert chunks[0] == {"type": "start", "messageId": message.id}
        # The outcomes come before the first new step.
        assert kinds(chunks)[1:4] == ["tool-output-available", "tool-output-denied", "start-step"]
        answer = fold_stream(chunks, wire)
        assert [call.state for call in answer.tool_calls()] == ["output-available", "output-denied"]
        assert "`create_bucket`: done" in answer.text
        assert "You said no (“not that one”)" in answer.text
        assert chat.rows("SELECT 1 FROM kai_buckets WHERE id='out.c-demo-bucket'")
        assert chat.rows("SELECT description FROM kai_tables WHERE id='in.c-support.tickets'") == [("",)]
        stored = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"]
        assert len(stored) == 2
        assert stored[-1]["parts"] == answer.to_wire()["parts"]


async def test_one_answer_of_two_is_carried_out_and_breaks_off() -> None:
    async with chatting("assistant") as chat:
        message, _ = await asked(chat)
        wire = answered(message, lambda call: True if call.tool_name == "create_bucket" else None)
        chunks = chunks_in((await chat.post(wire)).text)
        assert kinds(chunks) == ["start", "tool-output-available", "error"]
        open_call = message.tool_calls()[1].tool_call_id
        assert chunks[-1]["errorText"] == f"Tool result is missing for tool call {open_call}."
        assert chat.rows("SELECT 1 FROM kai_buckets WHERE id='out.c-demo-bucket'")


async def test_a_new_message_instead_of_an_answer() -> None:
    async with chatting("assistant") as chat:
        message, _ = await asked(chat)
        for _ in range(2):
            chunks = chunks_in((await chat.post(user_message("Never mind"))).text)
            assert kinds(chunks) == ["start", "error"]
            assert chunks[1]["errorText"].startswith("Tool result is missing for tool call")
        # Denied, the chat goes on.
        await chat.post(answered(message, lambda _call: False))
        assert "stand-in" in (await chat.say("help")).text


async def test_the_same_answer_twice_acts_once() -> None:
    async with chatting("assistant") as chat:
        message, _ = await asked(chat, "Run the CRM job")
        wire = answered(message, lambda _call: True)
        before = len(chat.rows("SELECT 1 FROM kai_jobs"))
        first, second = await asyncio.gather(chat.post(wire), chat.post(wire))
        assert {first.status_code, second.status_code} == {200}
        assert sorted(
            kinds(chunks_in(each.text)).count("tool-output-available") for each in (first, second)
        ) == [0, 2]
        assert len(chat.rows("SELECT 1 FROM kai_jobs")) == before + 1


async def test_a_no_cannot_become_a_yes_later() -> None:
    async with chatting("assistant") as chat:
        message, _ = await asked(chat, "Create a bucket called later")
        await chat.post(answered(message, lambda _call: False))
        chunks = chunks_in((await chat.post(answered(message, lambda _call: True))).text)
        assert kinds(chunks) == ["start", "finish"]
        assert not chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-later'")


async def test_what_runs_is_what_was_asked() -> None:
    async with chatting("assistant") as chat:
        message, _ = await asked(chat, "Create a bucket called shown")
        wire = answered(message, lambda _call: True)
        for part in wire["parts"]:
            if part["type"] == "tool-create_bucket":
                part["input"] = {"name": "smuggled", "stage": "in"}
        await chat.post(wire)
        names = [row[0] for row in chat.rows("SELECT id FROM kai_buckets")]
        assert "in.c-shown" in names
        assert "in.c-smuggled" not in names


async def test_a_chain_asks_again() -> None:
    async with chatting("assistant") as chat:
        answer = await chat.say("/demo chain")
        assert [call.tool_name for call in chat.asked] == ["create_config", "run_job"]
        assert [call.state for call in answer.tool_calls()] == ["output-available"] * 2
        assert kinds(chat.chunks).count("start") == 3


async def test_reads_beside_a_question_run_at_once() -> None:
    async with chatting("assistant") as chat:
        message, _ = await asked(chat, "/demo mixed")
        assert [call.state for call in message.tool_calls()] == [
            "output-available",
            "approval-requested",
            "output-available",
        ]


async def test_an_answer_after_a_restart(tmp_path: Any) -> None:
    from kai_tui.sandbox.project import Project

    project = Project.open(tmp_path / "project.db")
    async with chatting("assistant", project) as chat:
        message, _ = await asked(chat, "Create a bucket called patience")
        chat_id = chat.chat_id
    project.close()
    project = Project.open(tmp_path / "project.db")
    async with chatting("assistant", project) as chat:
        chat.chat_id = chat_id
        wire = answered(message, lambda _call: True)
        answer = fold_stream(chunks_in((await chat.post(wire)).text), wire)
        assert "**`in.c-patience`** is there" in answer.text
    project.close()


async def test_answers_nobody_asked_for() -> None:
    async with chatting("assistant") as chat:
        wire: dict[str, Any] = {"id": new_id(), "role": "assistant", "parts": []}
        assert (await chat.post(wire)).json()["code"] == "not_found:chat"
        await chat.say("help")
        assert (await chat.post(wire)).json()["code"] == "bad_request:api"


async def test_the_agent_holds_its_stream_until_the_decision() -> None:
    async with chatting("agent") as chat:
        seen: list[str] = []
        body = envelope(chat.chat_id, user_message("Create a bucket called held"))
        async with chat.client.stream("POST", "/api/chat", json=body) as response:
            lines = response.aiter_lines()
            async for line in lines:
                if "tool-input-available" in line:
                    call = json.loads(line[6:])
                    break
            assert await anext(lines) == ""
            silence = asyncio.ensure_future(anext(lines))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(silence), 0.05)
            assert not chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-held'")
            reply = await chat.decide(call["toolCallId"], True)
            assert reply.json() == {"success": True, "toolUseId": call["toolCallId"], "approved": True}
            seen.append(await silence)
            seen += [line async for line in lines]
        assert any("tool-output-available" in line for line in seen)
        assert "tool-approval-request" not in "".join(seen)
        assert chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-held'")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_the_agent_takes_decisions_in_any_order(order: tuple[int, int]) -> None:
    async with chatting("agent") as chat:
        calls: list[str] = []
        outputs: list[str] = []
        body = envelope(chat.chat_id, user_message("/demo writes"))
        async with chat.client.stream("POST", "/api/chat", json=body) as response:
            async for line in response.aiter_lines():
                chunk = json.loads(line[6:]) if line.startswith("data: {") else {}
                if chunk.get("type") == "tool-input-available":
                    calls.append(chunk["toolCallId"])
                    if len(calls) == 2:
                        await chat.decide(calls[order[0]], True)
                elif str(chunk.get("type")).startswith("tool-output"):
                    outputs.append(chunk["toolCallId"])
                    if len(outputs) == 1:
                        await chat.decide(calls[order[1]], "no")
        assert outputs == [calls[order[0]], calls[order[1]]]


async def test_a_denial_on_the_agent() -> None:
    async with chatting("agent") as chat:
        answer = await chat.say("Create a bucket called no", lambda _call: "not now")
        assert answer.tool_calls()[0].error_text == "User denied the tool call: not now"
        assert "You said no (“not now”)" in answer.text


async def test_an_edited_call_runs_as_edited_and_says_so() -> None:
    async with chatting("agent") as chat:
        answer = await chat.say(
            "Create a bucket called draft", lambda _call: {"name": "final", "stage": "out"}
        )
        assert chat.rows("SELECT id FROM kai_buckets WHERE id LIKE '%draft' OR id LIKE '%final'") == [
            ("out.c-final",)
        ]
        assert "`out.c-final`" in answer.text
        assert "You changed the call" in answer.text
        stored = (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"][-1]
        (call,) = [part for part in stored["parts"] if part["type"] == "tool-create_bucket"]
        assert call["input"] == {"name": "final", "stage": "out"}


async def test_an_edit_that_does_not_fit_fails() -> None:
    async with chatting("agent") as chat:
        answer = await chat.say("Create a bucket called draft", lambda _call: {"stage": "out"})
        assert "Invalid input" in str(answer.tool_calls()[0].error_text)
        assert "Nothing was changed" in answer.text


async def test_nothing_waits() -> None:
    async with chatting("agent") as chat:
        for body, status in (
            ({"toolUseId": "toolu_x", "approved": True}, 404),
            ({"toolUseId": "toolu_x"}, 400),
            ({"toolUseId": "toolu_x", "approved": False, "updatedInput": {}}, 400),
        ):
            response = await chat.client.post(f"/api/chat/{chat.chat_id}/approval", json=body)
            assert response.status_code == status
        assert response.json()["error"]["type"] == "bad_request"


async def test_permissions_are_kept() -> None:
    async with chatting("agent") as chat:

        async def allow(**permissions: str) -> None:
            response = await chat.client.patch("/api/settings/user", json={"toolPermissions": permissions})
            assert response.status_code == 200

        await allow(create_bucket="always_allow", query_data="always_ask")
        await chat.say("Create a bucket called free", lambda _call: None)
        assert chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-free'")
        await allow(create_bucket="blocked")
        answer = await chat.say("Create a bucket called never", lambda _call: None)
        assert "blocked in your settings" in answer.text
        assert not chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-never'")

        body = envelope(new_id(), user_message("SELECT 1"))
        async with chat.client.stream("POST", "/api/chat", json=body) as response:
            async for line in response.aiter_lines():
                if "tool-input-available" in line:
                    chat.chat_id = body["id"]
                    await chat.decide(json.loads(line[6:])["toolCallId"], "I would rather not")
            assert response.status_code == 200
        stored = (await chat.client.get(f"/api/chat/{body['id']}")).json()["messages"][-1]
        assert "You did not let me look (“I would rather not”)" in stored["parts"][-2]["text"]


async def test_restrictions_of_the_first_message() -> None:
    async with chatting("agent") as chat:
        await chat.post(user_message("help"), toolRestrictions={"readOnlyMode": True})
        answer = await chat.say("Create a bucket called x", lambda _call: None)
        assert (
            "This chat is read-only, so create_bucket may not run in it. Nothing was changed." in answer.text
        )


async def hung_up(chat: Chatter, text: str, calls: int = 1) -> list[str]:
    """The agent's calls that waited when their reader hung up."""
    found: list[str] = []
    body = envelope(chat.chat_id, user_message(text))
    async with chat.client.stream("POST", "/api/chat", json=body) as response:
        async for line in response.aiter_lines():
            if "tool-input-available" in line:
                found.append(json.loads(line[6:])["toolCallId"])
                if len(found) == calls:
                    break
    return found


async def late(chat: Chatter, call_id: str, **decision: Any) -> int:
    answer = await chat.client.post(
        f"/api/chat/{chat.chat_id}/approval", json={"toolUseId": call_id, **decision}
    )
    return answer.status_code


async def last_of(chat: Chatter) -> dict[str, Any]:
    return (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"][-1]


def states(message: dict[str, Any]) -> list[str]:
    return [part["state"] for part in message["parts"] if "toolCallId" in part]


async def told(chat: Chatter, words: str) -> dict[str, Any]:
    """The stored answer, once it says so."""
    async with asyncio.timeout(10):
        while words not in json.dumps(message := await last_of(chat), ensure_ascii=False):
            await asyncio.sleep(0.01)
    return message


async def test_hanging_up_while_a_call_waits_changes_nothing() -> None:
    async with chatting("agent") as chat:
        (call_id,) = await hung_up(chat, "Create a bucket called ghost")
        assert not chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-ghost'")
        assert states(await last_of(chat)) == ["input-available"]
        # The chat is free again, and what was left behind is not decided any more.
        assert "stand-in" in (await chat.say("help")).text
        assert await late(chat, call_id, approved=True) == 404
        assert not chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-ghost'")


async def test_the_agent_waits_on_when_its_reader_hung_up() -> None:
    async with chatting("agent") as chat:
        (call_id,) = await hung_up(chat, "Create a bucket called patience")
        assert await late(chat, call_id, approved=True) == 200
        assert await late(chat, call_id, approved=True) == 404
        message = await told(chat, "**`in.c-patience`** is there")
        assert states(message) == ["output-available"]
        assert await late(chat, call_id, approved=False) == 404
        assert "stand-in" in (await chat.say("help")).text


async def test_a_late_no_with_a_reason_is_heard() -> None:
    async with chatting("agent") as chat:
        (call_id,) = await hung_up(chat, "Create a bucket called patience")
        assert await late(chat, call_id, approved=False, reason="not now") == 200
        assert states(await told(chat, "You said no (“not now”)")) == ["output-error"]
        assert not chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-patience'")


async def test_the_answer_goes_on_when_the_last_of_several_late_calls_is_decided() -> None:
    async with chatting("agent") as chat:
        first, second = await hung_up(chat, "/demo writes", 2)
        assert await late(chat, second, approved=False) == 200
        async with asyncio.timeout(10):
            while states(await last_of(chat)) != ["input-available", "output-error"]:
                await asyncio.sleep(0.01)
        assert await late(chat, first, approved=True) == 200
        message = await told(chat, "`create_bucket`: done")
        assert states(message) == ["output-available", "output-error"]
        assert "You said no" in json.dumps(message, ensure_ascii=False)


async def test_the_agent_waits_on_after_a_restart(tmp_path: Any) -> None:
    """kill -9: what waited is in its database from the moment it waits."""
    import shutil

    from kai_tui.sandbox.project import Project

    project = Project.open(tmp_path / "project.db")
    async with chatting("agent", project) as chat:
        body = envelope(chat.chat_id, user_message("Create a bucket called patience"))
        async with chat.client.stream("POST", "/api/chat", json=body) as response:
            async for line in response.aiter_lines():
                if "tool-input-available" in line:
                    call_id = json.loads(line[6:])["toolCallId"]
                    break
            async with asyncio.timeout(10):
                while (await last_of(chat))["role"] == "user":
                    await asyncio.sleep(0.01)
            shutil.copytree(tmp_path, tmp_path.with_name("later"))
        chat_id = chat.chat_id
    project.close()
    project = Project.open(tmp_path.with_name("later") / "project.db")
    async with chatting("agent", project) as chat:
        chat.chat_id = chat_id
        assert await late(chat, call_id, approved=True) == 200
        await told(chat, "**`in.c-patience`** is there")
        assert chat.rows("SELECT 1 FROM kai_buckets WHERE id='in.c-patience'")
    project.close()


async def test_an_invalid_call_and_an_error() -> None:
    async with chatting("assistant") as chat:
        await chat.say("/demo invalid")
        assert kinds(chat.chunks).count("tool-input-error") == 1
        assert kinds(chat.chunks).count("tool-output-error") == 1
        answer = await chat.say("/demo error")
        assert answer.errors
        assert answer.finish is not None
        assert chat.chunks[-1] == {"type": "finish", "finishReason": "error"}
        assert "stand-in" in (await chat.say("help")).text


@pytest.mark.parametrize(
    "name", ["", "fail", "wide", "rows", "code", "reasoning", "many", "unicode", "sources", "hostile"]
)
async def test_demos_fold_without_faults(name: str) -> None:
    async with chatting("agent") as chat:
        answer = await chat.say(f"/demo {name}".strip())
        assert answer.text
        assert not answer.faults
        assert not answer.errors
        assert (await chat.client.get(f"/api/chat/{chat.chat_id}")).json()["messages"][-1][
            "parts"
        ] == answer.to_wire()["parts"]


async def test_a_long_answer_is_long() -> None:
    async with chatting("assistant") as chat:
        assert len((await chat.say("/demo long")).text.encode()) > 100_000
