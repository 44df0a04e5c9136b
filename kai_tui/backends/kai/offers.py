"""What a kai-agent offers beside the chat: tools, quota, instructions, suggestions; a kai-assistant has none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import EllipsisType
from typing import Any

from kai_tui.backends.base import (
    BackendError,
    CannotConnect,
    ConnectionLost,
    Permission,
    Quota,
    Suggestion,
    TokenRefused,
    ToolAnswer,
    ToolInfo,
    UnexpectedAnswer,
    Unsupported,
    Whose,
)
from kai_tui.backends.http import HttpDoor
from kai_tui.backends.kai import wire
from kai_tui.backends.kai.discovery import Flavour
from kai_tui.backends.kai.endpoints import KaiEndpoints
from kai_tui.backends.without_extras import WithoutExtras


class KaiOffers(KaiEndpoints, WithoutExtras):
    """The endpoints of kai-agent, refused on a kai-assistant before anything is sent (kai.md §4)."""

    def __init__(self, door: HttpDoor, service: Flavour | None) -> None:
        super().__init__(door)
        self._service: Flavour | None = service
        self._tools: Sequence[ToolInfo] | None = None

    async def tools(self) -> Sequence[ToolInfo]:
        """The server's tools with their marks and the user's permissions; read once per connection.

        Empty on a kai-assistant, and where the list cannot be had although the server is there:
        a chat works without it.
        """
        if self._tools is None:
            if self._service == "assistant":
                self._tools = ()
            else:
                try:
                    await self._load_tools()
                except (TokenRefused, CannotConnect, ConnectionLost):
                    raise
                except BackendError:
                    self._tools = ()
        return self._tools or ()

    async def change_user_settings(
        self,
        *,
        custom_instructions: str | EllipsisType | None = ...,
        tool_permissions: Mapping[str, wire.Permission] | EllipsisType | None = ...,
    ) -> wire.UserSettings:
        self._only_agent("settings")
        try:
            return await super().change_user_settings(
                custom_instructions=custom_instructions, tool_permissions=tool_permissions
            )
        finally:
            self._tools = None  # carries the permissions; also when nobody knows whether they changed

    async def approve(self, chat_id: str, answer: ToolAnswer) -> wire.ApprovalAnswer:
        self._only_agent("decisions beside the stream")
        return await super().approve(chat_id, answer)

    async def usage(self) -> wire.Usage:
        self._only_agent("usage figures")
        return await super().usage()

    async def settings(self) -> wire.Settings:
        self._only_agent("settings")
        return await super().settings()

    async def change_settings(self, custom_instructions: str | None) -> wire.Settings:
        self._only_agent("settings")
        return await super().change_settings(custom_instructions)

    async def user_settings(self) -> wire.UserSettings:
        self._only_agent("settings")
        return await super().user_settings()

    async def suggestions_for(
        self, context: wire.SuggestionContext, data: Mapping[str, Any] | None = None
    ) -> wire.Suggestions:
        self._only_agent("suggestions")
        return await super().suggestions_for(context, data)

    # The same in the words of every backend

    async def alive(self) -> str:
        """GET /ping (§4.1)."""
        return (await self.ping()).timestamp or ""

    async def quota(self) -> Quota:
        """`usage`, when the server names both numbers. Raises UnexpectedAnswer when it does not."""
        found = await self.usage()
        if found.messages_used is None or found.messages_limit is None:
            raise UnexpectedAnswer(f"{self.host} did not say how many messages are left.", code="shape")
        return Quota(found.messages_used, found.messages_limit, found.reset_date or "")

    async def instructions(self, whose: Whose) -> str:
        """The project's instructions, or the user's own; empty when there are none."""
        found = await (self.settings() if whose == "project" else self.user_settings())
        return found.custom_instructions or ""

    async def set_instructions(self, whose: Whose, text: str) -> str:
        """Change them (§4.12); an empty text clears. Raises NotAllowed for the project's when not an admin."""
        wanted = text or None
        if whose == "project":
            found: wire.Settings = await self.change_settings(wanted)
        else:
            found = await self.change_user_settings(custom_instructions=wanted)
        return found.custom_instructions or ""

    async def permissions(self) -> Sequence[ToolInfo]:
        """The tools with the user's permissions, both asked anew (§4.12)."""
        self._only_agent("tool permissions")
        rows = await self.tool_rows()
        given = (await self.user_settings()).tool_permissions or {}
        self._tools = [_tool(row, given) for row in rows]
        return self._tools

    async def set_permissions(self, permissions: Mapping[str, Permission] | None) -> Mapping[str, str]:
        """Merge into the stored tool permissions; None resets them all (§4.12)."""
        before = self._tools
        found = (await self.change_user_settings(tool_permissions=permissions)).tool_permissions
        if found is None and permissions is not None:
            # It says nothing of them: that is no word about what it keeps.
            return {tool.name: tool.permission for tool in await self.permissions() if tool.permission}
        kept = {name: value for name, value in (found or {}).items() if isinstance(value, str)}
        if before:
            self._tools = [replace(tool, permission=kept.get(tool.name)) for tool in before]
        return kept

    async def suggestions(self) -> Sequence[Suggestion]:
        """Suggestions for the web UI's first screen (§4.13), which a new chat comes nearest to."""
        found = await self.suggestions_for("dashboard")
        rows = sorted(found.suggestions, key=lambda row: row.priority or 0)
        return [
            Suggestion(row.label or row.prompt, row.prompt, row.reasoning or "") for row in rows if row.prompt
        ]

    async def _load_tools(self) -> None:
        rows = await self.tool_rows()
        try:
            permissions = (await super().user_settings()).tool_permissions or {}
        except (TokenRefused, CannotConnect):
            raise
        except BackendError:
            permissions = {}
        self._tools = [_tool(row, permissions) for row in rows]

    def _only_agent(self, what: str) -> None:
        if self._service == "assistant":
            raise Unsupported(f"This Kai (kai-assistant) has no {what}.")


def _tool(row: wire.ToolRow, permissions: Mapping[str, Any]) -> ToolInfo:
    permission = permissions.get(row.name)
    return ToolInfo(
        name=row.name,
        description=row.description or "",
        read_only=row.read_only is True,
        permission=permission if isinstance(permission, str) else None,
    )
