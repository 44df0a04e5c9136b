"""Joined deltas make the same message: how a text was cut is nobody's business."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.joined_deltas import joined_deltas
from kai_tui.conversation import events as e
from kai_tui.conversation.fold import fold_stream

ids = st.sampled_from(["", "0", "1"])
pieces = st.text("ab \n🚀\ud83d\ude00", max_size=3)
metadata = st.sampled_from([None, None, None, {"a": 1}])
events = st.one_of(
    st.builds(e.TextStart, ids),
    st.builds(e.TextDelta, ids, pieces, metadata),
    st.builds(e.TextDelta, ids, pieces),
    st.builds(e.ReasoningStart, ids),
    st.builds(e.ReasoningDelta, ids, pieces, metadata),
    st.builds(e.TextEnd, ids),
    st.builds(e.ReasoningEnd, ids),
    st.just(e.StartStep()),
    st.just(e.ResetStep()),
    st.builds(e.ToolInputStart, ids, st.just("query"), st.just({})),
    st.builds(e.ToolInputDelta, ids, pieces),
)


@given(st.lists(events, max_size=30))
def test_the_message_is_the_same(stream: list[e.Event]) -> None:
    joined = list(joined_deltas(stream))
    assert fold_stream(joined).to_wire() == fold_stream(stream).to_wire()
    assert len(joined) <= len(stream)


def test_deltas_of_one_block_become_one_and_nothing_else_does() -> None:
    stream: list[e.Event] = [
        e.TextDelta("0", "a"),
        e.TextDelta("0", "b"),
        e.TextDelta("1", "c"),
        e.ReasoningDelta("1", "d"),
        e.ReasoningDelta("1", "e"),
        e.TextEnd("0"),
        e.TextDelta("0", "f"),
        e.TextDelta("0", "g", {"cited": True}),
        e.TextDelta("0", "h"),
    ]
    assert list(joined_deltas(stream)) == [
        e.TextDelta("0", "ab"),
        e.TextDelta("1", "c"),
        e.ReasoningDelta("1", "de"),
        e.TextEnd("0"),
        e.TextDelta("0", "f"),
        e.TextDelta("0", "g", {"cited": True}),
        e.TextDelta("0", "h"),
    ]
