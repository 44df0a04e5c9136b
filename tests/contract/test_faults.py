"""The fault matrix (reliability.md §3) at the door of every system, and a credential that goes nowhere else."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from typing import Any

import pytest

from kai_tui.backends.base import (
    MESSAGE_UNSURE,
    AnswerTooLarge,
    BackendError,
    CannotConnect,
    ConnectionLost,
    UnexpectedAnswer,
    Waiting,
)
from kai_tui.conversation.events import Event, Finish
from kai_tui.conversation.messages import TextPart
from tests.backends.fault_server import BY_NAME, FAULTS, Fault, black_hole, closed_port
from tests.backends.kai_server import Exchange, Hangup, answer, hang_up
from tests.backends.test_stream_faults import assert_fit_for_a_person
from tests.backends.test_token_scope import Eavesdropper
from tests.contract.calls import every_call
from tests.contract.stand import SHORT, Stand, collect, failure, folded, said

OF_STREAMS = {
    "json-instead", "empty-200", "204", "gzip", "empty-stream", "cut-before-the-first-event",
    "stall-before-the-first-event",
}  # fmt: skip
"""Answers that are none where a stream is wanted; elsewhere they may be one."""
ANYWHERE = [fault for fault in FAULTS if fault.error is not None and fault.name not in OF_STREAMS]
EACH_TIME = ("403", "413", "429-retry-after-7", "503-retry-after-12", "500", "502-html", "login-page",
             "302-to-elsewhere.example", "307-to-elsewhere.example", "closed-before-answering")  # fmt: skip
SAID_OTHERWISE = {"404-chat", "404-of-a-proxy"}


async def meets(stand: Stand, fault: Fault) -> BackendError | list[Event]:
    """What a message comes to that meets this fault, in a chat that was there before."""
    backend = stand.backend()
    if stand.chat_id not in stand.known:
        await said(stand, backend, "Hello")
    if fault.needs_short_clocks:
        backend = stand.backend(timeouts=SHORT, silence=0.2)
        with suppress(BackendError):
            await backend.connect()
    stand.fault(fault.handler)
    try:
        return await collect(backend.send(stand.chat_id, stand.outgoing("Hello")))
    except BackendError as error:
        return error
    finally:
        stand.mend()


def check(stand: Stand, fault: Fault, result: BackendError | list[Event], posts: int) -> None:
    if fault.error is not None:
        wanted_error = stand.otherwise.get(fault.name, fault.error)
        assert isinstance(result, wanted_error), fault.name
        wanted = "not-sent" if stand.row.repeatable and fault.delivery == "unsure" else fault.delivery
        assert (result.delivery, result.retry_after) == (wanted, fault.retry_after), fault.name
        sentence = result.sentence
        if wanted == "unsure":
            assert MESSAGE_UNSURE in sentence
        left_open = repr(result) + str(vars(result)) + "".join(traceback.format_exception(result))
        assert not any(secret in left_open for secret in stand.secrets()), fault.name
    else:
        assert isinstance(result, list), fault.name
        message = folded(result)
        assert message.finish is not None
        assert message.finish.reason == fault.finish
        assert next(part.text for part in message.parts if isinstance(part, TextPart)) == fault.text
        sentence = message.finish.detail or "fine"
    assert_fit_for_a_person(sentence)
    assert not any(secret in sentence for secret in stand.secrets())
    assert stand.is_kai or "Kai" not in sentence.replace("kai-tui", ""), sentence
    again = stand.row.repeatable and fault.name in ("401", "500", "500-empty")
    assert posts == (2 if again else 1), fault.name


@pytest.mark.some(6)
async def test_what_often_goes_wrong(stand: Stand):
    for name in EACH_TIME:
        before = len(stand.posts) if stand.chat_id in stand.known else 1
        result = await meets(stand, BY_NAME[name])
        check(stand, BY_NAME[name], result, len(stand.posts) - before)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_fault_of_the_matrix(stand: Stand, fault: Fault):
    if not stand.speaks_ui_messages and fault not in ANYWHERE:
        pytest.skip("a fault of another kind of answer")
    if stand.service == "assistant-ui" and fault.name in ("json-instead", "empty-200"):
        pytest.skip("JSON is an answer here, and nobody has to say what it is")
    result = await meets(stand, fault)
    check(stand, fault, result, len(stand.posts) - 1)
    if stand.speaks_ui_messages and fault.name not in SAID_OTHERWISE:
        finish = result[-1] if isinstance(result, list) else None
        sentence = result.sentence if isinstance(result, BackendError) else getattr(finish, "detail", None)
        for piece in fault.says:
            assert piece.split("127.0.0.1:PORT")[-1] in (sentence or "")


async def test_a_message_that_reaches_nobody_is_tried_three_times_and_was_not_sent(stand: Stand):
    waits: list[Waiting | None] = []
    backend = stand.backend(url=f"http://127.0.0.1:{closed_port()}")
    outgoing = stand.outgoing("Hello")
    stand.known.add(stand.chat_id)
    error = await failure(backend.send(stand.chat_id, outgoing, on_wait=waits.append))
    assert isinstance(error, CannotConnect)
    assert error.delivery == "not-sent"
    assert_fit_for_a_person(error.sentence)
    listened: list[Waiting | None] = []
    backend.on_wait = listened.append
    assert isinstance(await failure(backend.connect()), CannotConnect)
    told = [wait.attempt if wait else None for wait in waits or listened]
    assert told == [2, None, 3, None]
    assert stand.seen == []


async def test_a_black_hole_is_given_up(stand: Stand):
    async with black_hole() as port:
        backend = stand.backend(url=f"http://127.0.0.1:{port}", timeouts=SHORT)
        error = await failure(backend.connect())
        assert isinstance(error, CannotConnect)
        assert_fit_for_a_person(error.sentence)


@pytest.mark.some(4)
async def test_no_redirect_is_followed_and_the_credential_goes_nowhere_else(
    stand: Stand, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    async with Eavesdropper() as other:
        for status, target in (
            (302, f"http://127.0.0.1:{other.port}/"),
            (307, f"http://localhost:{other.port}/x"),
            (308, f"//127.0.0.1:{other.port}/"),
        ):
            backend = stand.backend()
            stand.fault(answer(status, b"", {"location": target}), on=lambda seen: True)
            errors = await every_call(stand, backend)
            assert all(isinstance(error, BackendError) for error in errors)
            assert any(isinstance(error, UnexpectedAnswer) for error in errors)
            for error in errors:
                assert_fit_for_a_person(error.sentence)
            stand.mend()
        assert (other.connections, bytes(other.heard)) == (0, b"")
    secrets = stand.secrets()
    text = caplog.text + "".join(repr(backend) for backend in stand.backends)
    assert not any(secret in text for secret in secrets)


async def test_nothing_of_the_credential_is_in_logs(stand: Stand, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    backend = stand.backend()
    await backend.connect()
    await said(stand, backend, "Hello")
    stand.fault(hang_up)
    await failure(backend.send(stand.chat_id, stand.outgoing("Hello")))
    sent = [value for seen in stand.seen for value in seen.headers.values()]
    for secret in stand.secrets():
        assert secret not in caplog.text
        assert secret not in repr(backend) + repr(vars(backend))
    assert any(secret in value for secret in stand.secrets() for value in sent)


@pytest.mark.slow
async def test_an_answer_beyond_all_measure_is_cut_off(stand: Stand):
    piece = "0123456789abcdef" * 4096
    stand.speak([piece] * 600)
    backend = stand.backend()
    try:
        events = await said(stand, backend, "Say too much")
    except AnswerTooLarge as error:
        assert_fit_for_a_person(error.sentence)
    except ConnectionLost:
        raise
    else:
        finish = events[-1]
        assert isinstance(finish, Finish)
        assert finish.reason == "lost"
        assert "MiB" in (finish.detail or "")
        assert len(folded(events).text) <= 36 * 2**20
    assert len(stand.posts) == 1


async def test_garbage_is_no_answer_and_no_crash(stand: Stand):
    backend = stand.backend()
    await said(stand, backend, "Hello")
    before = len(stand.posts)

    async def garbage(exchange: Exchange) -> None:
        await exchange.start({"content-type": "application/octet-stream"})
        await exchange.write(bytes(range(256)) * 40)

    async def nothing_at_all(exchange: Exchange) -> None:
        raise Hangup

    kinds: list[Any] = [garbage, nothing_at_all, answer(200, b"[" * 5000), answer(418, b"\xff\xfe\x00")]
    for handler in kinds:
        stand.fault(handler)
        try:
            events = await collect(backend.send(stand.chat_id, stand.outgoing("Hello")))
        except BackendError as error:
            assert_fit_for_a_person(error.sentence)
        else:
            assert isinstance(events[-1], Finish)
        stand.mend()
    assert len(stand.posts) - before == len(kinds)
