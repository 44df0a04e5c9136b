"""A stand: one system with a server that can be made to do anything, and a backend that talks to it."""

from __future__ import annotations

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any, ClassVar

from kai_tui.backends.base import Backend, BackendError, LocalChats, Outgoing, ToolAnswer
from kai_tui.backends.http import Timeouts
from kai_tui.conversation.events import Event, Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from tests.backends.kai_server import TIMEOUT, Handler, KaiServer, Seen, answer
from tests.contract.breaking import Break, How
from tests.contract.front import SandboxInside
from tests.contract.table import TABLE, Row

AT_ONCE = Timeouts(pauses=(0.0, 0.0))
SHORT = Timeouts(connect=0.2, read=0.2, stream=0.2, total=0.4, pauses=(0.0, 0.0))
CANARY = "canary-1234-AbCdEf"
MARK = "MARK"
"""Before this word answers break."""


class Stand(ABC):
    """Use `open` first. `backend` gives the one backend of the test; it is closed with the stand."""

    name: ClassVar[str]
    asks: ClassVar[str | None] = None
    """What to say so that a tool call waits for a decision; None: this server has no such tools."""
    kind: ClassVar[str]
    """Of its accounts."""
    service: ClassVar[str] = ""
    """What the server is called in `ServerInfo`."""
    otherwise: ClassVar[Mapping[str, type[BackendError]]] = {}
    """Faults of tests/backends/fault_server.py that this system takes for something else."""
    inside: ClassVar[bool] = False
    """Whether it is in this process, without a socket."""
    is_kai: ClassVar[bool] = False
    speaks_ui_messages: ClassVar[bool] = False
    """Whether its answers are UI message streams, as those of tests/backends/fault_server.py."""

    def __init__(self) -> None:
        self.chat_id = str(uuid.uuid4())
        self.server: KaiServer | SandboxInside
        self.stack = AsyncExitStack()
        self.backends: list[Backend] = []
        self.chats: LocalChats | None = None
        """Where backends keep chats that no server keeps."""
        self._meddlers: list[tuple[Callable[[Seen], bool], Handler, bool]] = []
        self.known: set[str] = set()
        """Chats the server has."""

    # What a system has to say about itself

    @abstractmethod
    async def start(self) -> None:
        """Run the server; sets `server`."""

    @abstractmethod
    def make(self, url: str | None, credential: str | None, timeouts: Timeouts, silence: float) -> Backend:
        """A backend for the server, or for another address; with the right credential, or another one."""

    @abstractmethod
    def is_message(self, seen: Seen) -> bool:
        """Whether this request carries a message of the user to the server."""

    @abstractmethod
    def text_of(self, seen: Seen) -> str:
        """The user's words in such a request."""

    @abstractmethod
    def speak(self, pieces: Sequence[str]) -> None:
        """From now on every answer is this."""

    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """What must never be seen, of all this account's credentials there are by now."""

    def refusal(self) -> Handler:
        """How the server says that it does not take a credential."""
        return answer(401, {"code": "unauthorized:chat", "message": "Invalid token"})

    @abstractmethod
    def accept(self, credential: str) -> None:
        """From now on the server knows this credential, too."""

    def decision(self, yes: bool, answer: ToolAnswer) -> ToolAnswer:
        """The answer to a waiting call in this system's way."""
        return replace(answer, approved=yes)

    # What tests do with it

    @property
    def row(self) -> Row:
        return TABLE[self.name]

    async def open(self) -> None:
        await self.start()
        self.server.meddle = self._meddle

    async def aclose(self) -> None:
        for backend in self.backends:
            await backend.aclose()
        await self.stack.aclose()

    def backend(
        self,
        *,
        url: str | None = None,
        credential: str | None = None,
        timeouts: Timeouts = AT_ONCE,
        silence: float = 600.0,
    ) -> Backend:
        made = self.make(url, credential, timeouts, silence)
        self.backends.append(made)
        return made

    @property
    def seen(self) -> list[Seen]:
        return self.server.seen

    @property
    def posts(self) -> list[Seen]:
        """The messages that arrived."""
        return [seen for seen in self.seen if self.is_message(seen)]

    @property
    def arrived(self) -> list[str]:
        """What the user said, as far as the server knows."""
        return [self.text_of(seen) for seen in self.posts]

    def fault(
        self, handler: Handler, on: Callable[[Seen], bool] | None = None, *, once: bool = False
    ) -> None:
        """From now on requests `on` which this holds (usually: messages) are answered like this."""
        self._meddlers.append((on or self.is_message, handler, once))

    def mend(self) -> None:
        """Everything is answered as usual again."""
        self._meddlers.clear()

    def break_answer(self, how: How) -> Break:
        """The answer to the next message breaks off before `MARK`."""
        what = Break(MARK, how)
        self.fault(self._breaking(what), self.answers)
        return what

    def half_an_answer(self, how: How) -> Break:
        """The answer to the next message breaks off, and the server knows what it said of it."""
        self.speak(["One ", "two ", MARK, " three"])
        return self.break_answer(how)

    def stand_still(self) -> None:
        """The server begins to answer the next message and then says nothing more."""
        self.break_answer("hold")

    def answers(self, seen: Seen) -> bool:
        """Whether the answer to a message comes as the answer to this request."""
        return self.is_message(seen)

    def outgoing(self, text: str, **more: Any) -> Outgoing:
        """A message for the chat; it is new to the server until a message was answered there."""
        chat = more.pop("chat_id", self.chat_id)
        new = chat not in self.known
        return Outgoing(more.pop("message_id", str(uuid.uuid4())), text, new_chat=new, **more)

    def _breaking(self, what: Break) -> Handler:
        async def handler(exchange: Any) -> None:
            await what.of(self.usual(exchange.seen))(exchange)

        return handler

    def usual(self, seen: Seen) -> Handler:
        """What the server answers by itself."""
        return self.server.usual(seen)

    def _meddle(self, seen: Seen) -> Handler | None:
        for at in range(len(self._meddlers) - 1, -1, -1):
            holds, handler, once = self._meddlers[at]
            if holds(seen):
                if once:
                    del self._meddlers[at]
                return handler
        return self.instead(seen)

    def instead(self, seen: Seen) -> Handler | None:
        """What answers in the server's place when nothing is broken."""
        return None


# Reading


async def collect(events: Any) -> list[Event]:
    """All events; checks that the last one, and only that, is a Finish."""
    async with asyncio.timeout(TIMEOUT), aclosing(events) as stream:
        found = [event async for event in stream]
    assert [isinstance(event, Finish) for event in found].count(True) == 1
    assert isinstance(found[-1], Finish)
    return found


async def said(stand: Stand, backend: Backend, text: str, **more: Any) -> list[Event]:
    """Send a message and read the whole answer."""
    chat = more.get("chat_id", stand.chat_id)
    found = await collect(backend.send(chat, stand.outgoing(text, **more)))
    stand.known.add(chat)
    return found


def folded(events: Sequence[Event], into: Message | None = None) -> Message:
    message, state = into if into is not None else Message(), FoldState()
    for event in events:
        fold(message, event, state)
    return message


async def failure(work: Any) -> BackendError:
    """The error of a call, or of a stream that is read."""
    try:
        async with asyncio.timeout(TIMEOUT):
            if hasattr(work, "__aiter__"):
                async with aclosing(work) as stream:
                    found: Any = [event async for event in stream]
            else:
                found = await work
    except BackendError as error:
        return error
    raise AssertionError(f"nothing failed: {found!r}")


def whole(text: str) -> str:
    """Halves of characters that follow each other, joined."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
