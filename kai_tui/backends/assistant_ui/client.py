"""Assistant UI as a backend: a contract many servers keep, each in its own way (assistant-ui.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from kai_tui.backends.assistant_ui import wire
from kai_tui.backends.assistant_ui.config import AssistantUiConfig, ClientTool, checked
from kai_tui.backends.assistant_ui.headers import HeaderSource
from kai_tui.backends.assistant_ui.lacks import Lacks
from kai_tui.backends.assistant_ui.offers import Images
from kai_tui.backends.assistant_ui.threads import KeptThreads, Thread, ThreadStore
from kai_tui.backends.assistant_ui.turn import Connection, Request, turn_events
from kai_tui.backends.base import (
    MESSAGE_UNSURE,
    BackendError,
    Capabilities,
    Chat,
    ChatSummary,
    ChatTerms,
    LocalChats,
    NotAllowed,
    NotFound,
    OnRefused,
    OnWait,
    Outgoing,
    Page,
    Refused,
    ServerInfo,
    TokenRefused,
    ToolAnswer,
    ToolValue,
    Unsupported,
)
from kai_tui.backends.http import HttpDoor, Timeouts, segment
from kai_tui.backends.local_chats import NoChats
from kai_tui.backends.turns import SILENCE
from kai_tui.conversation.approvals import pending, wants_value
from kai_tui.conversation.events import Event, JsonObject, ToolOutputAvailable, ToolOutputDenied
from kai_tui.conversation.json_text import BadJson, decode_json
from kai_tui.conversation.messages import Message, ToolPart

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.secret import Secret

SERVICE: Final = "assistant-ui"

_CAPS: Final = Capabilities(approval="tool-result", history="local", tool_results=True, attachments=True)
_ANSWER_UNSURE: Final = "Your answer may or may not have arrived."
_IMAGES: Final = Images()
_SECONDS_TO_STOP: Final = 2.0
"""How long closing waits for stop requests that are on their way."""
_NO_SUCH_ROUTE: Final = frozenset({404, 405, 501})
_USUAL_TERMS: Final = ChatTerms()


class AssistantUiBackend(Lacks):
    """One server. Implements `Backend`; chat ids are its thread ids, chosen by the caller (§16).

    `chats` keeps the conversations, and what goes along with a thread: its state above all; `threads` may
    keep that in its place. Calls wait for a `ToolValue`. Beyond `Backend` there is `cancel`.
    Closing `send` or `answer` early also tells the server to stop (§13).
    """

    def __init__(
        self,
        config: AssistantUiConfig,
        threads: ThreadStore | None = None,
        *,
        chats: LocalChats | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeouts: Timeouts | None = None,
        silence: float = SILENCE,
    ) -> None:
        """Raises CannotConnect and Refused for a configuration that cannot work."""
        self._config = checked(config)
        self._caps = _CAPS._replace(takes_up=config.resume_path is not None)
        self._headers = HeaderSource(config)
        self._door = HttpDoor(
            config.base_url, credentials=self._headers, transport=transport, timeouts=timeouts
        )
        self._chats: LocalChats = chats if chats is not None else NoChats()
        self._threads: ThreadStore = threads if threads is not None else KeptThreads(self._chats)
        self._connection = Connection(self._door, self._config, self._threads, self._waits, silence)
        self._used_ids: dict[str, set[str]] = {}
        """Ids the server gave its messages, by thread: some give all the same."""
        self._said: dict[str, Sequence[Message]] = {}
        """The conversation up to the last message of this run, by thread: without what did not arrive."""
        self._stops: set[asyncio.Task[None]] = set()

    # Who answers

    @property
    def on_wait(self) -> OnWait | None:
        return self._door.on_wait

    @on_wait.setter
    def on_wait(self, listener: OnWait | None) -> None:
        self._door.on_wait = listener

    @property
    def on_refused(self) -> OnRefused | None:
        """Told when any request was refused because of its headers."""
        return self._door.on_refused

    @on_refused.setter
    def on_refused(self, listener: OnRefused | None) -> None:
        self._door.on_refused = listener

    @property
    def attachments(self) -> Images:
        """Images that go with a message."""
        return _IMAGES

    @property
    def caps(self) -> Capabilities:
        return self._caps

    @property
    def host(self) -> str:
        return self._door.host

    async def connect(self) -> ServerInfo:
        """Whether somebody answers there, and takes the credentials as far as one can tell without a message."""
        return await self.about()

    async def about(self) -> ServerInfo:
        """What the server says of its health; most say nothing (§16). Any answer of it counts as one."""
        details: JsonObject = {}
        try:
            answer = await self._door.request("GET", self._config.health_path or self._config.chat_path)
        except (TokenRefused, NotAllowed):
            raise
        except BackendError as error:
            if error.status is None or error.status >= 500:
                raise
        else:
            try:
                said: Any = decode_json(answer.content)
            except BadJson:
                said = None
            if isinstance(said, dict) and self._config.health_path is not None:
                details = cast("JsonObject", said)
        texts = {name: value for name, value in details.items() if isinstance(value, str)}
        return ServerInfo(
            host=self.host,
            service=SERVICE,
            name=texts.get("service", texts.get("name", "")),
            version=texts.get("version", ""),
            details=details,
            address=self._door.base_url,
        )

    async def alive(self) -> str:
        """Any answer is a sign of life; asked without credentials, which may take a command of the user's."""
        try:
            await self._door.request("GET", self._config.health_path or self._config.chat_path, auth=False)
        except BackendError as error:
            if error.status is None or error.status >= 500:
                raise
        return ""

    async def aclose(self) -> None:
        """Close all connections, after a moment for stop requests that are on their way."""
        self._connection.hung_up()
        if self._stops:
            await asyncio.wait(self._stops, timeout=_SECONDS_TO_STOP)
        late = tuple(self._stops)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._door.aclose()

    def renew(self, token: Secret) -> None:
        """Another token for the one secret header there is. Raises Unsupported when there is none, or several."""
        self._headers.renew(token)
        self._door.renew({})  # what is refused from here on was sent before

    async def hang_up(self, *, streams: bool = True) -> None:
        """Drop all connections; what follows connects anew."""
        if streams:
            self._connection.hung_up()
        await self._door.hang_up(streams=streams)

    # Turns

    async def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncGenerator[Event, None]:
        """POST the chat path with a new message (§3); yields the answer's events.

        It arrives at most once: only while the server provably was not reached it is tried again.
        """
        if not outgoing.text.strip() and not outgoing.attachments:
            raise Refused("There is nothing to send: the message is empty.", code="empty")
        thread = await self._threads.load(chat_id)
        earlier = await self._earlier(chat_id, outgoing.message_id)
        said = earlier if outgoing.earlier is None else outgoing.earlier
        conversation = self._said[chat_id] = [*said, wire.user_message(outgoing)]
        request = self._request(chat_id, thread, earlier, conversation, commands=[wire.add_message(outgoing)])
        request = replace(request, unsure_note=MESSAGE_UNSURE, rule="until-reached", on_wait=on_wait)
        async with aclosing(self._turn(request)) as events:
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
        """Give all waiting calls of a message what they wait for, in one POST; yields what continues the message.

        Values and denials go as tool results (§12), yes and no to approvals of an AI SDK server with the
        whole conversation (§9). Refuses, before anything is sent, to leave a waiting call out.
        """
        waiting = {part.tool_call_id: part for part in pending(message)}
        if not answers or {answer.tool_call_id for answer in answers} != waiting.keys():
            raise Refused(
                "All requests of a message have to be answered together, and only those that wait.",
                code="incomplete",
            )
        for answer in answers:
            _check(answer, waiting[answer.tool_call_id])
        async with aclosing(self._answer(chat_id, message, answers, waiting)) as events:
            async for event in events:
                yield event

    async def answer_by_tool_result(
        self, chat_id: str, message: Message, answer: ToolAnswer, *, terms: ChatTerms = _USUAL_TERMS
    ) -> AsyncGenerator[Event, None]:
        """Give a result to a call that a finished reply left open and nobody waits for (§12)."""
        part = next((part for part in message.tool_calls() if part.tool_call_id == answer.tool_call_id), None)
        if part is None or part.state != "input-available" or part.approval_id is not None:
            raise Refused("This call does not wait for an answer of that kind.", code="state")
        async with aclosing(self._answer(chat_id, message, [answer], {part.tool_call_id: part})) as events:
            async for event in events:
                yield event

    async def take_up(self, chat_id: str) -> AsyncGenerator[Event, None]:
        """Take up the last reply, which broke off, from its beginning: the events of a new message in its place (§15).

        Raises Unsupported without a path for it, NotFound when there is no such reply any more.
        """
        if self._config.resume_path is None:
            raise Unsupported("No path is set under which this server sends a reply again.")
        thread = await self._threads.load(chat_id)
        if thread.stream_id is None:
            raise NotFound("There is no reply that could be taken up again.", code="resume")
        request = Request(
            chat_id,
            path=f"{self._config.resume_path}/{segment(thread.stream_id)}",
            thread=thread,
            state=thread.sent_state,
            rule="until-answered",
        )
        try:
            async with aclosing(self._turn(request)) as events:
                async for event in events:
                    yield event
        except NotFound as error:
            await self._threads.keep(chat_id, replace(thread, stream_id=None, sent_state=None))
            raise NotFound(
                f"{self.host} no longer keeps this reply.", code="resume", status=error.status
            ) from None

    async def cancel(self, chat_id: str) -> bool:
        """POST the cancel path (§13). Whether the server took it; False when it has no such route."""
        if self._config.cancel_path is None:
            return False
        try:
            await self._door.request("POST", self._config.cancel_path, body=wire.cancel_body(chat_id))
        except BackendError as error:
            if error.status in _NO_SUCH_ROUTE:
                return False
            raise
        return True

    # Kept on this computer: the contract has no history (§16)

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """Those on this computer."""
        return await self._chats.chats(cursor=cursor, limit=limit)

    async def chat(self, chat_id: str) -> Chat:
        """As it was kept on this computer."""
        return await self._chats.chat(chat_id)

    async def delete(self, chat_id: str) -> None:
        """From this computer, with the state of its thread. The server is not told: it has no route for that."""
        await self._chats.delete(chat_id)
        self._used_ids.pop(chat_id, None)
        self._said.pop(chat_id, None)

    # How they are made

    def _waits(self, name: str) -> ClientTool | None:
        """What the user is asked when a call of this tool was left without a result (§12)."""
        tool = self._config.tools.get(name)
        return ClientTool() if tool is None and name in self._config.asks_user else tool

    async def _earlier(self, chat_id: str, besides: str) -> list[Message]:
        return [each for each in await self._threads.messages(chat_id) if each.id != besides]

    def _request(
        self,
        chat_id: str,
        thread: Thread,
        earlier: Sequence[Message],
        conversation: Sequence[Message],
        *,
        commands: Sequence[JsonObject] = (),
        config: AssistantUiConfig | None = None,
    ) -> Request:
        config = config or self._config
        messages: list[JsonObject] | None = None
        if config.form == "messages":
            messages = wire.older_messages(conversation, config.system)
        elif config.form == "ui-messages":
            messages = wire.ui_messages(conversation)
        state = thread.state if thread.state is not None else config.first_state
        return Request(
            chat_id,
            path=config.chat_path,
            body=wire.chat_body(config, chat_id, state=state, commands=commands, messages=messages),
            thread=thread,
            state=state,
            taken_ids=frozenset(each.id for each in earlier),
        )

    async def _answer(
        self,
        chat_id: str,
        message: Message,
        answers: Sequence[ToolAnswer],
        waiting: dict[str, ToolPart],
    ) -> AsyncGenerator[Event, None]:
        thread = await self._threads.load(chat_id)
        earlier = await self._earlier(chat_id, message.id)
        said = [each for each in self._said.get(chat_id, earlier) if each.id != message.id]
        conversation = [*said, wire.answered_ui_message(message, answers)]
        by_value = [each for each in answers if _by_value(waiting[each.tool_call_id])]
        all_by_value = len(by_value) == len(answers)
        request = self._request(
            chat_id,
            thread,
            earlier,
            conversation,
            commands=[wire.add_tool_result(each, waiting[each.tool_call_id].tool_name) for each in by_value],
            config=None if all_by_value else replace(self._config, form="ui-messages"),
        )
        request = replace(
            request,
            continues=message.id,
            answered=frozenset(each.tool_call_id for each in by_value),
            outcomes=tuple(_outcome(each) for each in by_value),
            unsure_note=_ANSWER_UNSURE,
        )
        async with aclosing(self._turn(request)) as events:
            async for event in events:
                yield event

    async def _turn(self, request: Request) -> AsyncGenerator[Event, None]:
        used = self._used_ids.setdefault(request.chat_id, set())
        try:
            async with aclosing(turn_events(self._connection, request, used)) as events:
                async for event in events:
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            if not request.progress.ended and not request.progress.pausing:
                self._stop_soon(request.chat_id)
            raise
        except NotFound as error:
            if request.body is None:
                raise
            raise NotFound(
                f"{self.host} has nothing at {request.path}. Check the address and the paths of the account.",
                status=error.status,
                detail=error.detail,
            ) from None

    def _stop_soon(self, chat_id: str) -> None:
        """Beside whatever goes on: Esc waits for nobody. What comes of it changes nothing (§13)."""

        async def stop() -> None:
            try:
                await self.cancel(chat_id)
            except BackendError:
                pass

        if self._config.cancel_path is not None:
            task = asyncio.create_task(stop(), name=f"stop of {chat_id}")
            self._stops.add(task)
            task.add_done_callback(self._stops.discard)


def _check(answer: ToolAnswer, part: ToolPart) -> None:
    if answer.approval_id is not None and answer.approval_id != part.approval_id:
        raise Refused("This request changed since it was shown. Nothing was sent.", code="changed")
    says_more = isinstance(answer, ToolValue) or answer.answers is not None
    if answer.updated_input is not None or (says_more and not _by_value(part)):
        raise Unsupported("This server takes only yes or no here; the input cannot be changed.")


def _by_value(part: ToolPart) -> bool:
    return part.approval is None or wants_value(part.approval)


def _outcome(answer: ToolAnswer) -> Event:
    """The user's answer is the call's outcome: no server sends it back as one."""
    if not answer.approved:
        return ToolOutputDenied(answer.tool_call_id)
    value = wire.result_of(answer)
    return ToolOutputAvailable(answer.tool_call_id, value, {"output": value})
