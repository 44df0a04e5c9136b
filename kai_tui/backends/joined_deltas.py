"""Deltas that follow each other as one: whoever hears of them needs the text, not how it was cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kai_tui.conversation.events import Event, ReasoningDelta, TextDelta


def joined_deltas(events: Iterable[Event]) -> Iterator[Event]:
    """The same events, with deltas of one text or thought joined where nothing stands between them."""
    first: TextDelta | ReasoningDelta | None = None
    pieces: list[str] = []
    for event in events:
        kind = type(event)
        if kind is TextDelta or kind is ReasoningDelta:
            assert isinstance(event, TextDelta | ReasoningDelta)
            if event.provider_metadata is None:
                if first is not None and type(first) is kind and first.id == event.id:
                    pieces.append(event.delta)
                    continue
                if first is not None:
                    yield _whole(first, pieces)
                first, pieces = event, [event.delta]
                continue
        if first is not None:
            yield _whole(first, pieces)
            first = None
        yield event
    if first is not None:
        yield _whole(first, pieces)


def _whole(first: TextDelta | ReasoningDelta, pieces: list[str]) -> Event:
    return first if len(pieces) == 1 else type(first)(first.id, "".join(pieces))
