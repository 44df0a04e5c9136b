"""Leaving: connections that are dropped, and nothing that stays behind."""

from __future__ import annotations

import asyncio
import gc
import os
import uuid
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import CannotConnect
from kai_tui.conversation.events import Event, Finish
from tests.backends.kai_server import TIMEOUT
from tests.contract.calls import ALWAYS, OPTIONAL, error_of
from tests.contract.stand import MARK, Stand, failure, folded, said


async def test_after_leaving_nothing_is_sent_any_more(stand: Stand):
    backend = stand.backend()
    await backend.connect()
    await said(stand, backend, "Hello")
    await backend.aclose()
    await backend.aclose()
    before = len(stand.seen)
    calls = [*ALWAYS.items(), *((name, call) for name, (promised, call) in OPTIONAL.items())]
    for name, call in calls:
        error = await error_of(call(stand, backend))
        assert error is None or error.delivery == "not-sent", name
    assert isinstance(await failure(backend.send(stand.chat_id, stand.outgoing("Hello"))), CannotConnect)
    assert len(stand.seen) == before


async def test_leaving_before_anything_was_asked(stand: Stand):
    backend = stand.backend()
    await backend.aclose()
    assert stand.seen == []


@pytest.mark.some(3)
async def test_no_task_and_no_file_stays_open(stand: Stand):
    await used(stand)  # what is opened once and for all
    await asyncio.sleep(0.01)
    tasks, files = _tasks(), _open_files()
    await used(stand)
    async with asyncio.timeout(TIMEOUT):
        while _tasks() != tasks or _open_files() > files:
            gc.collect()
            await asyncio.sleep(0.005)


async def used(stand: Stand) -> None:
    """Connect, talk, read, break off in the middle, and leave."""
    stand.chat_id = str(uuid.uuid4())
    backend = stand.backend()
    await backend.connect()
    await said(stand, backend, "Hello")
    if stand.row.caps.history == "server":
        await backend.chats()
    stand.speak(["One ", MARK])
    held = stand.break_answer("hold")
    task = asyncio.create_task(_read(stand, backend))
    await asyncio.wait_for(held.reached.wait(), TIMEOUT)
    stand.mend()
    await backend.aclose()
    await error_of(task)


def _tasks() -> int:
    return len(asyncio.all_tasks())


def _open_files() -> int:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("open files can be counted on Linux only")
    return len(os.listdir("/proc/self/fd"))


async def _read(stand: Stand, backend: Any) -> list[Event]:
    async with aclosing(backend.send(stand.chat_id, stand.outgoing("Hi"))) as events:
        return [event async for event in events]


@pytest.mark.some(4)
@pytest.mark.parametrize("streams", [True, False])
async def test_hanging_up_drops_what_is_asked_for_and_the_next_request_goes_through(
    stand: Stand, streams: bool
):
    backend = stand.backend()
    await backend.connect()
    await said(stand, backend, "Hello")
    stand.speak(["One ", "two ", MARK, " three"])
    held = stand.break_answer("hold")
    task = asyncio.create_task(_read(stand, backend))
    await asyncio.wait_for(held.reached.wait(), TIMEOUT)
    await backend.hang_up(streams=streams)
    if streams and not stand.inside:
        error = await error_of(task)
        if stand.row.loss == "raises":
            assert error is not None
            assert error.sentence
        else:
            finish = task.result()[-1]
            assert isinstance(finish, Finish)
            assert finish.reason == ("stop" if stand.row.loss == "heals" else "lost")
    else:
        await asyncio.sleep(0.01)
        assert not task.done() or stand.row.loss == "heals"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    stand.mend()
    stand.speak(["Back"])
    assert folded(await said(stand, backend, "Again")).text == "Back"
    assert stand.arrived == ["Hello", "Hi", "Again"]
