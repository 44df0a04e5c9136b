"""Knowrithm as a backend: conversations with an agent on the server, each answer whole (knowrithm.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, cast

from kai_tui.backends.agents import NO_AGENT
from kai_tui.backends.base import (
    MESSAGE_UNSURE,
    BackendError,
    Capabilities,
    Chat,
    ChatSummary,
    OnRefused,
    OnWait,
    Outgoing,
    Page,
    Refused,
    ServerInfo,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.backends.chosen_agents import ChosenAgents
from kai_tui.backends.http import Answer, Timeouts
from kai_tui.backends.knowrithm.access import (
    ApiKey,
    Credential,
    KeepLogin,
    KeptMeanwhile,
    KnowrithmAccess,
    Login,
)
from kai_tui.backends.knowrithm.address import knowrithm_address
from kai_tui.backends.knowrithm.agents import KnowrithmAgents
from kai_tui.backends.knowrithm.at_once import at_once
from kai_tui.backends.knowrithm.conversations import Conversations, gone
from kai_tui.backends.knowrithm.messages import answer_events
from kai_tui.backends.knowrithm.names import Names, OnName
from kai_tui.backends.knowrithm.offers import Offers, only_active
from kai_tui.backends.knowrithm.shelf import Shelf
from kai_tui.backends.knowrithm.tasks import Pace, ack_of, hint_of
from kai_tui.backends.knowrithm.turns import Turn
from kai_tui.backends.knowrithm.whose import whose
from kai_tui.backends.knowrithm.wire import MessageRow, opened, rows_of
from kai_tui.backends.plain_chat import PlainChat
from kai_tui.backends.secret import Secret
from kai_tui.backends.tolerant import whole
from kai_tui.backends.without_extras import without_files
from kai_tui.conversation.events import Event, JsonObject, Start, Status

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.system import Memory

_CAPS: Final = Capabilities(approval="none", history="server", delete=True, restore=True)
_MAKING: Final = "Opening a conversation…"


async def _keep_nothing(login: Login) -> None:
    """For who signs in anew each time."""


class KnowrithmBackend(PlainChat):
    """One account at one server. Implements `Backend`; `offers` has agents, documents and websites.

    `agent_id`: whom a new chat is with while `memory` knows nobody; None until `choose_agent`, unless there
    is only one. The server
    names chats and messages itself: `names` and `on_name` keep which of our ids stand for which of its
    (see `Names`), `keep` the tokens of a sign-in that was renewed; `kept_meanwhile` are those another
    window kept.
    """

    system = "Knowrithm"

    def __init__(
        self,
        address: str,
        credential: Credential,
        *,
        agent_id: str | None = None,
        names: Mapping[str, str] | None = None,
        on_name: OnName | None = None,
        keep: KeepLogin = _keep_nothing,
        kept_meanwhile: KeptMeanwhile | None = None,
        before_closing: Callable[[], Awaitable[None]] | None = None,
        pace: Pace | None = None,
        memory: Memory | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Raises CannotConnect for addresses a credential must not go to."""
        base = address if transport is not None else knowrithm_address(address)
        self._access = KnowrithmAccess(
            base,
            credential,
            keep=keep,
            kept_meanwhile=kept_meanwhile,
            pace=pace,
            transport=transport,
            timeouts=timeouts,
        )
        self._before_closing = before_closing
        self._names = Names(names, on_name)
        self.conversations = Conversations(self._access, self._names)
        self.offers = Offers(self._access)
        self._chosen = ChosenAgents(memory, agent_id)
        self._agents = KnowrithmAgents(self)
        self._shelf = Shelf(
            self.offers, self._access.pace, self._access.sleep, self._agent_for, self._known_agent
        )
        self._making = asyncio.Lock()
        self._no_stream: int | None = None
        """With which status the server refused event streams: switched off (503), or an old server (404)."""

    @property
    def caps(self) -> Capabilities:
        return _CAPS

    @property
    def host(self) -> str:
        """The server's name, for sentences."""
        return self._access.host

    @property
    def agent_id(self) -> str | None:
        """Whom a new chat is with."""
        return self._chosen.last

    @property
    def agents(self) -> KnowrithmAgents:
        """Agents to choose from."""
        return self._agents

    async def recall_agents(self) -> None:
        """Know who was chosen in earlier runs."""
        await self._chosen.recall()

    async def keep_agents(self) -> None:
        """Keep who was chosen for the next run."""
        await self._chosen.keep()

    def choose_agent(self, agent_id: str | None) -> None:
        """New chats are with this one; chats that are there stay with theirs."""
        self._chosen.choose(agent_id)

    @property
    def documents(self) -> Shelf:
        """What the agent of a chat looks things up in."""
        return self._shelf

    def _known_agent(self, chat_id: str | None) -> str | None:
        """Whom a chat (None: a new one) is with, as far as is known."""
        found = self.conversations.agent_of(chat_id) if chat_id is not None else None
        return found or self._chosen.last

    async def _agent_for(self, chat_id: str | None) -> str:
        return self._known_agent(chat_id) or await self._agent()

    @property
    def on_wait(self) -> OnWait | None:
        """Told when a request pauses before another try."""
        return self._access.door.on_wait

    @on_wait.setter
    def on_wait(self, listener: OnWait | None) -> None:
        self._access.door.on_wait = listener

    @property
    def on_refused(self) -> OnRefused | None:
        """Told when the credential was refused for good; tokens that ran out are renewed silently."""
        return self._access.on_refused

    @on_refused.setter
    def on_refused(self, listener: OnRefused | None) -> None:
        self._access.on_refused = listener

    def renew(self, token: Secret) -> None:
        """Another secret for the same key, or another access token for the same sign-in."""
        current = self._access.credential
        if isinstance(current, ApiKey):
            self._access.use(ApiKey(current.key, token))
        elif isinstance(current, Login):
            self._access.use(Login(token, current.refresh))

    def use(self, credential: Credential) -> None:
        """Another credential of the same kind from now on."""
        self._access.use(credential)

    # The server

    async def connect(self) -> ServerInfo:
        """Check the credential (§2) and ask who answers."""
        await self._chosen.recall()
        who = await self.who()
        info = await self.about()
        return ServerInfo(
            info.host, info.service, info.name, info.version, {**info.details, **who}, info.address
        )

    async def who(self) -> JsonObject:
        """User, company and key, as they came; see `whose`."""
        return await whose(self._access)

    async def about(self) -> ServerInfo:
        """GET /health (§10)."""
        answer = await self._health()
        body: Any = opened(answer.content.decode("utf-8", "replace"))
        details = cast("JsonObject", body) if isinstance(body, dict) else {}
        version = details.get("version")
        return ServerInfo(
            host=self.host,
            service="knowrithm",
            name=self.system,
            version=version if isinstance(version, str) else "",
            details=details,
            address=self._access.door.base_url,
        )

    async def alive(self) -> str:
        """GET /health; its own time, where it tells it."""
        body: Any = opened((await self._health()).content.decode("utf-8", "replace"))
        said = cast("JsonObject", body).get("timestamp") if isinstance(body, dict) else None
        return said if isinstance(said, str) else ""

    async def _health(self) -> Answer:
        """The sources differ on where it is; it needs no credential (§10)."""
        answer = await self._access.request("GET", "/health", auth=False, also=(401, 403, 404))
        if answer.status == 200 and "html" not in answer.media_type:
            return answer
        try:
            answer = await self._access.request("GET", "/v1/health", auth=False)
        except TokenRefused:
            answer = await self._access.request("GET", "/v1/health")
        if "html" in answer.media_type:
            answer.json()  # raises: a login page, or the vendor's website
        return answer

    async def aclose(self) -> None:
        """Close all connections, once what the caller keeps is kept."""
        if self._before_closing is not None:
            await self._before_closing()
        await self._access.door.aclose()

    async def hang_up(self, *, streams: bool = True) -> None:
        """Drop all connections; answers that are waited for are asked for by polling then."""
        await self._access.door.hang_up(streams=streams)

    async def sign_out(self) -> None:
        """POST /auth/logout: the tokens of a sign-in end. A key stays as it is."""
        if isinstance(self._access.credential, Login):
            answer = await self._access.request("POST", "/v1/auth/logout")
            await self._access.outcome(answer, what="Signing out failed")

    # Chats

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """The user's own conversations, page by page (§8)."""
        return await self.conversations.list(cursor, limit)

    async def chat(self, chat_id: str) -> Chat:
        """All messages of a chat (§8)."""
        return await self.conversations.read(chat_id)

    async def delete(self, chat_id: str) -> None:
        """Delete a chat; `conversations.restore` brings it back (§8)."""
        await self.conversations.delete(chat_id)

    async def restore(self, chat_id: str) -> None:
        """Bring a deleted chat back (§3)."""
        await self.conversations.restore(chat_id)

    async def deleted_chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """Conversations that can be brought back, page by page."""
        return await self.conversations.deleted(cursor, limit)

    async def votes(self, chat_id: str) -> Mapping[str, bool]:
        """What the server has in `user_feedback`; nothing is known about setting it (§11)."""
        found: dict[str, bool] = {}
        for message in (await self.chat(chat_id)).messages:
            facts: Any = message.metadata
            said = cast("JsonObject", facts).get("user_feedback") if isinstance(facts, dict) else None
            if isinstance(said, int) and said:
                found[message.id] = said > 0
        return found

    async def new_chat(self, title: str, *, agent_id: str | None = None) -> ChatSummary:
        """Make a conversation on the server, before anything is said in it (§7)."""
        return await self.conversations.create(agent_id or await self._agent(), title)

    async def _agent(self) -> str:
        """Whom a new chat is with. Raises Refused when the user has to choose."""
        await self._chosen.recall()
        if self._chosen.last is None:
            try:
                only = only_active(await self.offers.agents())
            except BackendError as error:
                error.delivery = "not-sent"
                raise
            if only is None:
                raise Refused("Choose the agent to talk to first.", code=NO_AGENT)
            self._chosen.choose(only.id)
            return only.id
        return self._chosen.last

    async def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncGenerator[Event, None]:
        """Send a message, in a new conversation when the chat is new, and wait for the answer (§5, §7).

        Close it to stop waiting: the server goes on and stores its answer.
        """
        if not outgoing.text.strip():
            raise Refused("There is nothing to send: the message is empty.", code="empty")
        without_files(outgoing, self.system)
        if outgoing.new_chat and not self._names.known(chat_id):
            yield Status(_MAKING)
            async with self._making:
                if not self._names.known(chat_id):
                    made = await self.new_chat(outgoing.text)
                    self._names.learn(chat_id, made.id)
        turn = Turn(
            self._access,
            self._names.theirs(chat_id),
            self.conversations.seen(chat_id),
            lambda message_id: self.conversations.recent(chat_id, message_id),
        )
        try:
            turn.no_stream = self._no_stream
            if self._no_stream is None:
                await turn.open(self.conversations.path(chat_id, "/messages/stream"))
            turn.posting()
            answer = await self._post(chat_id, outgoing, on_wait)
            if turn.no_stream in (503, 404):
                self._no_stream = turn.no_stream
            async with aclosing(self._events(turn, chat_id, outgoing, answer)) as events:
                async for event in events:
                    yield event
        finally:
            await turn.close()

    async def _post(self, chat_id: str, outgoing: Outgoing, on_wait: OnWait | None) -> Answer:
        """POST …/chat: at most once, but for tries that provably reached nobody."""
        try:
            answer = await self._access.request(
                "POST",
                self.conversations.path(chat_id, "/chat"),
                body={"message": whole(outgoing.text)},
                also=(404,),
                rule="until-reached",
                on_wait=on_wait,
                patient=True,
                unsure_note=MESSAGE_UNSURE,
            )
        except BackendError as error:
            if error.delivery == "unsure":
                self.conversations.doubt(chat_id, outgoing.message_id, outgoing.text)
            raise
        if answer.status == 404:
            error = gone(answer)
            error.delivery = "not-sent"
            raise error
        return answer

    async def _events(
        self, turn: Turn, chat_id: str, outgoing: Outgoing, answer: Answer
    ) -> AsyncGenerator[Event, None]:
        try:
            body: Any = answer.json()
        except UnexpectedAnswer as error:
            self.conversations.doubt(chat_id, outgoing.message_id, outgoing.text)
            error.sentence = f"{error.sentence} {MESSAGE_UNSURE}"
            raise
        ack = ack_of(body, self._access.door.base_url)
        seen = self.conversations.seen(chat_id)
        if ack is None:
            row = at_once(body, whole(outgoing.text), seen)
            if row is not None:
                for asked in rows_of(MessageRow, body, "messages", "history"):
                    if (
                        asked.role == "user"
                        and asked.id
                        and asked.text == whole(outgoing.text)
                        and asked.id not in seen
                    ):
                        self._names.learn(outgoing.message_id, asked.id)
                yield Start()
                if row.id:
                    seen.add(row.id)
                for event in answer_events(row):
                    yield event
                return
        if ack is not None and ack.message_id:
            self._names.learn(outgoing.message_id, ack.message_id)
        elif not self._names.known(outgoing.message_id):
            self.conversations.doubt(chat_id, outgoing.message_id, outgoing.text)
        waiting = turn.wait(ack, whole(outgoing.text), hint_of(body, answer))
        async with aclosing(waiting) as events:
            async for event in events:
                yield event
