"""The base of the app's parts: to the type checker our app, when it runs nothing (see `screens/chat_part.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.ui.terminal.safe_app import SafeApp

    AppPart = SafeApp[object]
else:

    class AppPart:
        """A group of actions and what they need; `KaiApp` puts the groups in front of `SafeApp`."""


__all__ = ["AppPart"]
