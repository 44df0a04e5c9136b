"""The endpoints only kai-agent has: approvals, quota, settings, suggestions (protocols/kai.md §4.10-§4.13)."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, TypeAlias, cast

from starlette.requests import Request
from starlette.responses import Response

from kai_tui.sandbox.answers import JsonAnswer
from kai_tui.sandbox.desk import Desk
from kai_tui.sandbox.late_decisions import decide_late
from kai_tui.sandbox.refusals import Refusal, bad_request
from kai_tui.sandbox.requests import json_object, settings_changes
from kai_tui.sandbox.tools import TOOLS
from kai_tui.sandbox.turns import Decision

JsonObject: TypeAlias = dict[str, Any]

_SUGGESTIONS = {
    "dashboard": (
        ("Support desk fails", "Why did the Support desk job fail?", "error", "Its last two runs failed."),
        ("Sales", "Which region sold most last month?", "insight", "The orders are fresh."),
        ("Tables", "What tables do I have?", "documentation", "To see what is there."),
        ("A change", "Create a bucket called reports", "action", "To see how you are asked."),
        ("Hard cases", "/demo", "documentation", "What is hard for a client, on demand."),
    ),
    "job-detail": (("Explain this job", "Why did the last job fail?", "error", "The job has an error."),),
    "configuration-detail": (
        ("Run it", "Run the CRM job", "action", "It last ran this morning."),
        ("Describe it", "List my configurations", "documentation", "To see what is there."),
    ),
}


class AgentRoutes:
    """The endpoints of kai-agent beside the common ones."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.store

    async def approval(self, request: Request) -> Response:
        """The user's decision about a call that waits in an open stream."""
        body = await json_object(request)
        call_id, approved = body.get("toolUseId"), body.get("approved")
        if not isinstance(call_id, str) or not isinstance(approved, bool):
            raise bad_request("toolUseId and approved are required.")
        reason: Any = body.get("reason")
        updated: Any = body.get("updatedInput")
        if updated is not None and (not isinstance(updated, dict) or not approved):
            raise bad_request("updatedInput is an object, and only for an approval.")
        answers: Any = body.get("answers")
        if answers is not None and not isinstance(answers, dict):
            raise bad_request("answers is an object.")
        decision = Decision(
            approved,
            reason if isinstance(reason, str) else "",
            cast("JsonObject | None", updated),
            cast("JsonObject | None", answers),
        )
        chat_id = str(request.path_params["chat_id"]).lower()
        if not self._desk.waiting.decide(chat_id, call_id, decision) and not await decide_late(
            self._desk, chat_id, call_id, decision
        ):
            raise Refusal("not_found", "api", "No pending approval found")
        return JsonAnswer({"success": True, "toolUseId": call_id, "approved": approved})

    async def usage(self, _request: Request) -> Response:
        return JsonAnswer(self._desk.modes.usage(await asyncio.to_thread(self._store.usage)))

    async def settings(self, _request: Request) -> Response:
        return JsonAnswer(await asyncio.to_thread(self._store.settings, "project"))

    async def change_settings(self, request: Request) -> Response:
        self._desk.modes.check_role()
        changes = settings_changes(await json_object(request), user=False)
        return JsonAnswer(await asyncio.to_thread(self._store.change_settings, "project", changes))

    async def user_settings(self, _request: Request) -> Response:
        return JsonAnswer(await asyncio.to_thread(self._store.settings, "user"))

    async def change_user_settings(self, request: Request) -> Response:
        changes = settings_changes(await json_object(request), user=True)
        return JsonAnswer(await asyncio.to_thread(self._store.change_settings, "user", changes))

    async def tools(self, _request: Request) -> Response:
        return JsonAnswer(
            {
                "tools": [
                    {"name": tool.name, "description": tool.description, "readOnly": tool.read_only}
                    for tool in TOOLS.values()
                ]
            }
        )

    async def suggestions(self, request: Request) -> Response:
        body = await json_object(request)
        found = _SUGGESTIONS.get(str(body.get("context")))
        if found is None:
            raise bad_request(f"context must be one of {', '.join(_SUGGESTIONS)}.")
        return JsonAnswer(
            {
                "suggestions": [
                    {
                        "id": str(uuid.uuid4()),
                        "label": label,
                        "prompt": prompt,
                        "priority": number,
                        "category": category,
                        "reasoning": reasoning,
                    }
                    for number, (label, prompt, category, reasoning) in enumerate(found, start=1)
                ],
                "suggestionSessionId": str(uuid.uuid4()),
            }
        )
