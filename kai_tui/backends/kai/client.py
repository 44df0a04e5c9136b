"""Kai as a backend: both of Keboola's services behind the one door (kai.md)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from kai_tui.backends.addresses import storage_address
from kai_tui.backends.base import (
    MESSAGE_UNSURE,
    Capabilities,
    ChatTerms,
    NotFound,
    OnWait,
    Outgoing,
    Refused,
    ServerInfo,
    ToolAnswer,
    UnexpectedAnswer,
    Unsupported,
)
from kai_tui.backends.continuation import answered
from kai_tui.backends.http import HttpDoor, Timeouts, segment
from kai_tui.backends.kai import wire
from kai_tui.backends.kai.discovery import SERVICE_IDS, Flavour
from kai_tui.backends.kai.offers import KaiOffers
from kai_tui.backends.kai.project import CheckAddress, KaiProject
from kai_tui.backends.secret import Secret
from kai_tui.backends.tries import Rule
from kai_tui.backends.turns import SILENCE, stream_turn
from kai_tui.backends.without_extras import without_files
from kai_tui.conversation.events import Event, JsonObject
from kai_tui.conversation.messages import Message

if TYPE_CHECKING:
    import httpx

    from kai_tui.backends.project import Project

_CAPS: Mapping[Flavour, Capabilities] = {
    "agent": Capabilities(
        approval="side-request",
        votes=True,
        usage=True,
        settings=True,
        tool_permissions=True,
        edits_input=True,
        visibility=True,
        read_only_chats=True,
        context_path=True,
        branches=True,
        suggestions=True,
    ),
    "assistant": Capabilities(
        approval="continuation",
        votes=True,
        tool_results=True,
        visibility=True,
        context_path=True,
        branches=True,
    ),
}
_USUAL_TERMS = ChatTerms()
_ANSWER_UNSURE = "Your decision may or may not have arrived."


class KaiBackend(KaiOffers):
    """One Kai server. Implements `Backend`, and every other endpoint of kai.md §4 besides.

    `service=None` (an address given by hand): told by `GET /api/settings/tools` at `connect`, or
    by `tell_service`; until then it is taken for kai-agent. `transport` serves the built-in assistant
    and tests. `check_address` is asked before the stack's other services get the token (N8).
    """

    def __init__(
        self,
        base_url: str,
        *,
        storage_url: str,
        token: Secret,
        service: Flavour | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        branch_id: int | None = None,
        workspace_id: str | None = None,
        check_address: CheckAddress | None = None,
        timeouts: Timeouts | None = None,
        silence: float = SILENCE,
    ) -> None:
        """Raises CannotConnect for addresses a token must not go to."""
        super().__init__(
            HttpDoor(
                base_url,
                headers={"x-workspace-id": workspace_id} if workspace_id else None,
                auth_headers={
                    "x-storageapi-token": token,
                    **({"x-storageapi-url": storage_address(storage_url)} if storage_url else {}),
                },
                transport=transport,
                timeouts=timeouts,
            ),
            service,
        )
        self._branch_id = branch_id
        self._silence = silence
        self._project: KaiProject | None = (
            KaiProject(
                storage_url, token, branch_id=branch_id, transport=transport, check_address=check_address
            )
            if storage_url
            else None
        )

    @property
    def service(self) -> Flavour | None:
        """Which of the two it is; None while that is not known."""
        return self._service

    @property
    def project(self) -> Project | None:
        """The project of its token; None when nobody said at which stack."""
        return self._project

    @property
    def caps(self) -> Capabilities:
        return _CAPS[self._service or "agent"]

    async def connect(self) -> ServerInfo:
        """Ask who answers, tell the service if it is not known, and read the tools of a kai-agent.

        The last needs the token, so a wrong one is found out here.
        """
        self._tools = None
        info = await self.about()
        if self._service == "agent":
            await self.tools()
        return info

    async def about(self) -> ServerInfo:
        """GET /api, or GET /ping where there is no such endpoint (§4.1, §4.2)."""
        details: JsonObject = {}
        try:
            info = await self.info()
        except (NotFound, UnexpectedAnswer):
            await self.ping()
            info = wire.Info()
        else:
            details = info.model_dump(by_alias=True, exclude_none=True)
        return ServerInfo(
            host=self.host,
            service=SERVICE_IDS[await self.tell_service()],
            name=info.app_name or "",
            version=info.app_version or info.server_version or "",
            details=details,
            address=self._door.base_url,
        )

    async def tell_service(self) -> Flavour:
        """Which service this is; asks the server when nobody said (§1)."""
        if self._service is None:
            try:
                await self._load_tools()
                self._service = "agent"
            except NotFound:
                self._service = "assistant"
        return self._service

    async def aclose(self) -> None:
        """Close all connections."""
        if self._project is not None:
            await self._project.aclose()
        await self._door.aclose()

    async def hang_up(self, *, streams: bool = True) -> None:
        """Drop all connections; what follows connects anew."""
        await self._door.hang_up(streams=streams)
        if self._project is not None:
            await self._project.hang_up(streams=streams)

    def renew(self, token: Secret) -> None:
        super().renew(token)
        if self._project is not None:
            self._project.renew(token)

    async def send(
        self, chat_id: str, outgoing: Outgoing, *, on_wait: OnWait | None = None
    ) -> AsyncGenerator[Event, None]:
        """POST /api/chat with a new message (§4.3); yields the answer's events.

        It arrives at most once: only while the server provably was not reached it is tried again.
        """
        if not outgoing.text.strip():
            raise Refused("There is nothing to send: the message is empty.", code="empty")
        without_files(outgoing, "Kai")
        message = wire.user_message(outgoing)
        posted = self._post_chat(
            chat_id, message, outgoing.terms, MESSAGE_UNSURE, rule="until-reached", on_wait=on_wait
        )
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
        """Answer waiting calls in this service's way (§9): see the two methods below.

        kai-agent: yields nothing, `send`'s stream goes on. kai-assistant: yields the continuation.
        """
        if not answers:
            raise Refused("There is nothing to answer.", code="empty")
        if self.caps.approval == "side-request":
            await self.answer_beside(chat_id, answers)
            return
        async with aclosing(self.answer_by_continuing(chat_id, message, answers, terms)) as events:
            async for event in events:
                yield event

    async def answer_beside(self, chat_id: str, answers: Sequence[ToolAnswer]) -> None:
        """One POST per call beside the open stream (§9.2).

        Calls that were settled already do not keep the others from being answered; NotFound is
        raised at the end then. Any other failure stops at once.
        """
        settled: NotFound | None = None
        for answer in answers:
            try:
                await self.approve(chat_id, answer)
            except NotFound as error:
                settled = error
        if settled is not None:
            raise settled

    async def answer_by_continuing(
        self,
        chat_id: str,
        message: Message,
        answers: Sequence[ToolAnswer],
        terms: ChatTerms = _USUAL_TERMS,
    ) -> AsyncGenerator[Event, None]:
        """All answers in one POST of the assistant's message; a new stream continues it (§9.1).

        Refuses, before anything is sent, to leave a waiting call unanswered (the server would carry
        out the others and then fail), to answer a call that does not wait, and to change inputs.
        """
        wire_message = wire.answered_message(answered(message, answers, who="This Kai"))
        async with aclosing(self._post_chat(chat_id, wire_message, terms, _ANSWER_UNSURE)) as events:
            async for event in events:
                yield event

    async def answer_by_tool_result(
        self, chat_id: str, message: Message, answer: ToolAnswer, *, terms: ChatTerms = _USUAL_TERMS
    ) -> AsyncGenerator[Event, None]:
        """The way of the oldest servers (§9.3); makes current ones fail, so only when the user asks for it.

        For a call that a finished stream left in `input-available` without an approval id.
        """
        if self._service == "agent":
            raise Unsupported("kai-agent takes no tool results.")
        part = next((part for part in message.tool_calls() if part.tool_call_id == answer.tool_call_id), None)
        if part is None or part.state != "input-available" or part.approval_id is not None:
            raise Refused("This call does not wait for an answer of that kind.", code="state")
        body = wire.tool_result_message(str(uuid.uuid4()), part.tool_name, answer)
        async with aclosing(self._post_chat(chat_id, body, terms, _ANSWER_UNSURE)) as events:
            async for event in events:
                yield event

    async def resume(self, chat_id: str) -> AsyncGenerator[Event, None]:
        """GET /api/chat/{id}/stream; yields nothing when no stream runs, which is the rule (§4.9)."""
        if self._service == "agent":
            raise Unsupported("kai-agent cannot take up a broken answer. Read the chat again instead.")
        path = f"/api/chat/{segment(chat_id)}/stream"
        async with aclosing(stream_turn(self._door, "GET", path, silence=self._silence)) as events:
            async for event in events:
                yield event

    def _post_chat(
        self,
        chat_id: str,
        message: JsonObject,
        terms: ChatTerms,
        unsure_note: str,
        *,
        rule: Rule = "once",
        on_wait: OnWait | None = None,
    ) -> AsyncGenerator[Event, None]:
        # The older service drops keys it does not know without a word (§1).
        read_only = terms.read_only and self._service != "assistant"
        body = wire.chat_body(
            chat_id,
            message,
            branch_id=self._branch_id,
            visibility=terms.visibility,
            restrictions=wire.ToolRestrictions(read_only=True) if read_only else None,
        )
        return stream_turn(
            self._door,
            "POST",
            "/api/chat",
            body=body,
            unsure_note=unsure_note,
            waits_for_user=self._service != "assistant",
            silence=self._silence,
            rule=rule,
            on_wait=on_wait,
        )
