"""Actions about whom one talks to."""

from __future__ import annotations

from kai_tui.ui.action import Action

AGENTS: tuple[Action, ...] = (
    Action(
        "choose_agent",
        "Choose who to talk to",
        "The agents of this server: whom new chats are with, or whom this one goes on with.",
        "Chats",
        "chat",
        ("f12", "alt+a"),
        palette=True,
        command="model",
        argument="name",
    ),
    Action(
        "deleted_chats",
        "Deleted chats",
        "Chats that were deleted, also long ago, and that the server can bring back.",
        "Chats",
        "chat",
        palette=True,
        command="deleted",
    ),
    Action(
        "restore_chat",
        "Bring the deleted chat back",
        "Bring back the chat you deleted last, where the server can.",
        "Chats",
        "chat",
        palette=True,
        command="restore",
    ),
)
