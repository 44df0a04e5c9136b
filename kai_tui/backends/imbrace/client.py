"""iMBRACE as a backend (imbrace.md): its agents, and bare models behind its completion endpoint."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from kai_tui.backends.base import (
    MESSAGE_UNSURE,
    BackendError,
    Capabilities,
    ChatTerms,
    LocalChats,
    NotFound,
    OnRefused,
    OnWait,
    Outgoing,
    Refused,
    ServerInfo,
    Suggestion,
    TokenRefused,
    ToolAnswer,
    Unsupported,
)
from kai_tui.backends.chosen_agents import ChosenAgents
from kai_tui.backends.continuation import answered
from kai_tui.backends.imbrace import wire
from kai_tui.backends.imbrace.agents import ImbraceAgents
from kai_tui.backends.imbrace.answers import ACCEPTS, reader_for
from kai_tui.backends.imbrace.chats import MODEL_CAPS, ImbraceChats
from kai_tui.backends.imbrace.completions import ACCEPTS as COMPLETION_ACCEPTS
from kai_tui.backends.imbrace.completions import completion_events, transcript
from kai_tui.backends.imbrace.enclosing import Enclosing
from kai_tui.backends.imbrace.endpoints import checked_id
from kai_tui.backends.imbrace.lacks import ImbraceLacks
from kai_tui.backends.imbrace.library import checked_url
from kai_tui.backends.imbrace.offers import MODEL_PREFIX
from kai_tui.backends.imbrace.places import Doors, Places, credential_headers, kind_of
from kai_tui.backends.imbrace.shelf import Shelf
from kai_tui.backends.imbrace.words import NO_AGENT, explained, in_our_words
from kai_tui.backends.local_chats import NoChats
from kai_tui.backends.turns import SILENCE, stream_turn
from kai_tui.conversation.events import Event, JsonObject
from kai_tui.conversation.messages import Message

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.http import Timeouts
    from kai_tui.backends.secret import Secret
    from kai_tui.backends.system import Memory

_USUAL_TERMS: Final = ChatTerms()
_ANSWER_UNSURE: Final = "Your decision may or may not have arrived."


class ImbraceBackend(ImbraceLacks, ImbraceChats):
    """One account at one iMBRACE. Implements `Backend`; what it has besides is in `endpoints`, `library`, `login`.

    `agent`: who new chats are with, an `Agent.id`, while `memory` knows none that was used last. A chat stays
    with the agent it was begun with until `choose` says otherwise. `model`: (model id, provider id) to use in
    place of an agent's own. `board`: locks data-board tools to one board. `chats` (else those of the memory)
    keep what is said with bare models.
    """

    def __init__(
        self,
        where: Places,
        credential: Secret,
        *,
        organization: str = "",
        agent: str | None = None,
        model: tuple[str, str] | None = None,
        board: str = "",
        memory: Memory | None = None,
        chats: LocalChats | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
        silence: float = SILENCE,
    ) -> None:
        """Raises CannotConnect for addresses a credential must not go to."""
        self._where, self._transport, self._timeouts = where, transport, timeouts
        self._kind = kind_of(credential)
        if chats is None:
            chats = memory.chats if memory is not None else NoChats()
        super().__init__(
            self._new_doors(credential, organization), organization, ChosenAgents(memory, agent), chats
        )
        self._retired: list[Doors] = []
        self._person = ""
        self._agents = ImbraceAgents(self)
        self._model, self._board = model, board
        self._silence = silence
        self._enclosing = Enclosing(self)
        self._shelf = Shelf(self, lambda chat_id: self.chosen if chat_id is None else self.agent_of(chat_id))
        self._on_wait: OnWait | None = None
        self._on_refused: OnRefused | None = None

    # Agents

    @property
    def agents(self) -> ImbraceAgents:
        """Agents and bare models to choose from."""
        return self._agents

    async def recall_agents(self) -> None:
        """Know what was chosen in earlier runs."""
        await self._chosen.recall()

    async def keep_agents(self) -> None:
        """Keep what was chosen for the next run."""
        await self._chosen.keep()

    def has_begun(self, chat_id: str) -> bool:
        """Whether something was said in this chat, as far as this run knows."""
        return self._chosen.of(chat_id) is not None

    def choose(self, agent_id: str | None, *, chat_id: str | None = None) -> None:
        """Choose the agent for new chats, or the one a chat goes on with from its next message."""
        self._chosen.choose(agent_id, chat_id)

    # Backend

    @property
    def attachments(self) -> Enclosing:
        """Files that go with a message."""
        return self._enclosing

    @property
    def documents(self) -> Shelf:
        """The knowledge files of a chat's agent."""
        return self._shelf

    @property
    def caps(self) -> Capabilities:
        """What the chosen agent can do: `AGENT_CAPS` or `MODEL_CAPS`."""
        return self.caps_of(self._chosen.last)

    @property
    def on_wait(self) -> OnWait | None:
        """Told when a request pauses before another try; messages tell the listener of their own."""
        return self._on_wait

    @on_wait.setter
    def on_wait(self, listener: OnWait | None) -> None:
        self._on_wait = listener
        self._listen(self._doors)

    @property
    def on_refused(self) -> OnRefused | None:
        """Told when any request was refused because of its credential."""
        return self._on_refused

    @on_refused.setter
    def on_refused(self, listener: OnRefused | None) -> None:
        self._on_refused = listener
        self._listen(self._doors)

    def renew(self, token: Secret) -> None:
        """Use another credential from now on; streams that are open go on with the one they began with."""
        if kind_of(token) == self._kind:
            for door in self._doors.all:
                door.renew(credential_headers(token, self._organization))
            return
        # Another kind goes in another header, and the server would prefer the old one (§2).
        self._retired.append(self._doors)
        self._kind = kind_of(token)
        self._doors = self._new_doors(token, self._organization)
        self._listen(self._doors)

    async def about(self) -> ServerInfo:
        """Health and version of the server, and whose credential this is once that is known."""
        info = await super().about()
        if self._person:
            info.details["signed in as"] = self._person
        return info

    async def connect(self) -> ServerInfo:
        """Ask who answers and whom the credential belongs to; an only agent is chosen by itself."""
        await self._chosen.recall()
        info = await self.about()
        person = await self.whoami()
        self._person = info.details["signed in as"] = person.email or person.id
        if self._chosen.last is None:
            try:
                agents = await self.account_agents()
            except BackendError:
                agents = ()  # a chat needs one, but the history can be read without
            if len(agents) == 1:
                self._chosen.choose(agents[0].id)
        return info

    async def aclose(self) -> None:
        """Close all connections."""
        for doors in (*self._retired, self._doors):
            for door in doors.all:
                await door.aclose()

    async def hang_up(self, *, streams: bool = True) -> None:
        """Drop all connections; what follows connects anew."""
        for doors in (*self._retired, self._doors):
            for door in doors.all:
                await door.hang_up(streams=streams)

    async def send(
        self,
        chat_id: str,
        outgoing: Outgoing,
        *,
        on_wait: OnWait | None = None,
    ) -> AsyncGenerator[Event, None]:
        """POST /v2/chat with a new message (§3), or a completion when the chat's agent is a bare model.

        It arrives at most once: only while the server provably was not reached it is tried again.
        Hanging up does not stop the server: `until_idle` tells when it is done (§7).
        """
        attachments = outgoing.attachments
        if not outgoing.text.strip() and not attachments:
            raise Refused("There is nothing to send: the message is empty.", code="empty")
        for each in attachments:
            checked_url(each.url)
        checked_id(chat_id)
        await self._chosen.recall()
        agent = self._agent_for(chat_id)
        if agent.startswith(MODEL_PREFIX):
            if attachments:
                raise Unsupported("A model without an agent takes no files. Choose an agent.")
            posted = self._complete(agent.removeprefix(MODEL_PREFIX), outgoing, on_wait)
        else:
            body = wire.chat_body(
                chat_id,
                agent,
                wire.user_message(outgoing),
                organization=self._organization,
                model=self._model,
                board=self._board,
            )
            posted = self._post_chat(chat_id, body, MESSAGE_UNSURE, on_wait, again=True)
        await self._begin(chat_id, agent)
        async with aclosing(posted) as events:
            async for event in events:
                yield event

    async def answer(
        self,
        chat_id: str,
        message: Message,
        answers: Sequence[ToolAnswer],
        *,
        terms: ChatTerms = _USUAL_TERMS,
    ) -> AsyncGenerator[Event, None]:
        """All answers in one POST of the assistant's message, with `is_tool_approval` (§6); yields the continuation.

        They go to the agent that asked, also when another one was chosen meanwhile.
        """
        if not answers:
            raise Refused("There is nothing to answer.", code="empty")
        checked_id(chat_id)
        await self._chosen.recall()
        agent = self._chosen.who_asked(chat_id) or self._agent_for(chat_id)
        if self.caps_of(agent).approval == "none":
            raise Unsupported("A model without an agent has no tools and asks nothing.")
        body = wire.chat_body(
            chat_id,
            agent,
            wire.answered_message(answered(message, answers, who="iMBRACE")),
            organization=self._organization,
            approval=True,
            model=self._model,
            board=self._board,
        )
        async with aclosing(self._post_chat(chat_id, body, _ANSWER_UNSURE, None, again=False)) as events:
            async for event in events:
                yield event

    async def suggestions(self) -> Sequence[Suggestion]:
        """What one could ask the chosen agent; nothing while none is chosen."""
        await self._chosen.recall()
        agent = self._chosen.last
        if agent is None:
            return ()
        if self.caps_of(agent) is MODEL_CAPS:
            raise Unsupported("A model without an agent suggests nothing.")
        return await self.suggestions_of(agent)

    # How

    async def _begin(self, chat_id: str, agent: str) -> None:
        """A message goes to this agent. The server tells of its own agents later; of a bare model only we know."""
        if not agent.startswith(MODEL_PREFIX):
            await self._chosen.asks(chat_id, agent)
        elif self._chosen.of(chat_id) != agent:
            await self._own_chats.keep_baggage(chat_id, {"agent": agent})
            self._chosen.choose(agent, chat_id)
            await self._chosen.keep()

    def _agent_for(self, chat_id: str) -> str:
        agent = self.agent_of(chat_id)
        if not agent:
            raise Refused("Choose an agent first: iMBRACE answers only through one.", code=NO_AGENT)
        return agent

    async def _post_chat(
        self, chat_id: str, body: JsonObject, note: str, on_wait: OnWait | None, *, again: bool
    ) -> AsyncGenerator[Event, None]:
        door, prefix = self._doors.to("ai_agent")
        turn = stream_turn(
            door,
            "POST",
            f"{prefix}/v2/chat",
            body=body,
            unsure_note=note,
            silence=self._silence,
            rule="until-reached" if again else "once",
            on_wait=on_wait,
            accepts=ACCEPTS,
            reader=reader_for(chat_id),
        )
        with in_our_words():
            async with aclosing(turn) as events:
                async for event in events:
                    yield event

    async def _complete(
        self, model: str, outgoing: Outgoing, on_wait: OnWait | None
    ) -> AsyncGenerator[Event, None]:
        door, prefix = self._doors.to("chat_ai")
        turn = stream_turn(
            door,
            "POST",
            f"{prefix}/completions",
            body=wire.completion_body(model, transcript(outgoing.earlier or (), outgoing.text)),
            unsure_note=MESSAGE_UNSURE,
            silence=self._silence,
            rule="until-reached",
            on_wait=on_wait,
            accepts=COMPLETION_ACCEPTS,
            reader=completion_events,
        )
        with in_our_words(self._no_endpoint):
            async with aclosing(turn) as events:
                async for event in events:
                    yield event

    def _no_endpoint(self, error: BackendError) -> BackendError:
        if isinstance(error, NotFound):
            self._no_completions = True
            return NotFound(
                f"{self.host} has no models without an agent. Choose an agent.", code=NO_AGENT, status=404
            )
        return explained(error)

    def _new_doors(self, credential: Secret, organization: str) -> Doors:
        return Doors(
            self._where,
            credential_headers(credential, organization),
            transport=self._transport,
            timeouts=self._timeouts,
        )

    def _listen(self, doors: Doors) -> None:
        def refused(error: TokenRefused) -> None:
            if self._on_refused is not None:
                explained(error)
                self._on_refused(error)

        for door in doors.all:
            door.on_wait = self._on_wait
            door.on_refused = refused if self._on_refused is not None else None
