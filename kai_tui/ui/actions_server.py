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
        command="server",
    ),
    Action(
        "edit_instructions",
        "Instructions for Kai",
        "What Kai is told before every chat: your own instructions and the project's.",
        "Program",
        "chat",
        palette=True,
        command="instructions",
    ),
    Action(
        "tool_permissions",
        "Tools and permissions",
        "Which tools Kai has, which of them it asks about, which it may not use.",
        "Program",
        "chat",
        palette=True,
        command="tools",
    ),
    Action(
        "show_documents",
        "Documents",
        "Files and websites the assistant looks things up in: add, delete, see what became of them.",
        "Program",
        "chat",
        ("alt+k", "f11"),
        palette=True,
        command="documents",
    ),
)
