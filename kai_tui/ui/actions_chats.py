"""Actions of the group Chats."""

from __future__ import annotations

from kai_tui.ui.action import Action

CHATS: tuple[Action, ...] = (
    Action(
        "new_chat",
        "New chat",
        "Start a new chat; the draft of this one is kept.",
        "Chats",
        "chat",
        ("ctrl+n",),
        palette=True,
        hint="new",
    ),
    Action(
        "toggle_chats",
        "List of chats",
        "Show the list of chats and go there; again: hide it.",
        "Chats",
        "chat",
        ("ctrl+b", "f2"),
        palette=True,
        hint="chats",
    ),
    Action(
        "chat_terms",
        "This chat",
        "Who can read this chat, whether Kai may only look, and what the chat is about.",
        "Chats",
        "chat",
        ("f10", "alt+t"),
        palette=True,
    ),
    Action(
        "fork_chat",
        "Fork this chat",
        "While reading: a new chat that begins with this one quoted, up to the message under the cursor.",
        "Chats",
        "chat",
        ("f",),
        palette=True,
    ),
    Action(
        "drop_quote",
        "Drop the quote",
        "While reading a fork: begin it without the quoted chat.",
        "Chats",
        "chat",
        ("d",),
        palette=True,
    ),
    Action(
        "next_wanting",
        "Next chat that wants you",
        "Go to the next chat that waits for a decision, failed, or has something new.",
        "Chats",
        "chat",
        ("f9",),
        palette=True,
    ),
    Action("open_chat", "Open", "Open the chat under the cursor.", "Chats", "chats", ("enter",)),
    Action("search_chats", "Search", "Find a chat by its title.", "Chats", "chats", ("slash",)),
    Action(
        "delete_chat", "Delete this chat", "Delete the chat, after asking.", "Chats", "chat", palette=True
    ),
    Action(
        "delete_all_chats",
        "Delete all chats",
        "Delete every chat of this account at the server, after counting them and asking.",
        "Chats",
        "chat",
        palette=True,
    ),
    Action(
        "delete_listed",
        "Delete",
        "Delete the chat under the cursor, after asking.",
        "Chats",
        "chats",
        ("d", "delete"),
    ),
    Action(
        "refresh_chats",
        "Refresh the list of chats",
        "Ask the server for the list again.",
        "Chats",
        "chat",
        palette=True,
    ),
    Action(
        "show_tokens",
        "Tokens of this chat",
        "How many tokens this chat used: in, out, from the cache, for reasoning.",
        "Chats",
        "chat",
        palette=True,
    ),
)
