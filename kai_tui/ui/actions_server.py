"""Actions of the group Program that are about the server."""

from __future__ import annotations

from kai_tui.ui.action import Action

SERVER: tuple[Action, ...] = (
    Action(
        "about_server",
        "About this server",
        "Who answers, its version and health, where it is, how many messages are left.",
        "Program",
        "chat",
        palette=True,
    ),
)
