"""Whole conversations with a server on the real AI SDK (`aisdk/`), playing kai-assistant."""

from __future__ import annotations

import httpx
import pytest

from tests.peers.house import House, Talk, tool_results
from tests.services.scripted_backend import until

pytestmark = pytest.mark.slow

RUN_THROUGH = (
    "hello there", "read", "progress", "reasoning", "sources", "long", "multi-step", "unknown tool", "invalid input",
    "broken input", "tool fails", "provider tool", "empty", "title", "usage", "data", "next actions", "surrogates",
    "length limit",
)  # fmt: skip
"""Scripts whose turn ends without a question and without an error."""


@pytest.mark.parametrize("script", RUN_THROUGH)
async def test_what_was_folded_is_what_the_sdk_keeps(house: House, script: str) -> None:
    talk = await house.talk()
    await talk.say(script)
    assert talk.session.turn.reason == ("length" if script == "length limit" else "stop")
    assert len(talk.journal().posts) == 1
    await talk.agrees()
    await talk.say("hello again")
    assert talk.session.turn.reason == "stop"
    await talk.agrees()


async def test_a_write_happens_only_after_a_yes(house: House) -> None:
    talk = await house.talk()
    before = talk.journal().buckets  # one server for all tests, in any order
    (approval,) = await talk.asked("write")
    assert (approval.tool_name, approval.input) == ("create_bucket", {"name": "reports", "stage": "in"})
    assert approval.risk == "creates"
    assert talk.journal().buckets == before
    await talk.agrees()
    talk.decide(approval, True)
    await talk.over()
    assert talk.session.turn.reason == "stop"
    assert talk.states() == ["output-available"]
    journal = talk.journal()
    assert journal.buckets.count("in.c-reports") == before.count("in.c-reports") + 1
    assert [post["message"]["role"] for post in journal.posts] == ["user", "assistant"]
    await talk.agrees()


@pytest.mark.parametrize("reason", ["call it monthly", None])
async def test_a_denial_reaches_the_model_with_its_reason(house: House, reason: str | None) -> None:
    talk = await house.talk()
    before = talk.journal().buckets
    (approval,) = await talk.asked("read then write")
    talk.decide(approval, False, reason)
    await talk.over()
    assert talk.session.turn.reason == "stop"
    assert talk.states() == ["output-available", "output-denied"]
    journal = talk.journal()
    assert journal.buckets == before
    answer = journal.posts[-1]["message"]["parts"][-1]["approval"]
    assert ("reason" in answer) is (reason is not None)
    (denied,) = [each for each in tool_results(journal.prompts[-1]) if each["type"] == "execution-denied"]
    assert denied.get("reason") == reason
    await talk.agrees()
    # The chat is not poisoned: the next message is answered, and so is the same wish again.
    await talk.say("hello")
    assert talk.session.turn.reason == "stop"
    await talk.agrees()
    (again,) = await talk.asked("defaults")
    talk.decide(again, True)
    await talk.over()
    assert "in.c-plain" in talk.journal().buckets
    await talk.agrees()


@pytest.mark.parametrize("first", [0, 1])
async def test_two_writes_at_once_are_answered_in_one_post(house: House, first: int) -> None:
    talk = await house.talk()
    before = talk.journal()
    bucket, job = await talk.asked("two writes", 2)
    for approval in (bucket, job) if first == 0 else (job, bucket):
        assert len(talk.journal().posts) == 1
        talk.decide(approval, approval is job, "not that one" if approval is bucket else None)
    await talk.over()
    assert talk.session.turn.reason == "stop"
    journal = talk.journal()
    assert len(journal.posts) == 2
    assert {call.tool_name: call.state for call in talk.calls()} == {
        "create_bucket": "output-denied",
        "run_job": "output-available",
    }
    assert len(journal.jobs) == len(before.jobs) + 1
    assert journal.buckets == before.buckets
    assert "not that one" in str(tool_results(journal.prompts[-1]))
    await talk.agrees()


async def test_a_yes_may_lead_to_the_next_question(house: House) -> None:
    talk = await house.talk()
    (bucket,) = await talk.asked("chain")
    talk.decide(bucket, True)
    await until(lambda: not talk.waiting)
    (job,) = await talk.questions()
    assert job.tool_name == "run_job"
    await talk.agrees()
    talk.decide(job, False, "later")
    await talk.over()
    assert talk.states() == ["output-available", "output-denied"]
    assert len(talk.journal().posts) == 3
    assert len(talk.session.messages) == 2
    await talk.agrees()


async def test_other_tools_of_the_step_run_by_themselves(house: House) -> None:
    talk = await house.talk()
    (approval,) = await talk.asked("mixed step")
    assert talk.states() == ["output-available", "approval-requested", "output-error"]
    talk.decide(approval, True)
    await talk.over()
    assert talk.states() == ["output-available", "output-available", "output-error"]
    await talk.agrees()


@pytest.mark.parametrize("script", ["defaults", "dynamic write", "metadata", "write fails"])
@pytest.mark.parametrize("approved", [True, False])
async def test_everything_the_server_said_goes_back_with_the_answer(
    house: House, script: str, approved: bool
) -> None:
    talk = await house.talk()
    (approval,) = await talk.asked(script)
    (stored,) = [each for each in talk.persisted() if each["role"] == "assistant"]
    talk.decide(approval, approved)
    await talk.over()
    posted = talk.journal().posts[-1]["message"]
    assert set(posted) == {"id", "role", "parts"}
    for part in stored["parts"]:
        if part.get("state") == "approval-requested":
            part["state"] = "approval-responded"
            part["approval"]["approved"] = approved
    assert posted == {"id": stored["id"], "role": "assistant", "parts": stored["parts"]}
    states = {True: "output-error" if script == "write fails" else "output-available", False: "output-denied"}
    assert talk.states() == [states[approved]]
    assert talk.session.turn.reason == "stop"
    await talk.agrees()


async def test_a_signature_goes_back_and_opens_the_door(signing_house: House) -> None:
    talk = await signing_house.talk()
    (approval,) = await talk.asked("write")
    signature = (talk.calls()[0].approval or {})["signature"]
    talk.decide(approval, True)
    await talk.over()
    assert talk.session.turn.reason == "stop"
    assert talk.states() == ["output-available"]
    assert talk.journal().posts[-1]["message"]["parts"][-1]["approval"]["signature"] == signature
    assert "in.c-reports" in talk.journal().buckets
    await talk.agrees()


async def test_a_signature_survives_a_restart(signing_house: House) -> None:
    """The question is asked again from what the server kept."""
    talk = await signing_house.talk()
    (shown,) = await talk.asked("dynamic write")
    await talk.workspace.aclose()
    again = await signing_house.enter()
    session = await again.chats.open_chat(talk.session.chat_id)
    reopened = Talk(talk.peer, again, session)
    (approval,) = await reopened.questions()
    assert approval.digest == shown.digest
    reopened.decide(approval, True)
    await reopened.over()
    assert reopened.states() == ["output-available"]
    await reopened.agrees()


async def test_an_answer_without_its_signature_is_refused(signing_house: House) -> None:
    """So the tests before prove something. The chat is left answered, but not acted upon."""
    talk = await signing_house.talk()
    await talk.asked("write")
    buckets = talk.journal().buckets
    await talk.workspace.aclose()
    message = talk.peer.messages(talk.session.chat_id)[-1]
    part = message["parts"][-1]
    part["state"] = "approval-responded"
    part["approval"] = {"id": part["approval"]["id"], "approved": True}
    body = {
        "id": talk.session.chat_id,
        "message": {"id": message["id"], "role": "assistant", "parts": message["parts"]},
        "selectedChatModel": "chat-model",
        "selectedVisibilityType": "private",
    }
    async with httpx.AsyncClient(
        base_url=talk.peer.base_url, headers=talk.peer.headers, trust_env=False
    ) as web:
        refused = await web.post("/api/chat", json=body)
    assert "Tool approval signature verification failed" in refused.text
    assert talk.journal().buckets == buckets

    again = await signing_house.enter()
    session = await again.chats.open_chat(talk.session.chat_id)
    reopened = Talk(talk.peer, again, session)
    assert reopened.states() == ["approval-responded"]
    assert not reopened.waiting
    assert session.turn.phase != "waiting-for-approval"
    (asked,) = await reopened.asked("hello")
    reopened.decide(asked, False)
    await until(lambda: session.messages[-1].text == "You said: hello" and not session.turn.busy)
    assert reopened.journal().buckets == buckets
    await reopened.agrees()
