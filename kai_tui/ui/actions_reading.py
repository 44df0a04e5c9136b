"""Actions of the group Reading."""

from __future__ import annotations

from kai_tui.ui.action import Action

READING: tuple[Action, ...] = (
    Action(
        "page_up",
        "Scroll up",
        "Scroll the conversation up, also while writing.",
        "Reading",
        "chat",
        ("pageup",),
    ),
    Action(
        "page_down",
        "Scroll down",
        "Scroll the conversation down.",
        "Reading",
        "chat",
        ("pagedown",),
    ),
    Action(
        "jump_to_start",
        "Go to the start",
        "Go to the first message.",
        "Reading",
        "chat",
        ("ctrl+home",),
        palette=True,
    ),
    Action(
        "jump_to_end",
        "Go to the end",
        "Go to the newest line and follow the reply again.",
        "Reading",
        "chat",
        ("ctrl+end",),
        palette=True,
    ),
    Action(
        "browse",
        "Read and unfold",
        "Move through the conversation with the arrow keys; again (or Esc): back to writing.",
        "Reading",
        "chat",
        ("ctrl+o",),
        palette=True,
    ),
    Action(
        "fold",
        "Unfold or fold",
        "Open or close the tool call, thought or long block under the cursor; say the suggestion under it.",
        "Reading",
        "transcript",
        ("enter", "space"),
    ),
    Action("copy_block", "Copy block", "Copy the block under the cursor.", "Reading", "transcript", ("c",)),
    Action(
        "look_again",
        "Look again on the server",
        "Read this chat from the server again: after a reply that was cut off or stopped, or that did not come.",
        "Reading",
        "chat",
        ("f5",),
        palette=True,
    ),
    Action(
        "vote_up",
        "Good answer",
        "While reading: tell the server that the answer under the cursor (or the newest) helped.",
        "Reading",
        "chat",
        ("plus",),
        palette=True,
    ),
    Action(
        "vote_down",
        "Bad answer",
        "While reading: tell the server that the answer under the cursor (or the newest) did not help.",
        "Reading",
        "chat",
        ("minus",),
        palette=True,
    ),
)
