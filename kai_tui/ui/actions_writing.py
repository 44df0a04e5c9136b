"""Actions of the group Writing."""

from __future__ import annotations

from kai_tui.ui.action import Action

WRITING: tuple[Action, ...] = (
    Action(
        "send",
        "Send",
        "Send the message; while a reply streams it waits in the queue.",
        "Writing",
        "composer",
        ("enter",),
    ),
    Action(
        "new_line",
        "New line",
        "Start a new line. Shift+Enter works too where the terminal can tell it apart; a \\ before Enter works everywhere.",
        "Writing",
        "composer",
        ("ctrl+j", "shift+enter"),
    ),
    Action(
        "recall",
        "Earlier messages",
        "On the first line: bring back what you sent before.",
        "Writing",
        "composer",
        ("up", "down"),
    ),
    Action(
        "stop_reply",
        "Stop the reply",
        "Stop the reply that streams; what came stays. Otherwise: back to writing.",
        "Writing",
        "chat",
        ("escape",),
        palette=True,
    ),
    Action(
        "copy_or_stop",
        "Copy or stop",
        "Copy what is selected. With nothing selected: stop the reply; twice when nothing runs: quit.",
        "Writing",
        "chat",
        ("ctrl+c",),
    ),
    Action(
        "edit_queued",
        "Take back what waits",
        "Take the newest message that waits to be sent back into the prompt.",
        "Writing",
        "chat",
        ("alt+up",),
        palette=True,
    ),
    Action(
        "show_queue",
        "Waiting messages",
        "List the messages that wait to be sent: edit, remove, move, pause them.",
        "Writing",
        "chat",
        ("f8",),
        palette=True,
    ),
    Action(
        "retry_unsent",
        "Send again",
        "Send a message again that did not reach the server, or ask again what was not answered to its end; r works while reading.",
        "Writing",
        "chat",
        ("ctrl+s", "r"),
        palette=True,
    ),
    Action(
        "regenerate",
        "Ask again",
        "While reading: ask the last question again in a new turn; the old answer stays, as superseded.",
        "Writing",
        "chat",
        ("g",),
        palette=True,
    ),
    Action(
        "edit_last",
        "Edit the last message",
        "While reading: change your last message and ask it in a new turn; the old one stays, as superseded.",
        "Writing",
        "chat",
        ("e",),
        palette=True,
    ),
)
