"""The base of the chat screen's parts: to the type checker the screen's layout, when it runs nothing.

Textual looks every widget class over when it is made. For each of two dozen parts that would come
before the first paint, and would find nothing: bindings and styles are the screen's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.ui.screens.chat_layout import ChatLayout as ChatPart
else:

    class ChatPart:
        """A group of actions and what they need; `ChatScreen` puts the groups in front of its layout."""


__all__ = ["ChatPart"]
