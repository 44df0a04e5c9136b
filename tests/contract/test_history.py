"""Chats a server keeps: listed page by page, opened as they were said, voted on, deleted, brought back."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from kai_tui.backends.base import Backend, ChatSummary, NotAllowed, NotFound
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import TIMEOUT
from tests.contract.calls import error_of
from tests.contract.stand import Stand, failure, folded, said


def kept_by_the_server(stand: Stand) -> None:
    if stand.row.caps.history != "server":
        pytest.skip("its chats are kept on this computer")


async def all_chats(backend: Backend, limit: int) -> list[ChatSummary]:
    """The whole list, page by page."""
    rows: list[ChatSummary] = []
    cursor: str | None = None
    async with asyncio.timeout(TIMEOUT):
        while True:
            page = await backend.chats(cursor=cursor, limit=limit)
            assert len(page.items) <= max(limit, 20)  # some servers have pages of their own size
            rows += page.items
            cursor = page.cursor
            if cursor is None:
                return rows


@pytest.mark.some(4)
async def test_the_list_has_every_chat_once_and_ends(stand: Stand):
    kept_by_the_server(stand)
    backend = stand.backend()
    assert await all_chats(backend, 2) == []
    chats = [str(uuid.uuid4()) for _ in range(5)]
    for number, chat in enumerate(chats):
        await said(stand, backend, f"Question {number}", chat_id=chat)
    for limit in (2, 50):
        rows = await all_chats(backend, limit)
        assert len(rows) == 5
        assert {row.id for row in rows} == set(chats)
        assert all(row.title for row in rows)
    assert len(stand.posts) == 5


async def test_an_opened_chat_is_what_was_said(stand: Stand):
    kept_by_the_server(stand)
    backend = stand.backend()
    answers: list[Message] = []
    for text in ("What tables do I have?", "Příliš 😀 žluťoučký"):
        answers.append(folded(await said(stand, backend, text)))
    opened = await backend.chat(stand.chat_id)
    assert opened.summary.id == stand.chat_id
    users = [message.text for message in opened.messages if message.role == "user"]
    assert users == ["What tables do I have?", "Příliš 😀 žluťoučký"]
    if not stand.row.stores_answers:
        return
    replies = [message for message in opened.messages if message.role == "assistant"]
    assert [message.text for message in replies] == [message.text for message in answers]
    for kept, heard in zip(replies, answers, strict=True):
        assert [call.tool_name for call in kept.tool_calls()] == [
            call.tool_name for call in heard.tool_calls()
        ]
        assert [call.output for call in kept.tool_calls()] == [call.output for call in heard.tool_calls()]


async def test_another_run_of_the_program_reads_the_same(stand: Stand):
    kept_by_the_server(stand)
    first = stand.backend()
    await said(stand, first, "Hello")
    (row,) = await all_chats(first, 50)
    await first.aclose()
    second = stand.backend()
    (again,) = await all_chats(second, 50)
    assert again.title == row.title
    messages = (await second.chat(again.id)).messages
    assert [message.text for message in messages if message.role == "user"] == ["Hello"]


async def test_a_chat_that_is_not_there_says_so(stand: Stand):
    kept_by_the_server(stand)
    assert isinstance(await failure(stand.backend().chat(str(uuid.uuid4()))), NotFound)


async def test_a_deleted_chat_is_gone_and_deleting_it_again_is_fine(stand: Stand):
    kept_by_the_server(stand)
    backend = stand.backend()
    other = str(uuid.uuid4())
    await said(stand, backend, "Hello")
    await said(stand, backend, "Stay", chat_id=other)
    await backend.delete(stand.chat_id)
    assert [row.id for row in await all_chats(backend, 50)] == [other]
    assert isinstance(await failure(backend.chat(stand.chat_id)), NotFound)
    error = await error_of(backend.delete(stand.chat_id))
    # The history takes these for deleted: kai-assistant compares the owner of nothing (kai.md §4.6).
    assert error is None or isinstance(error, NotFound | NotAllowed)
    if not stand.row.caps.restore:
        return
    assert [row.id for row in (await backend.deleted_chats()).items] == [stand.chat_id]
    await backend.restore(stand.chat_id)
    assert (await backend.deleted_chats()).items == []
    assert {row.id for row in await all_chats(backend, 50)} == {stand.chat_id, other}
    users = [each.text for each in (await backend.chat(stand.chat_id)).messages if each.role == "user"]
    assert users == ["Hello"]


async def test_all_chats_go_at_once(stand: Stand):
    kept_by_the_server(stand)
    if not stand.row.caps.delete_all:
        pytest.skip("one by one")
    backend = stand.backend()
    await said(stand, backend, "Hello")
    await said(stand, backend, "Hello", chat_id=str(uuid.uuid4()))
    assert await backend.delete_all() == 2
    assert await all_chats(backend, 50) == []
    assert await backend.delete_all() == 0


async def test_a_vote_can_be_given_changed_and_read(stand: Stand):
    if not stand.row.caps.votes or not stand.row.stores_answers:
        pytest.skip("there is nothing to vote on")
    backend = stand.backend()
    await said(stand, backend, "Hello")
    message = (await backend.chat(stand.chat_id)).messages[-1]
    assert dict(await backend.votes(stand.chat_id)) == {}
    for up in (True, False):
        await backend.vote(stand.chat_id, message.id, up)
        assert dict(await backend.votes(stand.chat_id)) == {message.id: up}
    assert len(stand.posts) == 1
