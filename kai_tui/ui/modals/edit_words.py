"""What is said about an input while somebody edits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.conversation.edited_input import one_line, path_words

if TYPE_CHECKING:
    from kai_tui.conversation.edited_input import InputField, Kind
    from kai_tui.ui.modals.edited_values import EditedValues

LONGEST_TEXT = 200_000
"""Characters of a text that can be edited here; more would make keys slow."""
LONGEST_LINE = 20_000
NO_EDITS = (
    "This server cannot be given another input. What you change here goes to the assistant as the reason of a No: "
    "it can ask again with it."
)
KINDS: dict[Kind, str] = {
    "text": "text",
    "escaped text": "text with characters that cannot be seen, written as in JSON",
    "number": "number",
    "yes or no": "true or false: Space changes it",
    "JSON": "JSON",
}


def is_too_big(text: str) -> bool:
    """Whether a text cannot be edited here."""
    return len(text) > LONGEST_TEXT or any(len(line) > LONGEST_LINE for line in text.split("\n"))


def was_words(values: EditedValues, field: InputField) -> str:
    """What was asked, beside what stands there now; empty when that is the same. Safe text."""
    from kai_tui.conversation.safe_text import safe_line

    was = next((each for each in values.changes() if each.path == field.path), None)
    if was is None or was.secret:
        return ""
    if was.does == "adds":
        return " · you added this"
    return f" · it was {safe_line(one_line(was.before), 120)}"


def changes_words(values: EditedValues) -> str:
    """What is changed so far, and what cannot be sent. Safe text."""
    from kai_tui.conversation.safe_text import safe_line

    wrong = values.wrong
    if wrong:
        names = ", ".join(values.fields[number].name for number in wrong[:6])
        return safe_line(f"! Cannot be sent as it stands: {names}", 200)
    found = values.changes()
    if not found:
        return "Nothing is changed yet."
    names = " · ".join(dict.fromkeys(path_words(each.path) for each in found[:12]))
    return safe_line(f"● {len(found)} changed: {names}", 300)
