"""What there was before the calls that the user approved: kept so that a change can be undone later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from kai_tui.services.session_jobs import SessionJobs

if TYPE_CHECKING:
    from kai_tui.conversation.events import JsonObject
    from kai_tui.conversation.messages import ToolPart
    from kai_tui.conversation.reviews.review import Present, Presents, Wanted
    from kai_tui.services.approval_service import Approval

MOST_CALLS = 50
"""Calls of a chat, the newest, whose values before are kept."""
LONGEST = 200_000
"""Characters of JSON of one call's values; longer ones are not kept."""


class SessionBefore(SessionJobs):
    """Values that were looked up in the project for a question. What the chat itself showed is found there again."""

    _values_then: Mapping[str, list[JsonObject]] = MappingProxyType({})
    """By call id."""

    def restore_before(self, note: Any) -> None:
        """Take over what was noted."""
        noted = cast("JsonObject", note) if isinstance(note, dict) else {}
        self._values_then = {
            call_id: [cast("JsonObject", row) for row in cast("list[Any]", rows) if isinstance(row, dict)]
            for call_id, rows in noted.items()
            if isinstance(rows, list)
        }

    def values_before(self, call: ToolPart) -> dict[Wanted, Present]:
        """What is known of what a call changed, as it was before the call."""
        from kai_tui.conversation.inverses import values_before
        from kai_tui.conversation.reviews.review import ObjectRef, Present, Wanted

        found = values_before(self.messages, call)
        for row in self._values_then.get(call.tool_call_id, ()):
            try:
                wanted = Wanted(row["what"], ObjectRef(row["kind"], row["id"]))
                found[wanted] = Present(row["value"], row["source"], row.get("seen"))
            except (KeyError, TypeError):  # not as we write it
                continue
        return found

    def _keep_before(self, approval: Approval) -> None:
        """The user says yes to a call: what the project had then is gone afterwards."""
        rows = _rows(self._tools.presents(approval))
        if rows and len(json.dumps(rows, default=str)) <= LONGEST:
            others = [each for each in self._values_then.items() if each[0] != approval.tool_call_id]
            self._values_then = dict([*others, (approval.tool_call_id, rows)][-MOST_CALLS:])
            kept = dict(self._values_then)
            self._in_background(self._tools.keeper.keep_note(self.chat_id, "before", kept))


def _rows(presents: Presents) -> list[JsonObject]:
    """As they are noted; secrets are masked."""
    from kai_tui.conversation.reviews.secret_values import masked

    return [
        {
            "what": wanted.what,
            "kind": wanted.of.kind,
            "id": wanted.of.id,
            "value": masked(present.value),
            "source": present.source,
            "seen": present.seen,
        }
        for wanted, present in presents.items()
        if present.source != "chat" and wanted.what != "jobs"
    ]
