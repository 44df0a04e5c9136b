"""What goes with a message beside its words: files of the user, read when they are sent, and addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from kai_tui.conversation.messages import FilePart, Message
from kai_tui.services.local_files import shown_size, too_large

if TYPE_CHECKING:
    from kai_tui.backends.attachments import Attachments, AttachmentTerms
    from kai_tui.backends.base import Attachment
    from kai_tui.services.local_files import FoundFile

MOST: Final = 10
"""Enclosures of one message."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file of the user by its path, or something on the web by its address. Texts are raw."""

    place: str
    """An absolute path, or an address that begins with http(s):// or data:."""
    name: str
    local: bool
    size: int | None = None
    """Bytes, when it was chosen."""
    media_type: str = "application/octet-stream"

    @property
    def facts(self) -> str:
        """Its size, or the host it is on. Raw."""
        if self.local:
            return shown_size(self.size) if self.size is not None else ""
        if self.place.startswith("data:"):
            return "inside the message"
        try:
            return urlsplit(self.place).hostname or ""
        except ValueError:
            return ""


def of_file(file: FoundFile) -> Enclosure:
    """A file that was chosen."""
    return Enclosure(file.path, file.name, True, file.size, file.media_type)


def of_attachment(attachment: Attachment) -> Enclosure:
    """What goes along by its address."""
    name = attachment.name or _host_of(attachment.url) or "file"
    return Enclosure(attachment.url, name, False, media_type=attachment.media_type)


def refusal(file: FoundFile, terms: AttachmentTerms) -> str:
    """Why this file cannot go with a message, known before it is read; empty when it may."""
    if not file.media_type.startswith(terms.media_types):
        return f"{file.name} cannot go with a message here: only {terms.what} can."
    if file.size > terms.largest:
        return too_large(file.name, terms.largest)
    return ""


async def ready(enclosure: Enclosure, attachments: Attachments) -> Attachment:
    """What is sent of it. A local file is read now, and stored where the server wants that. Raises BackendError."""
    import asyncio

    from kai_tui.backends.base import Attachment
    from kai_tui.services import local_files

    if not enclosure.local:
        found = attachments.at(enclosure.place)
        return Attachment(found.url, enclosure.name or found.name, found.media_type)
    file = await asyncio.to_thread(local_files.look_at, enclosure.place)
    content = await asyncio.to_thread(local_files.read, file, largest=attachments.terms.largest)
    return await attachments.take(content)


def parts_of(enclosures: Iterable[Enclosure]) -> list[FilePart]:
    """How they are shown with a message; a file that was not sent yet has no address."""
    return [
        FilePart(
            {
                "type": "file",
                "mediaType": each.media_type,
                "filename": each.name,
                "url": "" if each.local else each.place,
            }
        )
        for each in enclosures
    ]


def enclosed_in(message: Message) -> tuple[Enclosure, ...]:
    """What went with a message, to go with it again in other words."""
    found: list[Enclosure] = []
    for part in message.parts:
        if not isinstance(part, FilePart):
            continue
        url, kind = part.fields.get("url"), part.fields.get("mediaType")
        name = part.fields.get("filename") or part.fields.get("name")
        if isinstance(url, str) and url:
            named = name if isinstance(name, str) and name else _host_of(url) or "file"
            media_type = kind if isinstance(kind, str) else "application/octet-stream"
            found.append(Enclosure(url, named, False, media_type=media_type))
    return tuple(found)


def put_into(message: Message, enclosures: Iterable[Enclosure]) -> None:
    """Let a message show these, in place of what it showed before."""
    message.parts[:] = [part for part in message.parts if not isinstance(part, FilePart)]
    message.parts += parts_of(enclosures)


def note_of(draft: Sequence[Enclosure], messages: Mapping[str, Sequence[Enclosure]]) -> dict[str, Any] | None:
    """The note that is kept with a chat; None when there is nothing to keep."""
    by_message = {message_id: _rows(each) for message_id, each in messages.items() if each}
    return {"draft": _rows(draft), "messages": by_message} if draft or by_message else None


def draft_noted(note: Any) -> tuple[Enclosure, ...]:
    """What was chosen for the next message."""
    return _read(cast("Mapping[str, Any]", note).get("draft") if isinstance(note, dict) else None)


def messages_noted(note: Any) -> dict[str, tuple[Enclosure, ...]]:
    """What goes with messages that had not arrived, by their ids."""
    rows = cast("Mapping[str, Any]", note).get("messages") if isinstance(note, dict) else None
    if not isinstance(rows, dict):
        return {}
    return {str(key): _read(value) for key, value in cast("Mapping[str, Any]", rows).items()}


def _rows(enclosures: Sequence[Enclosure]) -> list[dict[str, Any]]:
    return [
        {
            "place": each.place,
            "name": each.name,
            "local": each.local,
            "size": each.size,
            "type": each.media_type,
        }
        for each in enclosures
    ]


def _read(rows: Any) -> tuple[Enclosure, ...]:
    found: list[Enclosure] = []
    for row in cast("list[Any]", rows) if isinstance(rows, list) else []:
        if not isinstance(row, dict):
            continue
        fields = cast("Mapping[str, Any]", row)
        place, name, size, kind = (fields.get(key) for key in ("place", "name", "size", "type"))
        if isinstance(place, str) and isinstance(name, str) and isinstance(kind, str):
            whole = size if isinstance(size, int) else None
            found.append(Enclosure(place, name, fields.get("local") is True, whole, kind))
    return tuple(found)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
