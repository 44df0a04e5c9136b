"""Asks before a chat is deleted: the exact title, its id, and how much is in it."""

from __future__ import annotations

from textual.content import Content

from kai_tui.ui.modals.confirm import Confirm

_FROM_HERE = "It is removed from this computer."
_FROM_BOTH = "It is removed from the server and from this computer."
_FOR_GOOD = "This cannot be undone."
_FOR_NOW = "Afterwards it can be brought back: “Deleted chats” among the commands."
LEDGER_STAYS = "What was decided about changes stays in the ledger."
"""Said wherever chats are deleted: it is the one thing of them that stays."""


class ConfirmDelete(Confirm):
    """Result: True to delete."""

    def __init__(
        self,
        chat_id: str,
        title: str,
        *,
        messages: int | None = None,
        local: bool = False,
        comes_back: bool = False,
    ) -> None:
        """`messages` when known; `local` when the chat exists on this computer only; `comes_back`: the server
        can bring it back."""
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
            Content(f"{_FROM_HERE if local else _FROM_BOTH} {_FOR_NOW if comes_back else _FOR_GOOD}"),
            Content.styled(LEDGER_STAYS, "$text-muted"),
        ]
        super().__init__("Delete this chat?", Content("\n").join(lines), yes="Delete", name="confirm-delete")
