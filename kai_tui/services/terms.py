"""What holds for a chat, and what its messages are about, as it is noted on disk; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from kai_tui.backends.base import ChatTerms, Visibility


@dataclass(frozen=True, slots=True)
class KnownTerms:
    """What may be claimed about a chat; None: nothing, for it is not known here.

    A server tells who may read a chat (kai.md §4.5), and never whether it is read-only.
    """

    visibility: Visibility | None
    read_only: bool | None


def visibility_of(text: Any) -> Visibility | None:
    """A server's word for who may read a chat; None for words we do not know."""
    return "public" if text == "public" else "private" if text == "private" else None


def terms_noted(note: Any) -> ChatTerms | None:
    """The terms in a note of the kind `terms`; None when there are none to be read."""
    from kai_tui.backends.base import ChatTerms

    if not isinstance(note, dict):
        return None
    fields = cast("Mapping[str, Any]", note)
    visibility, read_only = visibility_of(fields.get("visibility")), fields.get("read_only")
    if visibility is None or not isinstance(read_only, bool):
        return None
    return ChatTerms(visibility, read_only)


def path_noted(note: Any) -> str | None:
    """What the chat is about, from a note of the kind `about`."""
    path = cast("Mapping[str, Any]", note).get("path") if isinstance(note, dict) else None
    return path if isinstance(path, str) and path else None


def paths_noted(note: Any) -> dict[str, str]:
    """What messages that had not arrived are about, by message id, from the same note."""
    paths = cast("Mapping[str, Any]", note).get("messages") if isinstance(note, dict) else None
    if not isinstance(paths, dict):
        return {}
    return {
        message_id: path
        for message_id, path in cast("Mapping[str, Any]", paths).items()
        if isinstance(path, str) and path
    }
