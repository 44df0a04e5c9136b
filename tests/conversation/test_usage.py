"""Tokens: added up, never twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.events import Usage
from kai_tui.conversation.fold import fold_stream
from kai_tui.conversation.usage import StreamTokens, Tokens, tokens_in
from tests.fixture_cases import FIXTURES


def counted(*chunks: dict[str, object]) -> Tokens:
    stream = StreamTokens()
    for chunk in chunks:
        for event in events_from_chunk(chunk):
            if isinstance(event, Usage):
                stream.note(event)
    return stream.tokens


def data(prompt: int, completion: int, **more: object) -> dict[str, object]:
    counts = {"promptTokens": prompt, "completionTokens": completion}
    fields = {key: more.pop(key) for key in ("id", "transient") if key in more}
    return {"type": "data-usage", "data": {**counts, **more}, **fields}


def step(prompt: int, completion: int) -> dict[str, object]:
    return {"type": "finish-step", "usage": {"promptTokens": prompt, "completionTokens": completion}}


def finish(prompt: int, completion: int) -> dict[str, object]:
    return {"type": "finish", "usage": {"promptTokens": prompt, "completionTokens": completion}}


@pytest.mark.parametrize(
    ("chunks", "total"),
    [
        ([], 0),
        ([data(10, 5), data(20, 5)], 40),
        ([data(10, 5, totalTokens=15), step(10, 5), finish(10, 5)], 15),
        ([step(10, 5), step(20, 5)], 40),
        ([step(10, 5), step(20, 5), finish(30, 10)], 40),
        ([step(10, 5), finish(150, 50)], 200),
        ([data(10, 5), step(10, 5), data(20, 5), step(20, 5), finish(30, 10)], 40),
        ([data(10, 5, id="u"), data(30, 10, id="u")], 40),
        ([data(10, 5, id="u"), data(30, 10, id="v")], 55),
        ([{"type": "data-usage", "data": {"totalTokens": 7}}], 7),
        ([{"type": "data-usage", "data": {"totalTokens": -7, "promptTokens": True}}], 0),
        ([{"type": "data-usage", "data": "many"}, {"type": "finish", "usage": []}], 0),
    ],
)
def test_the_same_tokens_are_not_counted_twice(chunks: list[dict[str, object]], total: int) -> None:
    assert counted(*chunks).total == total


def test_all_counts_are_kept() -> None:
    usage = data(812, 96, totalTokens=908, cacheReadTokens=512, cacheWriteTokens=3, reasoningTokens=40)
    assert counted(usage, finish(812, 96)) == Tokens(812, 96, 908, 512, 3, 40)


@pytest.mark.parametrize(("name", "total"), [("legacy-usage", 650), ("legacy-tool-read", 200)])
def test_recorded_streams(name: str, total: int) -> None:
    lines = (FIXTURES / "kai-legacy" / f"{name}.sse").read_text(encoding="utf-8").split("\n")
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert counted(*chunks).total == total


def test_stored_messages_count_by_their_parts() -> None:
    message = fold_stream([{"type": "start"}, data(10, 5), data(1, 1, transient=True), data(20, 5)])
    assert tokens_in([message, message]).total == 80
    assert tokens_in([fold_stream([{"type": "data-usage", "data": None}])]) == Tokens()


@given(st.lists(st.sampled_from(["data", "step", "finish"]), max_size=12), st.data())
def test_counts_never_go_down_and_never_beyond_their_sum(sources: list[str], draw: st.DataObject) -> None:
    stream = StreamTokens()
    everything = Tokens()
    for source in sources:
        counts = [draw.draw(st.none() | st.integers(0, 1000)) for _ in range(6)]
        usage = Usage(*counts, source=source)  # type: ignore[arg-type]
        before = stream.tokens
        stream.note(usage)
        everything += Tokens.of(usage)
        assert stream.tokens.at_least(before) == stream.tokens
        assert everything.at_least(stream.tokens) == everything


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["input", "total", "x"]), inner),
    )
)
def test_a_note_of_any_shape_is_read(note: object) -> None:
    tokens = Tokens.noted(note)
    assert Tokens.noted(tokens.to_note()) == tokens
