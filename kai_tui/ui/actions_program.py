"""Actions of the group Program."""

from __future__ import annotations

from kai_tui.ui.action import Action

PROGRAM: tuple[Action, ...] = (
    Action(
        "open_palette",
        "Everything you can do",
        "Find any command by its name.",
        "Program",
        "app",
        ("ctrl+p", "f4"),
        hint="commands",
    ),
    Action(
        "show_help",
        "Help",
        "Show all keys and what the sandbox is.",
        "Program",
        "app",
        ("f1", "ctrl+g", "question_mark"),
        palette=True,
        hint="help",
    ),
    Action(
        "switch_account",
        "Accounts",
        "Open another account; add, change, try, name, mark or remove one.",
        "Program",
        "app",
        ("ctrl+l",),
        palette=True,
    ),
    Action(
        "add_account",
        "Add an account",
        "Of Kai, or of another assistant: it is asked field by field, with live checks.",
        "Program",
        "app",
        palette=True,
    ),
    Action(
        "sign_in",
        "Sign in to Kai",
        "Add a project with its address and a token.",
        "Program",
        "app",
        palette=True,
    ),
    Action(
        "sign_in_again",
        "Sign in again",
        "Give this account a new token; chats, drafts and questions stay as they are.",
        "Program",
        "chat",
        palette=True,
    ),
    Action("reconnect", "Connect again", "Try to reach the server again.", "Program", "chat", palette=True),
    Action(
        "toggle_theme",
        "Light or dark",
        "Change between the light and the dark theme.",
        "Program",
        "app",
        ("ctrl+t",),
        palette=True,
    ),
    Action(
        "toggle_notifications",
        "Notifications",
        "Tell the desktop when a reply ends or a decision is needed while you look elsewhere, or do not.",
        "Program",
        "app",
        palette=True,
    ),
    Action(
        "quit",
        "Quit",
        "Leave. Drafts and the reply so far are kept.",
        "Program",
        "app",
        ("ctrl+q",),
        palette=True,
        priority=True,
        hint="quit",
    ),
)
