"""What is known of a chat on this computer, to be read while the server is asked for it. Nothing can be done in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from kai_tui.conversation.messages import Message
    from kai_tui.services.disk_keeper import DiskKeeper

SCREENFULS = 60
"""Messages that are read first: some pages, in a moment, however long the chat is."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The copy of a chat, or the end of it."""

    messages: Sequence[Message]
    superseded: Collection[str]
    """Ids of messages that were asked again, and of their answers."""


async def glimpse(
    keeper: DiskKeeper, chat_id: str, *, newest: int | None, known: Sequence[Message] = ()
) -> Glimpse | None:
    """Read the copy; None when there is none. `known`: as in `DiskKeeper.chat_copy`."""
    import asyncio

    copy, notes = await asyncio.gather(
        keeper.chat_copy(chat_id, known=known, newest=newest), keeper.notes(chat_id)
    )
    if copy is None:
        return None
    return Glimpse(copy.messages, _superseded(copy.messages, notes.get("superseded")))


def _superseded(messages: Sequence[Message], noted: Any) -> frozenset[str]:
    """As the chat will say it when it is open, see `SessionRewrites`; what did not arrive is not in a copy."""
    if not isinstance(noted, dict) or not noted:
        return frozenset()
    there = {each.id for each in messages}
    asked_again = {old for new, old in cast("Mapping[str, Any]", noted).items() if new in there}
    found: set[str] = set()
    over = False
    for message in messages:
        if message.role == "user":
            over = message.id in asked_again
        if over:
            found.add(message.id)
    return frozenset(found)
