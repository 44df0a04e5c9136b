"""Our fold against the SDK's own on random streams, versions 6 and 7, in one Node process per version."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kai_tui.backends.base import ToolAnswer
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.chunks import events_from_chunk
from kai_tui.conversation.fold import FoldState, fold, fold_stream
from kai_tui.conversation.messages import Message
from tests.peers.house import plain
from tests.peers.node_peer import FOLDER, installed
from tests.peers.random_models import random_script
from tests.peers.random_streams import Sdk, random_answer, random_continuation

pytestmark = pytest.mark.slow

BATCH = 100
SDKS: tuple[Sdk, ...] = (6, 7)


@dataclass(frozen=True)
class Folder:
    """The SDK's reader, a JSON line each way."""

    process: subprocess.Popen[str]

    def ask(self, questions: Iterable[dict[str, Any]]) -> list[Any]:
        """Line by line: neither side may wait for the other with a full pipe."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        answers: list[Any] = []
        for question in questions:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            assert "failed" not in answer, answer["failed"]
            answers.append(answer)
        return answers


@pytest.fixture(scope="module")
def folder() -> Iterator[Folder]:
    installed()
    process = subprocess.Popen(
        ["node", "fold-lines.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Folder(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def assert_same(mine: Message, theirs: dict[str, Any], chunks: list[Any], note: object) -> None:
    ours, other = plain(mine.to_wire()), plain(theirs)
    if not any(chunk["type"] == "start" and "messageId" in chunk for chunk in chunks):
        ours["id"] = other["id"]  # nobody said it
    assert ours == other, (note, json.dumps(chunks))


@pytest.mark.parametrize("batch", range(10))
@pytest.mark.parametrize("sdk", SDKS)
def test_an_answer_becomes_the_message_the_sdk_keeps(folder: Folder, sdk: Sdk, batch: int) -> None:
    seeds = range(batch * BATCH, (batch + 1) * BATCH)
    streams = [random_answer(seed, sdk) for seed in seeds]
    answers = folder.ask({"sdk": sdk, "chunks": chunks} for chunks in streams)
    for seed, chunks, answer in zip(seeds, streams, answers, strict=True):
        assert answer["taken"] == len(chunks), (seed, chunks[answer["taken"]])
        assert_same(fold_stream(chunks), answer["message"], chunks, seed)


@pytest.mark.parametrize("batch", range(5))
@pytest.mark.parametrize("sdk", SDKS)
def test_an_answered_message_goes_on_as_the_sdk_goes_on(folder: Folder, sdk: Sdk, batch: int) -> None:
    asked: list[tuple[int, Message]] = []
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        message = fold_stream(random_answer(seed, sdk))
        message.id = message.id or "m1"
        answers = [
            ToolAnswer(
                call.tool_call_id, approved=len(call.tool_call_id) % 2 == 0, reason="r" if seed % 2 else None
            )
            for call in pending(message)
        ]
        asked.append((seed, respond(message, answers)))
    streams = [random_continuation(seed, sdk, message.to_wire()) for seed, message in asked]
    answers_of_sdk = folder.ask(
        {"sdk": sdk, "chunks": chunks, "into": message.to_wire()}
        for (_, message), chunks in zip(asked, streams, strict=True)
    )
    for (seed, message), chunks, answer in zip(asked, streams, answers_of_sdk, strict=True):
        assert answer["taken"] == len(chunks), (seed, chunks[answer["taken"]])
        before = plain(message.to_wire())
        assert_same(fold_stream(chunks, message), answer["message"], chunks, seed)
        assert plain(message.to_wire()) == before


@pytest.mark.parametrize("batch", range(2))
def test_every_moment_the_sdk_shows_is_shown(folder: Folder, batch: int) -> None:
    """SDK 7 cannot be told from 6 in the middle of a step; at its end it can (test above)."""
    seeds = range(batch * BATCH, (batch + 1) * BATCH)
    streams = [random_answer(seed, 6) for seed in seeds]
    streams = [
        chunks[next((n for n, c in enumerate(chunks) if c["type"] == "start"), 0) :] for chunks in streams
    ]
    answers = folder.ask({"sdk": 6, "chunks": chunks, "show": True} for chunks in streams)
    for seed, chunks, answer in zip(seeds, streams, answers, strict=True):
        moments = iter(moments_of(chunks))
        for wanted in map(plain, answer["snapshots"]):
            assert any(same(moment, wanted) for moment in moments), (seed, wanted, json.dumps(chunks))


def moments_of(chunks: list[Any]) -> Iterator[Any]:
    message, state = Message(), FoldState()
    for chunk in chunks:
        for event in events_from_chunk(chunk):
            fold(message, event, state)
        yield plain(message.to_wire())


def same(ours: Any, theirs: Any) -> bool:
    return {**ours, "id": theirs["id"]} == theirs


@pytest.mark.parametrize("batch", range(3))
@pytest.mark.parametrize("sdk", SDKS)
def test_what_a_model_says_becomes_the_message_the_sdk_keeps(folder: Folder, sdk: Sdk, batch: int) -> None:
    """The chunks are the SDK's own this time."""
    seeds = range(batch * BATCH, (batch + 1) * BATCH)
    answers = folder.ask({"sdk": sdk, "script": random_script(seed)} for seed in seeds)
    for seed, answer in zip(seeds, answers, strict=True):
        chunks = answer["chunks"]
        assert answer["taken"] == len(chunks), (seed, chunks[answer["taken"]])
        assert_same(fold_stream(chunks), answer["message"], chunks, seed)
