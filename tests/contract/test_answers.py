"""An answer from the server to its Finish: whole, in order, as it was said, and ended in every way there is."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from kai_tui.backends.base import ConnectionLost, Outgoing
from kai_tui.conversation.events import Event, Finish, TextDelta
from tests.backends.kai_server import TIMEOUT
from tests.contract.stand import MARK, SHORT, Stand, collect, failure, folded, said, whole
from tests.hostile_payloads import hostile_texts

SPOKEN = [
    *("Hello", " from", " the", " server. "),
    *("Příliš žluťoučký ", "kůň úpěl", " ďábelské ódy. "),
    *("😀 ", "👩‍👩‍👧‍👦", " 🇨🇿", " e\u0301 "),
    *("你好，", "世界。", "こんにちは "),
    *("שלום ", "עולם ", "مرحبا "),
    *("# One\n\n", "```sql\nSELECT 1;\n```\n", "\r\n| a | b |\n", "  \n"),
    *(" ", "\n\n", "\t", "x", "  "),
]
HALVES = ["half \ud83d", "\ude00 half"]


def streams_text(events: list[Event]) -> list[str]:
    return [event.delta for event in events if isinstance(event, TextDelta)]


@pytest.mark.some(6)
async def test_text_arrives_in_order_and_ends_once(stand: Stand):
    stand.speak(SPOKEN)
    events = await said(stand, stand.backend(), "Say something")
    assert "".join(streams_text(events)) == "".join(SPOKEN)
    message = folded(events)
    assert message.text == "".join(SPOKEN)
    assert message.finish == events[-1]
    assert message.finish.reason in ("stop", "unknown")
    assert stand.arrived == ["Say something"]


async def test_halves_of_a_character_are_joined(stand: Stand):
    if not stand.row.halves:
        pytest.skip("this encoding cannot carry halves")
    stand.speak(HALVES)
    assert whole(folded(await said(stand, stand.backend(), "Hi")).text) == "half 😀 half"


@pytest.mark.some(6)
async def test_a_megabyte_is_nothing_special(stand: Stand):
    pieces = [f"{number:06} žluťoučký kůň 你好 😀 ".ljust(32_768, "x") for number in range(32)]
    stand.speak(pieces)
    events = await said(stand, stand.backend(), "Say much")
    assert folded(events).text == "".join(pieces)


@pytest.mark.some(8)
async def test_hostile_text_arrives_raw(stand: Stand):
    """It is made harmless at the screen, and nowhere before (D1)."""
    pieces = [text for _, text in hostile_texts(longest=2000)]
    if not stand.row.halves:  # nobody can write halves of characters in UTF-8
        pieces = [text.encode("utf-8", "replace").decode() for text in pieces]
    stand.speak(pieces)
    found = folded(await said(stand, stand.backend(), "Hi")).text
    assert whole(found) == whole("".join(pieces))


@pytest.mark.some(6)
async def test_what_the_user_says_arrives_as_it_was_typed(stand: Stand):
    backend = stand.backend()
    stand.speak(["ok"])
    texts = ["Příliš 😀 你好 שלום", 'a\tb\n\n  c \\ " {x} <b>', "\x1b[31mred\x07 \u202e\u2066", "y" * 100_000]
    for text in texts:
        await said(stand, backend, text)
    assert [text.rstrip() for text in stand.arrived] == texts


@pytest.mark.some(17)
@pytest.mark.parametrize("text", ["", " ", "\n\t "])
async def test_nothing_is_not_sent(stand: Stand, text: str):
    error = await failure(stand.backend().send(stand.chat_id, stand.outgoing(text)))
    assert error.delivery == "not-sent"
    assert stand.seen == []


async def test_words_are_there_before_the_answer_is_over(stand: Stand):
    if stand.row.text == "whole":
        pytest.skip("this server gives its answer in one piece")
    stand.speak(["One ", "two ", MARK])
    held = stand.break_answer("hold")
    backend = stand.backend()
    async with (
        asyncio.timeout(TIMEOUT),
        aclosing(backend.send(stand.chat_id, stand.outgoing("Hi"))) as events,
    ):
        heard = ""
        async for event in events:
            heard += event.delta if isinstance(event, TextDelta) else ""
            if heard == "One two ":
                break
        await asyncio.wait_for(held.reached.wait(), TIMEOUT)
    await _left(stand, held)


@pytest.mark.some(6)
async def test_closing_hangs_up_and_the_server_sees_it(stand: Stand):
    stand.speak(["One ", "two ", MARK])
    held = stand.break_answer("hold")
    backend = stand.backend()
    task = asyncio.create_task(_read(backend, stand.chat_id, stand.outgoing("Hi")))
    await asyncio.wait_for(held.reached.wait(), TIMEOUT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _left(stand, held)
    assert len(stand.posts) == 1
    # The chat goes on.
    stand.mend()
    stand.speak(["Here"])
    stand.known.add(stand.chat_id)
    assert folded(await said(stand, backend, "Again")).text == "Here"
    assert len(stand.posts) == 2


async def _read(backend: Any, chat_id: str, outgoing: Outgoing) -> list[Event]:
    async with aclosing(backend.send(chat_id, outgoing)) as events:
        return [event async for event in events]


async def _left(stand: Stand, held: Any) -> None:
    await asyncio.wait_for(held.left.wait(), TIMEOUT)
    if stand.row.stop == "post":
        async with asyncio.timeout(TIMEOUT):
            while not [seen for seen in stand.seen if seen.path.endswith("/cancel")]:
                await asyncio.sleep(0.001)


@pytest.mark.some(11)
@pytest.mark.parametrize("how", ["reset", "cut"])
async def test_of_an_answer_that_breaks_off_what_came_is_kept(stand: Stand, how: Any):
    stand.speak(["One ", "two ", MARK, " three"])
    stand.break_answer(how)
    backend = stand.backend()
    if stand.row.loss == "raises":
        error = await failure(backend.send(stand.chat_id, stand.outgoing("Hi")))
        assert isinstance(error, ConnectionLost)
        assert error.delivery == ("not-sent" if stand.row.repeatable else "unsure")
    else:
        events = await said(stand, backend, "Hi")
        finish = events[-1]
        assert isinstance(finish, Finish)
        if stand.row.loss == "heals":
            assert (folded(events).text, finish.reason) == (f"One two {MARK} three", "stop")
        else:
            assert (folded(events).text, finish.reason) == ("One two ", "lost")
            assert finish.detail
    assert len(stand.posts) == 1


@pytest.mark.some(6)
async def test_an_answer_that_stands_still_is_given_up(stand: Stand):
    stand.speak(["One ", "two ", MARK, " three"])
    stand.stand_still()
    backend = stand.backend(timeouts=SHORT, silence=0.2)
    if stand.row.loss == "raises":
        error = await failure(backend.send(stand.chat_id, stand.outgoing("Hi")))
        assert isinstance(error, ConnectionLost)
        assert error.code == "timeout"
    else:
        events = await said(stand, backend, "Hi")
        finish = events[-1]
        assert isinstance(finish, Finish)
        assert finish.reason == "lost"
        assert finish.detail
    assert len(stand.posts) == 1


@pytest.mark.some(6)
async def test_two_chats_at_once_do_not_mix(stand: Stand):
    backend = stand.backend()
    other = "35fa9159-d0a5-45a5-96a4-a63f546c9f3b"
    stand.speak(["One ", "two ", MARK])
    held = stand.break_answer("hold")
    first = asyncio.create_task(_read(backend, stand.chat_id, stand.outgoing("first")))
    await asyncio.wait_for(held.reached.wait(), TIMEOUT)
    stand.speak(["The other one"])
    events = await collect(backend.send(other, stand.outgoing("second", chat_id=other)))
    assert folded(events).text == "The other one"
    assert not first.done()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert sorted(stand.arrived) == ["first", "second"]
