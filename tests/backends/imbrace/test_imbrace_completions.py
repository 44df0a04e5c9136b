"""A bare model as an agent: the completion endpoint, streamed and whole, with the memory it has not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.base import Attachment, NotFound, Unsupported
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.imbrace.completions import MAX_REMEMBERED, OpenAiChunks, completion_events, transcript
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from tests.backends.imbrace.kit import CHAT, account, collect, failing, folded, say
from tests.backends.kai_server import stream
from tests.fakes.imbrace import ImbraceFake
from tests.recordings import response_of
from tests.some import examples

POST = "POST /v3/ai/completions"


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


@pytest.fixture
async def backend(fake: ImbraceFake) -> AsyncIterator[ImbraceBackend]:
    made = account(fake.url, agent="model:gpt-stub")
    yield made
    await made.aclose()


def chunk(content: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    delta = {} if content is None else {"content": content}
    body = {
        "id": "c1",
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }
    return b"data: %s\n\n" % json.dumps(body).encode()


DONE = b"data: [DONE]\n\n"


async def read(*pieces: bytes, content_type: str = "text/event-stream") -> list[e.Event]:
    return await collect(completion_events(response_of([b"".join(pieces)], content_type=content_type)))


async def test_a_model_answers_and_what_was_said_goes_along(fake: ImbraceFake, backend: ImbraceBackend):
    first = folded(await collect(backend.send(CHAT, say("Hello"))))
    assert first.text == "1 messages, the last: Hello"
    assert first.finish == e.Finish("stop", "stop", stored=False)
    assert fake.calls(POST)[0].body == {
        "model": "gpt-stub", "messages": [{"role": "user", "content": "Hello"}], "stream": True,
    }  # fmt: skip
    assert not fake.chats


async def test_what_was_said_before_goes_along(fake: ImbraceFake, backend: ImbraceBackend):
    earlier = [
        Message.user("u", "One"),
        Message.from_wire({"id": "a", "role": "assistant", "parts": [{"type": "text", "text": "Two"}]}),
        Message("empty"),
    ]
    await collect(backend.send(CHAT, replace(say("Three"), earlier=earlier)))
    assert [each["content"] for each in fake.calls(POST)[0].body["messages"]] == ["One", "Two", "Three"]


async def test_what_a_model_can_do(backend: ImbraceBackend):
    assert (backend.caps.approval, backend.caps.history, backend.caps.votes) == ("none", "local", False)
    assert backend.caps_of("asst_stream").approval == "continuation"
    picture = Attachment("https://files.example.com/a.png")
    assert type(await failing(backend.send(CHAT, replace(say("x"), attachments=(picture,))))) is Unsupported
    from kai_tui.backends.base import ToolAnswer

    assert type(await failing(backend.answer(CHAT, Message(), [ToolAnswer("c", True)]))) is Unsupported


async def test_a_missing_endpoint_is_said_and_not_offered_again(fake: ImbraceFake, backend: ImbraceBackend):
    fake.completions = False
    error = await failing(backend.send(CHAT, say("Hello")))
    assert (type(error), error.code, error.delivery) == (NotFound, "agent", "not-sent")
    assert error.sentence.endswith("has no models without an agent. Choose an agent.")
    assert {each.kind for each in await backend.all_agents()} == {"agent"}


# Reading


async def test_a_stream_of_chunks_is_read():
    events = await read(
        chunk("Hel"), chunk("lo", "length"), chunk(usage={"prompt_tokens": 7, "completion_tokens": 5}), DONE
    )
    assert events == [
        e.Start("c1"),
        e.TextStart("1"),
        e.TextDelta("1", "Hel"),
        e.TextDelta("1", "lo"),
        e.Usage(7, 5, None),
        e.TextEnd("1"),
        e.Finish("length", "length", stored=False),
    ]


async def test_a_whole_answer_is_read_bare_or_wrapped():
    choices = [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]
    body = {"id": "c1", "model": "m", "choices": choices}
    for whole in (body, {"success": True, "data": body}):
        events = await read(json.dumps(whole).encode(), content_type="application/json")
        assert folded(events).text == "Hi"
        assert events[-1] == e.Finish("stop", "stop", stored=False)


async def test_reasoning_has_a_block_of_its_own():
    delta = {"choices": [{"delta": {"reasoning_content": "hmm"}}]}
    message = folded(await read(b"data: %s\n\n" % json.dumps(delta).encode(), chunk("So."), DONE))
    assert [part.type for part in message.parts] == ["reasoning", "text"]


async def test_how_completions_end():
    assert (await read(chunk("x"), DONE))[-1] == e.Finish("unknown", stored=False)
    assert (await read(chunk("x")))[-1] == e.Finish("lost", detail="Connection lost.", stored=False)
    failed = await read(chunk("x"), b'data: {"error":{"message":"overloaded"}}\n\n', DONE)
    assert failed[-1] == e.Finish("error", detail="overloaded", stored=False)
    assert (await read(b'data: {"error":"no"}\n\n', DONE))[-1] == e.Finish("error", detail="no", stored=False)
    unreadable = await read(chunk("x"), b"data: {broken\n\n" * 25, chunk("y", "stop"), DONE)
    assert unreadable[-1].reason == "lost"  # pyright: ignore
    with_noise = await read(chunk("x"), b"data: {broken\n\n" * 20, chunk("y", "stop"), DONE)
    assert folded(with_noise).text == "xy"


def test_a_long_conversation_loses_its_beginning_never_its_end():
    earlier = [Message.user(str(n), f"{n}" * (MAX_REMEMBERED // 5)) for n in range(10)]
    said = transcript(earlier, "last")
    assert sum(len(each["content"]) for each in said) <= MAX_REMEMBERED
    assert said[-1] == {"role": "user", "content": "last"}
    assert len(transcript((), "x" * (MAX_REMEMBERED + 1))) == 1


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "error", "usage", "message", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@examples(120)
@given(st.lists(ANY_JSON, max_size=10))
def test_no_chunk_makes_it_fail(bodies: list[Any]):
    chunks = OpenAiChunks()
    events = [event for body in bodies for event in chunks.take(body)]
    events += chunks.end()
    assert [isinstance(event, e.Finish) for event in events].count(True) == 1
    folded(events)


async def test_openai_chunks_inside_an_agents_stream_are_text(fake: ImbraceFake):
    fake.on("POST /ai-agent/v2/chat", stream(chunk("Hel") + chunk("lo", "stop") + DONE))
    backend = account(fake.url)
    message = folded(await collect(backend.send(CHAT, say("x"))))
    assert message.text == "Hello"
    assert message.finish == e.Finish("stop", "stop")
    await backend.aclose()
