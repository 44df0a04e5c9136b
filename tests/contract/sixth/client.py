"""Parrot as a backend: one POST, and the answer as plain text while it comes."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from kai_tui.backends.base import (
    MESSAGE_UNSURE,
    Capabilities,
    Chat,
    ChatSummary,
    LocalChats,
    OnRefused,
    OnWait,
    Outgoing,
    Page,
    Refused,
    ServerInfo,
)
from kai_tui.backends.failures import TRANSPORT_ERRORS
from kai_tui.backends.http import HttpDoor, Timeouts
from kai_tui.backends.local_chats import NoChats
from kai_tui.backends.plain_chat import PlainChat
from kai_tui.backends.secret import Secret
from kai_tui.backends.tolerant import whole
from kai_tui.backends.turns import SILENCE, stream_turn
from kai_tui.backends.without_extras import without_files
from kai_tui.conversation.events import Event, Finish, Start, TextDelta, TextEnd, TextStart

if TYPE_CHECKING:
    import httpx

CAPS = Capabilities(approval="none", history="local")


class ParrotBackend(PlainChat):
    """One parrot. Implements `Backend`."""

    system = "Parrot"

    def __init__(
        self,
        address: str,
        token: Secret,
        *,
        chats: LocalChats | None = None,
        timeouts: Timeouts | None = None,
        silence: float = SILENCE,
    ) -> None:
        self._door = HttpDoor(address, auth_headers={"x-parrot": token}, timeouts=timeouts)
        self._chats: LocalChats = chats if chats is not None else NoChats()
        self._silence = silence

    @property
    def caps(self) -> Capabilities:
        return CAPS

    @property
    def host(self) -> str:
        return self._door.host

    @property
    def on_wait(self) -> OnWait | None:
        return self._door.on_wait

    @on_wait.setter
    def on_wait(self, listener: OnWait | None) -> None:
        self._door.on_wait = listener

    @property
    def on_refused(self) -> OnRefused | None:
        return self._door.on_refused

    @on_refused.setter
    def on_refused(self, listener: OnRefused | None) -> None:
        self._door.on_refused = listener

    async def connect(self) -> ServerInfo:
        return await self.about()

    async def about(self) -> ServerInfo:
        await self._door.request("GET", "/who")
        return ServerInfo(self.host, "parrot", name=self.system, address=self._door.base_url)

    async def alive(self) -> str:
        await self._door.request("GET", "/who")
        return ""

    async def aclose(self) -> None:
        await self._door.aclose()

    def renew(self, token: Secret) -> None:
        self._door.renew({"x-parrot": token})

    async def hang_up(self, *, streams: bool = True) -> None:
        await self._door.hang_up(streams=streams)

    async def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncGenerator[Event, None]:
        if not outgoing.text.strip():
            raise Refused("There is nothing to send: the message is empty.", code="empty")
        without_files(outgoing, self.system)
        turn = stream_turn(
            self._door,
            "POST",
            "/say",
            body={"text": whole(outgoing.text)},
            unsure_note=MESSAGE_UNSURE,
            silence=self._silence,
            rule="until-reached",
            on_wait=on_wait,
            accepts=("text/plain",),
            reader=_events,
        )
        async with aclosing(turn) as events:
            async for event in events:
                yield event

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        return await self._chats.chats(cursor=cursor, limit=limit)

    async def chat(self, chat_id: str) -> Chat:
        return await self._chats.chat(chat_id)

    async def delete(self, chat_id: str) -> None:
        await self._chats.delete(chat_id)


async def _events(response: httpx.Response) -> AsyncGenerator[Event, None]:
    decoder, begun = getincrementaldecoder("utf-8")("replace"), False
    try:
        async for data in response.aiter_bytes():
            text = decoder.decode(data)
            if not begun:
                begun = True
                yield Start()
                yield TextStart("0")
            if text:
                yield TextDelta("0", text)
    except TRANSPORT_ERRORS:
        yield Finish("lost", detail="The parrot fell silent.")
        return
    if not begun:
        yield Start()
        yield TextStart("0")
    yield TextEnd("0")
    yield Finish("stop")
