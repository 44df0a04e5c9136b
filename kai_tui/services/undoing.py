"""What would undo a change of a chat: worked out from what the chat and the project say. Nothing is changed by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from kai_tui.backends.base import BackendError
from kai_tui.conversation.inverses import Inverse, NoInverse, Undoing, changed_since, inverse, version_before
from kai_tui.conversation.reviews.review import Present, Wanted
from kai_tui.conversation.tools import risk

if TYPE_CHECKING:
    from kai_tui.backends.project import Project
    from kai_tui.conversation.messages import ToolPart
    from kai_tui.services.chat_session import ChatSession

PATIENCE = 5.0
"""Seconds for which an earlier version is waited for."""


def newest_change(session: ChatSession) -> ToolPart | None:
    """The newest call that may have changed something."""
    for message in reversed(session.messages):
        for call in reversed(message.tool_calls()):
            done = call.state == "output-available" and not call.preliminary
            if done and risk(call.tool_name) != "reads":
                return call
    return None


async def what_undoes(
    session: ChatSession, call: ToolPart, project: Callable[[], Awaitable[Project | None]]
) -> Undoing:
    """A message that would undo a call, with all there is to say about it. Never raises.

    The version before is read from the project where there is one: it is surer than what the chat showed.
    """
    if session.decision(call) is False:
        return NoInverse("You denied this call. It changed nothing.")
    before = session.values_before(call)
    wanted = version_before(call)
    if wanted is not None:
        of, number = wanted
        try:
            async with asyncio.timeout(PATIENCE):
                place = await project()
                if place is not None:
                    then = await place.version(of, number)
                    before = {Wanted("configuration", of): Present(then, "project"), **_without(before)}
        except (BackendError, TimeoutError):
            pass  # what is known anyway has to do
    found = inverse(call, before)
    if isinstance(found, NoInverse):
        return found
    cautions = list(found.cautions)
    if changed_since(session.messages, call):
        cautions.append("It was changed again later in this chat: that would be undone too.")
    if session.read_only_switch:
        cautions.append("The read-only switch of this chat is on: it would deny the change.")
    return Inverse(found.message, tuple(cautions))


def _without(before: dict[Wanted, Present]) -> dict[Wanted, Present]:
    return {
        wanted: value for wanted, value in before.items() if wanted.what not in ("configuration", "preview")
    }
