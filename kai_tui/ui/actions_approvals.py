"""Actions of the group Approvals."""

from __future__ import annotations

from kai_tui.ui.action import Action

APPROVALS: tuple[Action, ...] = (
    Action(
        "review_waiting",
        "Answer a waiting question",
        "Open the question of the assistant that waits; the list of all when there are several.",
        "Approvals",
        "app",
        ("ctrl+r", "f3"),
        palette=True,
    ),
    Action(
        "show_inbox",
        "All waiting questions",
        "The questions of all chats and accounts in one list: read, decide and send them together.",
        "Approvals",
        "app",
        palette=True,
    ),
    Action(
        "choose",
        "Choose an answer",
        "Move between Deny, Approve and Deny with a reason. Deny has the focus first.",
        "Approvals",
        "approval",
        ("right", "left", "tab"),
    ),
    Action(
        "decide",
        "Decide",
        "Take the chosen answer. Nothing is taken in the first half second of quiet, and Approve only after the last line of the arguments was on screen.",
        "Approvals",
        "approval",
        ("enter",),
    ),
    Action(
        "scroll_arguments",
        "Read the arguments",
        "Scroll the arguments of the call.",
        "Approvals",
        "approval",
        ("down", "up", "pagedown", "pageup", "end", "home"),
    ),
    Action(
        "decide_later",
        "Decide later",
        "Close the question; it keeps waiting and nothing happens meanwhile.",
        "Approvals",
        "approval",
        ("escape",),
    ),
    Action(
        "answer_left_open",
        "Answer a call that was left open",
        "For very old servers: answer a call that a finished reply left open.",
        "Approvals",
        "chat",
        palette=True,
    ),
    Action(
        "show_ledger",
        "Ledger of decisions",
        "What was approved and denied, by whom and what came of it, over all accounts: search, verify, export.",
        "Approvals",
        "chat",
        ("alt+l",),
        palette=True,
    ),
)
