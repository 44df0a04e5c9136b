"""Recorded streams with something wrong in them, the same ones for the same seed (t_fuzz)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from tests.fixture_cases import cases

KINDS = ("ai-sdk", "ai-sdk-v7", "kai-legacy")
ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**400, "", "\u202e\ud800", "a" * 5000, [], {}, [[]], {"type": "text"}, "__proto__", "0",
)  # fmt: skip
ODD_BYTES = (
    b"\n\n", b"\r\n\r\n", b"\r", b"\xef\xbb\xbf", b"\x00", b"\xff\xfe", b": ping\n\n", b"data\n\n", b"data:[DONE]\n\n",
    b"data: {\n\n", b"data: " + b"[" * 3000 + b"\n\n", b"event: error\n", b"id: \x00\n", b"retry: 1\n", b"\xe2\x80\xa8",
    b'data: {"type":"finish"}\n\n', b'data: {"type":"start-step"}\n\n', b'data: {"type":"reset-step"}\n\n',
    b'data: {"type":"error","errorText":"no"}\n\n', b'data: {"type":"abort"}\n\n', b"data: NaN\n\n",
)  # fmt: skip


def bodies() -> list[bytes]:
    """Every recorded stream."""
    return [path.read_bytes() for kind in KINDS for path in cases(kind, "*.sse")]


def mutated(streams: Sequence[bytes], seed: int) -> list[bytes]:
    """One stream with one to six things wrong, in the pieces in which it arrives."""
    chance = random.Random(seed)
    body = chance.choice(streams)
    for _ in range(chance.randint(1, 6)):
        body = chance.choice(_CHANGES)(body, chance, streams)[:200_000]
    return pieces(body, chance)


def pieces(body: bytes, chance: random.Random) -> list[bytes]:
    """The body cut at some places."""
    if not body:
        return []
    cuts = sorted(chance.sample(range(len(body) + 1), min(len(body), chance.choice((0, 1, 3, 30)))))
    return [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True) if a < b]


def _flip(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _insert(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(ODD_BYTES) + body[at:]


def _other_line_ends(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    return body.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\n", b"")))


def _no_empty_lines(body: bytes, _: random.Random, __: Sequence[bytes]) -> bytes:
    return body.replace(b"\n\n", b"\n")


def _events(change: Callable[[list[bytes], random.Random], list[bytes]]) -> Change:
    def changed(body: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
        return b"\n\n".join(change(body.split(b"\n\n"), chance))

    return changed


def _drop(events: list[bytes], chance: random.Random) -> list[bytes]:
    return [event for event in events if chance.random() > 0.2]


def _repeat(events: list[bytes], chance: random.Random) -> list[bytes]:
    return [event for event in events for _ in range(chance.choice((1, 1, 1, 2, 4)))]


def _swap(events: list[bytes], chance: random.Random) -> list[bytes]:
    swapped = list(events)
    for _ in range(chance.randint(1, 5)):
        a, b = chance.randrange(len(swapped)), chance.randrange(len(swapped))
        swapped[a], swapped[b] = swapped[b], swapped[a]
    return swapped


def _shuffle(events: list[bytes], chance: random.Random) -> list[bytes]:
    return chance.sample(events, len(events))


def _splice(body: bytes, chance: random.Random, streams: Sequence[bytes]) -> bytes:
    """Two answers in one, each in its order."""
    mine, theirs = body.split(b"\n\n"), chance.choice(streams).split(b"\n\n")
    mixed: list[bytes] = []
    while mine or theirs:
        mixed.append((mine if mine and (not theirs or chance.random() < 0.5) else theirs).pop(0))
    return b"\n\n".join(mixed)


def _odd_values(events: list[bytes], chance: random.Random) -> list[bytes]:
    """Fields lost, renamed, of another kind, or with another event's value."""
    chunks = [_chunk(event) for event in events]
    known = [chunk for chunk in chunks if chunk]
    changed: list[bytes] = []
    for event, chunk in zip(events, chunks, strict=True):
        if chunk is None or not known or chance.random() > 0.25:
            changed.append(event)
            continue
        key = chance.choice(list(chunk))
        donor = chance.choice(known) or {"type": "text-delta"}
        what = chance.randrange(4)
        if what == 0:
            del chunk[key]
        elif what == 1:
            chunk[key] = chance.choice(ODD_VALUES)
        elif what == 2:
            chunk[chance.choice(list(donor))] = chance.choice(list(donor.values()))
        else:
            chunk["type"] = donor.get("type")
        changed.append(b"data: " + json.dumps(chunk).encode())
    return changed


def _chunk(event: bytes) -> dict[str, Any] | None:
    try:
        chunk = json.loads(event.removeprefix(b"data:"))
    except (ValueError, RecursionError):
        return None
    return chunk if isinstance(chunk, dict) and chunk else None


Change = Callable[[bytes, random.Random, Sequence[bytes]], bytes]
_CHANGES: tuple[Change, ...] = (
    _flip, _cut, _insert, _other_line_ends, _no_empty_lines, _splice,
    *(_events(change) for change in (_drop, _repeat, _swap, _shuffle, _odd_values, _odd_values)),
)  # fmt: skip
