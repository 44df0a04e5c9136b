"""Documents the assistant wrote in earlier turns: a chat that was read has their titles, the server their text (imbrace.md §11)."""

from __future__ import annotations

from typing import Any, cast

from kai_tui.backends.base import BackendError
from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import DataPart
from kai_tui.services.changes import Notice, PartChanged
from kai_tui.services.session_upkeep import SessionUpkeep

_DOCUMENT = "data-document"


class SessionWritten(SessionUpkeep):
    """Reads such a text when somebody wants to see it."""

    def want_document(self, message_id: str, part_index: int) -> None:
        """The user looks at a document part: get its text, unless it is there or is no document."""
        message = self.find(message_id)
        part = (
            message.parts[part_index]
            if message is not None and 0 <= part_index < len(message.parts)
            else None
        )
        if not isinstance(part, DataPart) or part.type != _DOCUMENT:
            return
        data: Any = part.fields.get("data")
        fields = cast("JsonObject", data) if isinstance(data, dict) else {}
        document_id = fields.get("id")
        if fields.get("content") or fields.get("state") != "done" or not isinstance(document_id, str):
            return
        self._look_up(self._read_document(message_id, part_index, part, fields, document_id))

    async def _read_document(
        self, message_id: str, part_index: int, part: DataPart, fields: JsonObject, document_id: str
    ) -> None:
        try:
            backend = await self._tools.backend()
            content = await backend.written(document_id)
        except BackendError as error:
            self._tell(Notice(f"The text of this document could not be read. {error.sentence}", "warning"))
            return
        part.fields["data"] = {**fields, "content": content}
        self._tell(PartChanged(message_id, part_index))
