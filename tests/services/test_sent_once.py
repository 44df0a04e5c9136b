"""t_post_once, t_approval_once: whatever breaks, nothing reaches the server twice, and nothing is lost (P4, P5, P6).

A user writes, queues, edits, asks again, forks, decides, presses keys twice, stops, tries again and
restarts the program, over a connection that loses requests and answers. The server is the real sandbox
over a real project.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

import pytest

from kai_tui.conversation.messages import Message
from kai_tui.services import session_decisions, session_resuming, session_without_outcome
from tests.services.random_user import Flavour, RandomUser, words_of

FLAVOURS: tuple[Flavour, ...] = ("agent", "assistant")
FAST = int(os.environ.get("KAI_TUI_FAULTS", "6"))
ALL = 500


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (session_without_outcome, session_decisions, session_resuming):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)


async def check(user: RandomUser) -> None:
    posts = [each for each in user.transport.delivered if each.method == "POST"]
    assert [each.body for each in posts if each.again] == []
    check_messages(user, [each.body["message"] for each in posts if each.path == "/api/chat"])
    answers: Counter[tuple[str, bool]] = Counter()
    for each in posts:
        if each.path.endswith("/approval"):
            answers[each.body["toolUseId"], each.body["approved"]] += 1
            changed = each.body.get("updatedInput")
            assert changed is None or (each.body["toolUseId"], changed) in user.inputs
        elif each.body.get("message", {}).get("role") == "assistant":
            for part in each.body["message"]["parts"]:
                if part.get("state") == "approval-responded":
                    answers[part["toolCallId"], part["approval"]["approved"]] += 1
    too_many = {call: count for call, count in answers.items() if count > user.decided[call]}
    assert not too_many, (too_many, user.decided)
    # Whoever says yes again, because it is not known whether the first yes arrived, changes nothing twice.
    taken = Counter(
        each.body["toolUseId"] for each in posts if each.path.endswith("/approval") and each.status == 200
    )
    assert not [call for call, count in taken.items() if count > 1], taken


def check_messages(user: RandomUser, posted: list[dict[str, object]]) -> None:
    """Every new message belongs to one deliberate act, and what was wished for is there as often as it was."""
    ids: dict[str, set[object]] = {}
    for each in posted:
        if each["role"] == "user":
            ids.setdefault(words_of(Message.from_wire(each).text), set()).add(each["id"])
    too_many = {words: len(found) for words, found in ids.items() if len(found) > user.wished[words]}
    assert not too_many, (too_many, user.wished)
    there, wished = Counter(user.on_server()), user.wished - user.given_up
    assert there == wished, {"twice": there - wished, "lost": wished - there}


async def check_screen(user: RandomUser) -> None:
    """What is shown as sent is on the server."""
    for chat_id in user.chats:
        user.chat_id = chat_id
        session = await user.session()
        there = {each["id"] for each in user.store.messages(chat_id)}
        for message in session.messages:
            if message.role == "user" and session.delivery(message.id) in (None, "sent"):
                assert message.id in there, "shown as sent, and the server does not have it"


async def run(folder: Path, flavour: Flavour, seed: int) -> None:
    user = RandomUser(folder / f"{flavour}-{seed}", flavour, seed)
    try:
        async with asyncio.timeout(60):
            await user.live()
            await check(user)
            await check_screen(user)
    except BaseException as error:
        error.add_note(f"{flavour}, seed {seed}; what the user did last:")
        for line in user.history[-30:]:
            error.add_note(f"  {line}")
        raise
    finally:
        await user.close()


@pytest.mark.some(1)
@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_nothing_is_sent_twice_or_lost(tmp_path: Path, flavour: Flavour) -> None:
    for seed in range(FAST):
        await run(tmp_path, flavour, seed)


@pytest.mark.slow
@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_nothing_is_sent_twice_or_lost_in_five_hundred_lives(tmp_path: Path, flavour: Flavour) -> None:
    for seed in range(FAST, ALL + FAST):
        await run(tmp_path, flavour, seed)
