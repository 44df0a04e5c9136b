"""The reader of event streams against the conformance corpus and hostile sizes (reliability.md §6, §9)."""

from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import json
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.base import AnswerTooLarge, BackendError, ConnectionLost, UnexpectedAnswer
from kai_tui.backends.sse import MAX_EVENT, MAX_REPLY, sse_batches, sse_data, sse_events
from tests.fixture_cases import case_id, cases
from tests.recordings import plain_data, recordings, response_of
from tests.some import examples

CASES = cases("sse-conformance", "*.json")
RANDOM_CUTS = 100


async def read(response: httpx.Response) -> list[tuple[str, str, str]]:
    return [(event.event, event.data, event.id) async for event in sse_events(response)]


def test_there_are_cases() -> None:
    assert len(CASES) >= 85


@pytest.mark.some(25)
@pytest.mark.parametrize("path", CASES, ids=case_id)
async def test_conforms(path: Path) -> None:
    """As recorded, whole, byte by byte and in 100 random cuts. Events without data are not delivered."""
    case = json.loads(path.read_text("utf-8"))
    if "chunks" not in case:
        pytest.skip("not a conformance case")
    expected = [(each["event"], each["data"], each["id"]) for each in case["expected"] if each["data"]]
    for pieces in cuttings(case):
        response = response_of(pieces, status=case["status"], content_type=case["content_type"])
        if case["accept"]:
            assert await read(response) == expected
        else:
            with pytest.raises(UnexpectedAnswer):
                await read(response)


def cuttings(case: dict[str, Any]) -> Iterator[list[bytes]]:
    recorded = [base64.b64decode(piece) for piece in case["chunks"]]
    whole = b"".join(recorded)
    yield recorded
    yield [whole]
    yield [whole[at : at + 1] for at in range(len(whole))]
    rng = random.Random(case["name"])
    for _ in range(RANDOM_CUTS):
        yield cut(whole, sorted(rng.sample(range(len(whole) + 1), min(len(whole), rng.randint(1, 9)))))


def cut(whole: bytes, at: list[int]) -> list[bytes]:
    return [whole[start:end] for start, end in zip([0, *at], [*at, len(whole)], strict=True)]


FIELDS = st.sampled_from(
    [
        "data: a",
        "data",
        "data:",
        "data:{}",
        "id: 1",
        "id",
        "event: x",
        "retry: 7",
        ": c",
        "",
        "\ufeffdata: b",
        "é",
    ]
)


@examples(200)
@given(
    st.lists(st.tuples(FIELDS, st.sampled_from(["\n", "\r", "\r\n"]))),
    st.lists(st.integers(0, 200)),
    st.booleans(),
)
async def test_cuts_and_line_ends_change_nothing(
    lines: list[tuple[str, str]], cuts: list[int], bom: bool
) -> None:
    """LF, CR and CRLF are one line end, wherever the bytes are cut."""
    marks = "\ufeff" * bom
    mixed = (marks + "".join(field + end for field, end in lines)).encode()
    plain = (marks + "".join(f"{field}\n" for field, _ in lines)).encode()
    # CR LF from two line ends is one line end: keep them apart.
    if any(a[1] == "\r" and not b[0] and b[1] == "\n" for a, b in itertools.pairwise(lines)):
        return
    pieces = cut(mixed, sorted(min(at, len(mixed)) for at in cuts))
    assert await read(response_of(pieces)) == await read(response_of([plain]))


@pytest.mark.parametrize("recording", recordings("ai-sdk"), ids=lambda recording: recording.name)
async def test_recordings_read_alike_in_any_pieces(recording: Any) -> None:
    expected = list(plain_data(recording.body))
    for size in (7, 1000, len(recording.body)):
        if len(recording.body) / size > 50_000:
            continue
        pieces = [recording.body[at : at + size] for at in range(0, len(recording.body), size)]
        assert [data async for data in sse_data(response_of(pieces))] == expected


async def _until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not met():
            await asyncio.sleep(0)


async def test_an_event_arrives_with_its_last_byte() -> None:
    """Also with bare CRs, where httpx-sse alone waits for what comes next."""
    arrived: list[str] = []

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"data: a\r\r"
            await _until(lambda: arrived == ["a"])
            yield b"\ndata: b\n\n"
            await _until(lambda: arrived == ["a", "b"])

    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    async for data in sse_data(response):
        arrived.append(data)
    assert arrived == ["a", "b"]


@pytest.mark.parametrize(
    ("status", "content_type", "says"),
    [
        (
            200,
            "text/html; charset=utf-8",
            "kai.example answered with text/html, not a stream (a login page or proxy?).",
        ),
        (200, "text/event-streamx", "answered with text/event-streamx, not a stream"),
        (200, None, "without saying what it is"),
        (503, "text/event-stream", "kai.example answered with status 503, not a stream."),
    ],
)
async def test_what_is_no_stream_is_said(status: int, content_type: str | None, says: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        await read(response_of([b"data: x\n\n"], status=status, content_type=content_type))
    assert says in caught.value.sentence
    assert caught.value.status == status


async def test_a_compressed_stream_is_refused() -> None:
    response = response_of([gzip.compress(b"data: x\n\n")])
    response.headers["content-encoding"] = "gzip"
    with pytest.raises(UnexpectedAnswer, match="compressed"):
        await read(response)


@pytest.mark.some(1)
@pytest.mark.parametrize(
    "line",
    [b"x", b"data: yes\n", b"data\n", b": comment\n"],
    ids=["one line", "lines", "empty lines", "comments"],
)
async def test_a_giant_event_is_cut_off_before_the_parser_has_it_whole(line: bytes) -> None:
    """P10: memory grows by at most 3 × 8 MiB, whatever is announced."""
    block = line * (64 * 1024 // len(line))

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"data: first\n\ndata: "
            for _ in range(64 * 1024 * 1024 // len(block)):
                yield block

    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    seen: list[str] = []
    tracemalloc.start()
    try:
        with pytest.raises(AnswerTooLarge, match="over 8 MiB"):
            async for data in sse_data(response):
                seen.append(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == ["first"]
    assert peak < 3 * MAX_EVENT


async def test_the_largest_event_that_is_taken() -> None:
    fits = b"data: " + b"x" * (MAX_EVENT - 6)
    [data] = [data async for data in sse_data(response_of([fits, b"\n\n"]))]
    assert len(data) == MAX_EVENT - 6
    whole = b"data: a\n\n" + fits + b"\n\n"
    assert len([data async for data in sse_data(response_of([whole]))]) == 2
    with pytest.raises(AnswerTooLarge):
        await read(response_of([fits, b"x\n\n"]))
    with pytest.raises(AnswerTooLarge):
        await read(response_of([fits + b"x\n\ndata: a\n\n"]))


async def test_a_reply_ends_at_its_cap() -> None:
    event = b"data: " + b"x" * 1_000_000 + b"\n\n"
    taken: list[str] = []
    with pytest.raises(AnswerTooLarge, match="over 32 MiB"):
        async for data in sse_data(response_of([event] * 40)):
            taken.append(data)
    assert len(taken) == MAX_REPLY // len(event)


@pytest.mark.parametrize(
    ("broken", "ours"),
    [
        (httpx.ReadError(""), ConnectionLost),
        (httpx.RemoteProtocolError("incomplete chunked read"), ConnectionLost),
        (httpx.ReadTimeout(""), ConnectionLost),
        (OSError("gone"), ConnectionLost),
        (ValueError("odd"), UnexpectedAnswer),
        (AssertionError(), UnexpectedAnswer),
        (AnswerTooLarge("ours"), AnswerTooLarge),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_whatever_breaks_is_one_of_our_errors(broken: Exception, ours: type[BackendError]) -> None:
    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"data: a\n\ndata: half"
            raise broken

    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    seen: list[str] = []
    with pytest.raises(ours) as caught:
        async for data in sse_data(response):
            seen.append(data)
    assert seen == ["a"]
    assert caught.value.sentence


async def test_hanging_up_closes_the_body() -> None:
    closed: list[bool] = []

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"data: a\n\n"

        async def aclose(self) -> None:
            closed.append(True)

    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    events = sse_data(response)
    assert await anext(events) == "a"
    await events.aclose()
    await response.aclose()
    assert closed


async def test_an_id_holds_for_later_events_wherever_the_bytes_are_cut() -> None:
    body = b"id: 7\ndata: a\n\n" + b"data: b\n\n" + b"id:  8\ndata: c\n\n" + b"data: d\n\nid\n\ndata: e\n\n"
    whole = [("message", "a", "7"), ("message", "b", "7"), ("message", "c", " 8"), ("message", "d", " 8")]
    for size in (1, 2, 7, 15, len(body)):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        assert await read(response_of(pieces)) == [*whole, ("message", "e", "")], size


async def test_events_that_come_together_are_given_together() -> None:
    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"data: a\n\nda"
            yield b"ta: b\n\nda"
            await asyncio.sleep(0.01)
            yield b"ta: c\n"
            yield b"\n"

    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    batches = [[event.data for event in batch] async for batch in sse_batches(response)]
    assert batches == [["a", "b"], ["c"]]
