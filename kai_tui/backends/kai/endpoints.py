"""Kai's endpoints that answer at once: one method each (kai.md §4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import Any, cast

from kai_tui.backends.base import (
    Chat,
    ChatSummary,
    NotFound,
    OnRefused,
    OnWait,
    Page,
    Refused,
    TokenRefused,
    ToolAnswer,
    UnexpectedAnswer,
)
from kai_tui.backends.http import Answer, HttpDoor, segment
from kai_tui.backends.kai import wire
from kai_tui.backends.kai.history import CursorRule, HistoryPager, RawPage, summary
from kai_tui.backends.kai.long_chats import read_chat
from kai_tui.backends.refusals import not_what_was_asked
from kai_tui.backends.secret import Secret
from kai_tui.conversation.events import JsonObject

_UNSURE = "It may or may not have been saved."


class KaiEndpoints:
    """Everything but the chat stream. All methods raise only BackendErrors."""

    def __init__(self, door: HttpDoor) -> None:
        self._door = door
        self._pager = HistoryPager(self._history_page)

    @property
    def host(self) -> str:
        """The server's name, for sentences."""
        return self._door.host

    @property
    def on_wait(self) -> OnWait | None:
        """Told when a request pauses before another try; messages tell the listener of their own."""
        return self._door.on_wait

    @on_wait.setter
    def on_wait(self, listener: OnWait | None) -> None:
        self._door.on_wait = listener

    @property
    def on_refused(self) -> OnRefused | None:
        """Told when any request was refused because of its token."""
        return self._door.on_refused

    @on_refused.setter
    def on_refused(self, listener: OnRefused | None) -> None:
        self._door.on_refused = listener

    def renew(self, token: Secret) -> None:
        """Use another token from now on; streams that are open go on with the one they began with."""
        self._door.renew({"x-storageapi-token": token})

    async def ping(self) -> wire.Ping:
        """GET /ping: is it alive? Needs no token (§4.1)."""
        return self._read(wire.Ping, await self._open("/ping"))

    async def info(self) -> wire.Info:
        """GET /api: what answers here? Needs no token (§4.2)."""
        return self._read(wire.Info, await self._open("/api"))

    async def chats(self, *, cursor: str | None = None, limit: int = 50) -> Page[ChatSummary]:
        """GET /api/history, newest first, whichever way the server's cursors point (§4.7)."""
        return await self._pager.page(cursor, limit)

    async def chat(self, chat_id: str) -> Chat:
        """GET /api/chat/{id} (§4.5). Raises NotFound only when Kai itself says the chat is gone."""
        try:
            answer = await self._door.request("GET", f"/api/chat/{segment(chat_id)}")
        except NotFound as error:
            if error.code is None:
                # A proxy's or another server's 404 must not look like a chat that never arrived.
                raise UnexpectedAnswer(error.sentence, status=error.status, detail=error.detail) from None
            raise
        head, messages = await read_chat(answer)
        found = wire.read(wire.ChatAnswer, head, self.host)
        return Chat(summary=summary(found), messages=messages, extra=dict(found.model_extra or {}))

    async def delete(self, chat_id: str) -> None:
        """DELETE /api/chat?id=…; a Kai may answer an unknown id with 403 instead of 404 (§4.6)."""
        self._done(
            await self._door.request(
                "DELETE",
                "/api/chat",
                params={"id": chat_id},
                unsure_note="The chat may or may not have been deleted.",
            )
        )

    async def vote(self, chat_id: str, message_id: str, up: bool) -> None:
        """PATCH /api/vote; answers in plain text. A vote cannot be taken back, only replaced (§4.8)."""
        body = wire.vote_body(chat_id, message_id, up)
        self._done(await self._door.request("PATCH", "/api/vote", body=body, unsure_note=_UNSURE))

    async def votes(self, chat_id: str) -> Mapping[str, bool]:
        """GET /api/vote?chatId=…: message id → up; a list or an object with one (§4.8)."""
        answer = await self._door.request("GET", "/api/vote", params={"chatId": chat_id})
        body = answer.json()
        rows = cast("JsonObject", body).get("votes") if isinstance(body, dict) else body
        if not isinstance(rows, list):
            raise self._odd(answer)
        found: dict[str, bool] = {}
        for row in wire.read_rows(wire.Vote, cast("list[Any]", rows)):
            if row.up is not None:
                found[row.message_id] = row.up
        return found

    async def approve(self, chat_id: str, answer: ToolAnswer) -> wire.ApprovalAnswer:
        """POST /api/chat/{id}/approval: decide on a call the open stream waits for (§4.10, §9.2).

        Raises NotFound when nothing waits under that call id (any more).
        """
        path = f"/api/chat/{segment(chat_id)}/approval"
        try:
            said = await self._door.request("POST", path, body=wire.approval_body(answer))
        except NotFound as error:
            raise NotFound(
                "This was already settled: nothing waits for your decision any more.",
                code=error.code,
                status=error.status,
                detail=error.detail,
            ) from None
        found = self._read(wire.ApprovalAnswer, said)
        if found.success is False:
            raise Refused(f"{self.host} did not take the decision.", status=said.status)
        return found

    async def usage(self) -> wire.Usage:
        """GET /api/usage: messages used this month, the limit, and when it starts anew (§4.11)."""
        return self._read(wire.Usage, await self._door.request("GET", "/api/usage"))

    async def settings(self) -> wire.Settings:
        """GET /api/settings: the project's instructions for Kai (§4.12)."""
        return self._read(wire.Settings, await self._door.request("GET", "/api/settings"))

    async def change_settings(self, custom_instructions: str | None) -> wire.Settings:
        """PATCH /api/settings; None clears. Admins and managers only, 4,000 characters (§4.12)."""
        body = {"customInstructions": custom_instructions}
        answer = await self._door.request("PATCH", "/api/settings", body=body, unsure_note=_UNSURE)
        return self._read(wire.Settings, answer)

    async def user_settings(self) -> wire.UserSettings:
        """GET /api/settings/user: own instructions and tool permissions (§4.12)."""
        return self._read(wire.UserSettings, await self._door.request("GET", "/api/settings/user"))

    async def change_user_settings(
        self,
        *,
        custom_instructions: str | EllipsisType | None = ...,
        tool_permissions: Mapping[str, wire.Permission] | EllipsisType | None = ...,
    ) -> wire.UserSettings:
        """PATCH /api/settings/user. What is not given stays; None clears; permissions are merged (§4.12)."""
        body: dict[str, Any] = {}
        if not isinstance(custom_instructions, EllipsisType):
            body["customInstructions"] = custom_instructions
        if not isinstance(tool_permissions, EllipsisType):
            body.update(wire.permissions_body(tool_permissions))
        if not body:
            raise Refused("There is nothing to change.", code="empty")
        answer = await self._door.request("PATCH", "/api/settings/user", body=body, unsure_note=_UNSURE)
        return self._read(wire.UserSettings, answer)

    async def tool_rows(self) -> list[wire.ToolRow]:
        """GET /api/settings/tools: the server's tools with their read-only flags (§4.12)."""
        answer = await self._door.request("GET", "/api/settings/tools")
        return wire.read_rows(wire.ToolRow, self._read(wire.ToolsAnswer, answer).tools)

    async def suggestions_for(
        self, context: wire.SuggestionContext, data: Mapping[str, Any] | None = None
    ) -> wire.Suggestions:
        """POST /api/suggestions for a screen of the web UI (§4.13)."""
        body = {"context": context, "data": dict(data or {})}
        return self._read(wire.Suggestions, await self._door.request("POST", "/api/suggestions", body=body))

    async def _history_page(self, rule: CursorRule | None, cursor: str, limit: int) -> RawPage:
        params: dict[str, str | int] = {"limit": limit}
        if rule is not None:
            params[rule] = cursor
        found = self._read(wire.HistoryAnswer, await self._door.request("GET", "/api/history", params=params))
        return RawPage(wire.read_rows(wire.ChatRow, found.chats), found.has_more is True)

    async def _open(self, path: str) -> Answer:
        """A GET that needs no token; behind a stricter gate (L6) it is asked again with one."""
        try:
            return await self._door.request("GET", path, auth=False)
        except TokenRefused:
            return await self._door.request("GET", path)

    def _read(self, model: type[wire.M], answer: Answer) -> wire.M:
        return wire.read(model, answer.json(), self.host)

    def _done(self, answer: Answer) -> None:
        """For answers whose body says nothing: only a page of a proxy is not a yes."""
        if "html" in answer.media_type:
            raise self._odd(answer)

    def _odd(self, answer: Answer) -> UnexpectedAnswer:
        return not_what_was_asked(answer.status, answer.media_type, answer.content, self.host, wanted="JSON")
