"""KISS AI Stack as a backend: one question in, one whole answer out, nothing remembered (kiss-ai-stack.md).

Chats live on this computer only (`caps.history`). A question that failed left nothing on the server, so
whatever went wrong, it may be sent again: its errors count as not sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final

from kai_tui.backends.base import (
    BackendError,
    Capabilities,
    Chat,
    ChatSummary,
    LocalChats,
    OnRefused,
    OnWait,
    Outgoing,
    Page,
    Refused,
    ServerFailed,
    ServerInfo,
    Unsupported,
)
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.kiss import documents
from kai_tui.backends.kiss.access import Keep, KissAccess, KissClient
from kai_tui.backends.kiss.address import stack_address
from kai_tui.backends.kiss.memory import with_earlier
from kai_tui.backends.kiss.shelf import Shelf
from kai_tui.backends.kiss.wire import Scope, StackAnswer, Value, query_body, sources
from kai_tui.backends.local_chats import NoChats
from kai_tui.backends.multipart import LocalFile, OnProgress
from kai_tui.backends.plain_chat import PlainChat
from kai_tui.backends.secret import Secret
from kai_tui.backends.without_extras import without_files
from kai_tui.conversation.events import (
    Event,
    Finish,
    Start,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    WholePart,
)

if TYPE_CHECKING:
    import httpx

SECONDS_TO_LEAVE: Final = 3.0
"""How long leaving the program may take to close a temporary client."""
_NOTHING_KEPT: Final = "The stack keeps nothing of it: you can send it again."
_CAPS: Final = Capabilities(approval="none", tokens=False, history="local")
_TEXT: Final = "0"


async def _keep_nothing(client: KissClient | None) -> None:
    """For who does not want to be known next time."""


class KissBackend(PlainChat):
    """One stack server. Implements `Backend`, and documents besides.

    `chats`: where chats are kept. `known` is who we were at the last start, `keep` is told whom to be at the next one. `scope` says what
    a client that has to be made shall be. With `send_earlier` the turns before a question go with it as
    text: the server itself remembers nothing. Nothing is asked of the server before the first use.
    """

    system = "KISS AI Stack"

    def __init__(
        self,
        address: str,
        *,
        chats: LocalChats | None = None,
        scope: Scope = "persistent",
        known: KissClient | None = None,
        keep: Keep = _keep_nothing,
        send_earlier: bool = False,
        secure: bool | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Raises CannotConnect for addresses a credential must not go to; `secure` as in `stack_address`."""
        base = address if transport is not None else stack_address(address, secure=secure)
        self._door = HttpDoor(base, transport=transport, timeouts=timeouts)
        self._access = KissAccess(self._door, scope=scope, known=known, keep=keep)
        self._shelf = Shelf(self._access, lambda: self.host)
        self._chats: LocalChats = chats if chats is not None else NoChats()
        self._send_earlier = send_earlier
        self._left = False

    @property
    def caps(self) -> Capabilities:
        return _CAPS

    @property
    def host(self) -> str:
        """The server's name, for sentences."""
        return self._door.host

    @property
    def scope(self) -> Scope:
        """Whether the server keeps our documents when we leave."""
        return self._access.scope

    @property
    def documents(self) -> Shelf:
        """What was stored in this run."""
        return self._shelf

    @property
    def on_wait(self) -> OnWait | None:
        """Told when a request pauses before another try."""
        return self._door.on_wait

    @on_wait.setter
    def on_wait(self, listener: OnWait | None) -> None:
        self._door.on_wait = listener

    @property
    def on_refused(self) -> OnRefused | None:
        """Told when the server lets us in with nothing we have; a token that ran out is renewed silently."""
        return self._access.on_refused

    @on_refused.setter
    def on_refused(self, listener: OnRefused | None) -> None:
        self._access.on_refused = listener

    @property
    def on_notice(self) -> Callable[[str], None] | None:
        """Told sentences for the user, such as that the server has forgotten our documents."""
        return self._access.on_notice

    @on_notice.setter
    def on_notice(self, listener: Callable[[str], None] | None) -> None:
        self._access.on_notice = listener

    async def connect(self) -> ServerInfo:
        """Sign in and start the stack (§9)."""
        async with aclosing(self._access.enter()) as steps:
            async for _ in steps:
                pass
        return await self.about()

    async def about(self) -> ServerInfo:
        """What is known of the server; it says nothing about itself (§1)."""
        return ServerInfo(
            host=self.host,
            service="kiss-ai-stack",
            name=self.system,
            details={"scope": self.scope},
            address=self._door.base_url,
        )

    async def alive(self) -> str:
        """Ask for anything: the server's refusal is the sign of life, for it has no health endpoint (§1).

        It tells no time.
        """
        await self._door.request("GET", "/", auth=False, also=(401, 404))
        return ""

    async def aclose(self) -> None:
        """Close a temporary client, within three seconds and as far as possible; then all connections."""
        if not self._left:
            self._left = True
            with suppress(BackendError, TimeoutError):
                async with asyncio.timeout(SECONDS_TO_LEAVE):
                    await self._access.leave()
        await self._door.aclose()

    def renew(self, token: Secret) -> None:
        """There is nothing to type: it gets its tokens itself."""
        raise Unsupported("A KISS AI Stack gives out its own tokens; there is none to type in.")

    async def start_over(self, scope: Scope) -> None:
        """Be somebody new from the next request on. Documents stored so far are out of reach then."""
        await self._access.start_over(scope)

    async def hang_up(self, *, streams: bool = True) -> None:
        """Drop all connections; what follows connects anew."""
        await self._door.hang_up(streams=streams)

    async def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncGenerator[Event, None]:
        """POST /queries (§4): statuses, then the whole answer with its documents at once.

        Close it to hang up; the server thinks on and throws the answer away (§7).
        """
        if not outgoing.text.strip():
            raise Refused("There is nothing to send: the message is empty.", code="empty")
        without_files(outgoing, self.system)
        text = with_earlier(outgoing.text, outgoing.earlier or ()) if self._send_earlier else outgoing.text
        answer: StackAnswer | None = None
        try:
            async with aclosing(self._access.ask("/queries", query_body(text), on_wait=on_wait)) as steps:
                async for step in steps:
                    if isinstance(step, StackAnswer):
                        answer = step
                    else:
                        yield Status(step)
        except BackendError as error:
            raise _may_go_again(error, self.host) from None
        if answer is not None:
            for event in _events(answer):
                yield event

    async def store(
        self,
        files: Sequence[LocalFile],
        metadata: Mapping[str, Value] | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> Sequence[documents.StoredFile]:
        """Give the stack documents to answer from (§5), and tell truly which of them it stored.

        See `documents.store`; `documents.size_warning` says what to tell the user before.
        """
        return await documents.store(
            self._access, files, metadata or {}, host=self.host, on_progress=on_progress
        )

    # Kept on this computer, by the store

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """Those on this computer: the server keeps none."""
        return await self._chats.chats(cursor=cursor, limit=limit)

    async def chat(self, chat_id: str) -> Chat:
        """As it was kept on this computer."""
        return await self._chats.chat(chat_id)

    async def delete(self, chat_id: str) -> None:
        """From this computer."""
        await self._chats.delete(chat_id)


def _events(answer: StackAnswer) -> list[Event]:
    found: list[Event] = [Start()]
    if answer.text:
        found += [TextStart(_TEXT), TextDelta(_TEXT, answer.text), TextEnd(_TEXT)]
    found += [WholePart(part) for part in sources(answer)]
    return [*found, Finish("stop")]


def _may_go_again(error: BackendError, host: str) -> BackendError:
    """The error of a question, which left nothing behind whatever happened (§3)."""
    if isinstance(error, ServerFailed) and error.status == 500:
        error.sentence = (
            f"{host} could not answer this (500) and gives no reason: its model may be out of reach, "
            "or none of its tools fits."
        )
    if error.delivery == "unsure":
        error.sentence = f"{error.sentence} {_NOTHING_KEPT}"
        error.delivery = "not-sent"
    error.args = (error.sentence,)
    return error
