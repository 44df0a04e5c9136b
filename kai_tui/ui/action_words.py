"""The registry of actions in words: names of keys, footer hints, the help's groups, the README's table."""

from __future__ import annotations

from collections.abc import Sequence

from kai_tui.ui.actions import ACTIONS, GROUPS, Action, Group, action

_KEY_NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "delete": "Del",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "apostrophe": "'",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "question_mark": "?",
    "space": "Space",
}


def key_name(key: str) -> str:
    """A key as people write it: `ctrl+b` → `Ctrl+B`."""
    *modifiers, last = key.split("+")
    shown = _KEY_NAMES.get(last, last.upper() if len(last) == 1 and modifiers else last)
    if last.startswith("f") and last[1:].isdigit():
        shown = last.upper()
    return "+".join([modifier.capitalize() for modifier in modifiers] + [shown])


def key_names(item: Action) -> str:
    """All keys of an action: `Ctrl+B, F2`."""
    return _listed([key_name(key) for key in item.keys])


def _listed(names: Sequence[str]) -> str:
    """`Ctrl+B, F2`; a run of digits by its ends: `1 … 9`."""
    if len(names) > 2 and all(name.strip("`").isdigit() for name in names):
        return f"{names[0]} … {names[-1]}"
    return ", ".join(names)


def hints(
    names: Sequence[str] = ("open_palette", "show_help", "new_chat", "toggle_chats"),
) -> tuple[tuple[str, str], ...]:
    """Key and word for a footer, the most important first: `(("Ctrl+N", "new"), …)`."""
    return tuple((key_name(action(name).keys[0]), action(name).hint) for name in names)


def grouped() -> list[tuple[Group, list[Action]]]:
    """Actions that have a key, by group, in the order of the registry: for the help screen."""
    return [(group, [item for item in ACTIONS if item.group == group and item.keys]) for group in GROUPS]


def markdown_table() -> str:
    """The README's table of keys."""
    where = {
        "composer": "writing",
        "transcript": "reading (`Ctrl+O`)",
        "chats": "list of chats",
        "approval": "a question",
    }
    lines = ["| Key | What it does | Where |", "|---|---|---|"]
    for _group, items in grouped():
        for item in items:
            keys = _listed([f"`{key_name(key)}`" for key in item.keys])
            text = item.help.replace("|", "\\|")
            lines.append(f"| {keys} | {text} | {where.get(item.scope, 'everywhere')} |")
    return "\n".join(lines) + "\n"
