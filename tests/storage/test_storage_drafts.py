"""What the user typed (P6), what was answered (P4, A6), what ↑ recalls."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.storage import drafts as drafts_module
from kai_tui.storage.drafts import Drafts, OutboxRow


@pytest.fixture
def drafts(tmp_path: Path, open_db) -> Drafts:
    return Drafts(open_db(tmp_path / "state.sqlite"))


async def test_drafts(drafts: Drafts) -> None:
    assert await drafts.draft("a") == ""
    assert await drafts.last_draft() is None
    await drafts.save_draft("a", "first\nline 👩‍👧\ud800")
    await drafts.save_draft("b", "second")
    assert await drafts.draft("a") == "first\nline 👩‍👧\ufffd"
    assert await drafts.last_draft() == ("b", "second")
    await drafts.save_draft("a", "changed")
    assert await drafts.last_draft() == ("a", "changed")
    await drafts.save_draft("a", "")
    assert await drafts.last_draft() == ("b", "second")
    await drafts.delete_draft("b")
    await drafts.delete_draft("b")
    assert await drafts.last_draft() is None


async def test_outbox_keeps_the_order_of_sending(drafts: Drafts) -> None:
    for number, chat in enumerate("aab"):
        await drafts.put_outbox(OutboxRow(f"m{number}", chat, f"text {number}", "queued"))
    assert [row.message_id for row in await drafts.outbox()] == ["m0", "m1", "m2"]
    assert [row.message_id for row in await drafts.outbox("a")] == ["m0", "m1"]
    changed = await drafts.put_outbox(OutboxRow("m0", "a", "edited", "sending"))
    assert changed == OutboxRow("m0", "a", "edited", "sending", 1, changed.owner)
    assert (await drafts.outbox("a"))[0] == changed
    await drafts.set_outbox_state("m0", "not-sent")
    await drafts.set_outbox_state("unknown", "unsure")
    assert (await drafts.outbox("a"))[0].state == "not-sent"
    await drafts.remove_outbox("m0")
    await drafts.remove_outbox("m0")
    assert [row.message_id for row in await drafts.outbox()] == ["m1", "m2"]


async def test_what_was_being_sent_when_the_process_died_is_unsure(drafts: Drafts) -> None:
    for number, state in enumerate(("sending", "queued", "not-sent", "unsure")):
        await drafts.put_outbox(OutboxRow(str(number), "c", "t", state))  # type: ignore[arg-type]
    after_restart = Drafts(drafts._database)
    assert [row.state for row in await after_restart.outbox()] == ["unsure", "queued", "not-sent", "unsure"]
    await after_restart.set_outbox_state("0", "sending")
    assert (await after_restart.outbox())[0].state == "sending"


async def test_an_answer_is_remembered_once(drafts: Drafts) -> None:
    assert await drafts.answered("c", "call", "appr") is None
    assert await drafts.remember_answer("c", "call", "appr", False)
    assert not await drafts.remember_answer("c", "call", "appr", True)
    assert await drafts.answered("c", "call", "appr") is False
    # Another question about the same call, and one without an approval id, stand for themselves.
    assert await drafts.remember_answer("c", "call", "appr2", True)
    assert await drafts.remember_answer("c", "call", None, True)
    assert not await drafts.remember_answer("c", "call", None, True)
    assert not await Drafts(drafts._database).remember_answer("c", "call", "appr", True)
    await drafts.withdraw_answer("c", "call", "appr")
    assert await drafts.remember_answer("c", "call", "appr", True)


async def test_two_windows_give_one_answer(tmp_path: Path, open_db) -> None:
    import asyncio

    windows = [Drafts(open_db(tmp_path / "f")) for _ in range(5)]
    for call in range(10):
        said = await asyncio.gather(
            *(window.remember_answer("c", str(call), "a", True) for window in windows)
        )
        assert sum(said) == 1


async def test_prompts(drafts: Drafts, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("one", "two", "two", "  ", "", "one", "a\ud800"):
        await drafts.remember_prompt(text)
    assert await drafts.prompts() == ["a\ufffd", "one", "two", "one"]
    assert await drafts.prompts(2) == ["a\ufffd", "one"]
    monkeypatch.setattr(drafts_module, "PROMPTS_KEPT", 3)
    await drafts.remember_prompt("last")
    assert await drafts.prompts() == ["last", "a\ufffd", "one"]


async def test_a_deleted_chat_leaves_nothing(drafts: Drafts) -> None:
    for chat in ("gone", "stays"):
        await drafts.save_draft(chat, chat)
        await drafts.put_outbox(OutboxRow(chat, chat, chat, "queued"))
        await drafts.remember_answer(chat, "t", None, True)
        await drafts.remember_prompt(chat, chat)
    await drafts.forget_chat("gone")
    assert await drafts.draft("gone") == ""
    assert [row.chat_id for row in await drafts.outbox()] == ["stays"]
    assert await drafts.answered("gone", "t", None) is None
    assert await drafts.answered("stays", "t", None) is True
    assert await drafts.prompts() == ["stays"]
