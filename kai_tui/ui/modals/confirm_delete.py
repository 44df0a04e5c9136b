"""Asks before a chat is deleted: the exact title, its id, and how much is in it."""

from __future__ import annotations

from textual.content import Content

from kai_tui.ui.modals.confirm import Confirm


class ConfirmDelete(Confirm):
    """Result: True to delete."""

    def __init__(self, chat_id: str, title: str, *, messages: int | None = None, local: bool = False) -> None:
        """`messages` when known; `local` when the chat exists on this computer only."""
        from kai_tui.conversation.safe_text import safe_exact

        shown = safe_exact(title, one_line=True)
        lines = [
            Content.styled(shown.text if title else "a chat without a title", "bold"),
            Content.styled(safe_exact(chat_id, one_line=True).text, "$text-muted"),
        ]
        if shown.hidden:
            lines.append(
                Content.styled(f"! the title has {shown.hidden} hidden character(s)", "$text-warning")
            )
        if messages is not None:
            lines.append(Content("1 message" if messages == 1 else f"{messages} messages"))
        lines += [
            Content(""),
            Content(
                "It is removed from this computer. This cannot be undone."
                if local
                else "It is removed from the server and from this computer. This cannot be undone."
            ),
        ]
        super().__init__("Delete this chat?", Content("\n").join(lines), yes="Delete", name="confirm-delete")
