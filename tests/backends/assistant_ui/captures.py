"""The recordings in fixtures/assistant-ui as answers, and what comes of them."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from kai_tui.backends.assistant_ui.body import Body
from kai_tui.backends.assistant_ui.config import ClientTool, Encoding
from kai_tui.backends.assistant_ui.parts import PartWriter, Waits, nothing_waits
from kai_tui.backends.assistant_ui.records import Records
from kai_tui.backends.assistant_ui.reply import Reading, reply_events
from kai_tui.backends.assistant_ui.state import StateTree
from kai_tui.backends.assistant_ui.state_view import StateView
from kai_tui.conversation.events import Event, Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.fixture_cases import folders

HOST = "aui.example"


@dataclass(frozen=True)
class Capture:
    """One `NN-name.json` with its `.body`."""

    path: Path

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @cached_property
    def meta(self) -> Any:
        return json.loads(self.path.read_text("utf-8"))

    @cached_property
    def body(self) -> bytes:
        return self.path.with_suffix(".body").read_bytes()

    @property
    def status(self) -> int:
        return self.meta["response"]["status"]

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.meta["response"]["headers"]}

    @property
    def cut(self) -> bool:
        """Whether its bytes are not all there were."""
        return "read_error" in self.meta["response"] or self.meta["response"]["closed_by_client"]

    @property
    def state(self) -> Any:
        body = self.meta["request"]["body"]
        return body.get("state") if isinstance(body, dict) else None


def captures() -> list[Capture]:
    """Every recorded answer to a chat request."""
    found = [
        Capture(path)
        for folder in folders("assistant-ui")
        for path in sorted(folder.glob("*/*.json"))
        if path.with_suffix(".body").exists()
    ]
    return [
        each
        for each in found
        if each.status == 200 and "application/json" not in each.headers["content-type"]
    ]


def capture(name: str) -> Capture:
    return next(each for each in captures() if each.name == name)


def vendor(name: str) -> Any:
    """What the vendor's decoder makes of a recording; None for those it was not given."""
    for folder in folders("assistant-ui"):
        if (folder / "vendor-decoder.json").exists():
            return json.loads((folder / "vendor-decoder.json").read_text("utf-8")).get(name)
    return None


def cuts(body: bytes, seed: int) -> list[bytes]:
    """The body in random pieces."""
    chance = random.Random(seed)
    pieces: list[bytes] = []
    at = 0
    while at < len(body):
        size = chance.choice((1, 2, 3, 7, 20, 100, 400))
        pieces.append(body[at : at + size])
        at += size
    return pieces


def response_of(
    pieces: Iterable[bytes], headers: dict[str, str], *, broken: bool = False, status: int = 200
) -> httpx.Response:
    class Stream(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece
            if broken:
                raise httpx.RemoteProtocolError("incomplete chunked read")

    return httpx.Response(
        status, headers=headers, stream=Stream(), request=httpx.Request("POST", f"https://{HOST}/api/chat")
    )


def asks(*names: str) -> Waits:
    """Calls of these tools wait for the user."""
    return lambda name: ClientTool() if name in names else None


@dataclass
class Read:
    """What came of an answer."""

    events: list[Event]
    message: Message
    tree: StateTree

    @property
    def finish(self) -> Finish:
        return self.message.finish or Finish("unknown")

    @property
    def parts(self) -> list[Any]:
        return [part.to_wire() for part in self.message.parts]

    @property
    def shown(self) -> list[Any]:
        """Its parts without the marks of steps."""
        return [part for part in self.parts if part["type"] != "step-start"]


async def read(
    response: httpx.Response,
    *,
    encoding: Encoding | None = None,
    state: Any = None,
    waits: Waits = nothing_waits,
    answered: frozenset[str] = frozenset(),
    into: Message | None = None,
) -> Read:
    """Read an answer as the client does; Finish has to come once and last."""
    tree = StateTree(state)
    writer = PartWriter(waits, answered)
    reading = Reading(HOST, Records(writer, StateView(tree, writer)), encoding, waits)
    message = into.reopened() if into is not None else Message()
    folding = FoldState()
    events: list[Event] = []
    async with aclosing(reply_events(Body(response, HOST), reading)) as stream:
        async for event in stream:
            events.append(event)
            fold(message, event, folding)
    assert [type(event) for event in events].count(Finish) == 1
    assert isinstance(events[-1], Finish)
    return Read(events, message, tree)
