"""Actions of the group Reading that the reading cursor has: the transcript listens itself."""

from __future__ import annotations

from kai_tui.ui.action import Action

BLOCKS: tuple[Action, ...] = (
    Action(
        "walk_blocks",
        "Walk over blocks",
        "Move over the blocks of the conversation: paragraphs, lists, code, tables, tool calls, thoughts, suggestions.",
        "Reading",
        "transcript",
        ("up", "down", "k", "j"),
    ),
    Action(
        "walk_messages",
        "Walk over messages",
        "To the beginning of the message, or to the one above or below.",
        "Reading",
        "transcript",
        ("left_curly_bracket", "right_curly_bracket"),
    ),
    Action(
        "walk_links",
        "Walk over links",
        "Over the links of what is under the cursor: the last line says where each leads, Enter asks whether to open it.",
        "Reading",
        "transcript",
        ("tab", "shift+tab"),
        hint="links",
    ),
    Action(
        "jump_mode",
        "Jump",
        "Put a label on everything in sight that can be reached; typing it goes there, and asks to open a link.",
        "Reading",
        "transcript",
        ("apostrophe",),
        hint="jump",
    ),
    Action(
        "lay_out_sql",
        "Lay SQL out",
        "Draw the SQL under the cursor with a line for each clause, marked so; again: as the model wrote it.",
        "Reading",
        "transcript",
        ("p",),
        hint="lay out",
    ),
    Action(
        "raw_markdown",
        "Markdown as written",
        "Show the answer under the cursor as it was written, character by character; again: as it is meant.",
        "Reading",
        "transcript",
        ("m",),
        hint="markdown",
    ),
    Action(
        "save_block",
        "Save block",
        "Save the block under the cursor to a file: you see the name and may change it first.",
        "Reading",
        "transcript",
        ("s",),
        hint="save",
    ),
    Action(
        "select_blocks",
        "Select blocks",
        "Select the block under the cursor, then more above or below it; c copies what is selected.",
        "Reading",
        "transcript",
        ("shift+up", "shift+down"),
    ),
    Action(
        "select_words",
        "Select words",
        "Select a word of the block under the cursor, then the next or the one before; with Shift more of them.",
        "Reading",
        "transcript",
        ("left", "right", "shift+left", "shift+right"),
    ),
    Action(
        "select_conversation",
        "Select everything",
        "Select the whole conversation.",
        "Reading",
        "transcript",
        ("ctrl+a",),
    ),
)
