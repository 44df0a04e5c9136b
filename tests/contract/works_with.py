"""The README's table of what works with which system, made of the rows the contract suite holds against `caps`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.contract.table import TABLE, Row

COLUMNS: Sequence[tuple[str, tuple[str, ...], str]] = (
    ("Kai agent", ("kai-agent",), ""),
    ("Kai assistant", ("kai-assistant",), ""),
    ("Sandbox", ("sandbox",), ""),
    ("iMBRACE", ("imbrace", "imbrace-plain", "imbrace-model"), "¹"),
    ("Assistant UI", tuple(name for name in TABLE if name.startswith("aui-")), "²"),
    ("Knowrithm", ("knowrithm", "knowrithm-polling"), ""),
    ("KISS AI Stack", ("kiss",), ""),
)
"""Title, the stands of the system (the usual one first), and the note for what differs among them."""

NO = "–"
_APPROVAL = {
    "none": NO,
    "side-request": "approve or deny",
    "continuation": "approve or deny",
    "tool-result": "answer with a value",
}


def _yes(found: bool) -> str:
    return "yes" if found else NO


def _lost(row: Row) -> str:
    if row.repeatable:
        return "may be asked again"
    if row.caps.takes_up:
        return "the answer is taken up again"
    return "the chat is read again" if row.caps.history == "server" else "what came is kept"


ROWS: Sequence[tuple[str, Callable[[Row], str]]] = (
    ("The answer comes", lambda row: "word by word" if row.text == "tokens" else "in one piece"),
    ("Chats are kept", lambda row: "by the server" if row.caps.history == "server" else "on this computer"),
    ("After a lost connection", _lost),
    ("A tool call waits for you", lambda row: _APPROVAL[row.caps.approval] if row.tools else NO),
    ("Change a call before approving", lambda row: _yes(row.caps.edits_input)),
    ("Delete a chat", lambda row: _yes(row.caps.delete)),
    ("Delete all chats at once", lambda row: _yes(row.caps.delete_all)),
    ("Bring a deleted chat back", lambda row: _yes(row.caps.restore)),
    ("Say that an answer helped", lambda row: _yes(row.caps.votes)),
    ("Choose whom to talk to", lambda row: _yes(row.agents != "none")),
    ("Documents to look things up in", lambda row: _yes(row.documents)),
    ("Files with a message", lambda row: _yes(row.caps.attachments)),
    ("Suggestions for a new chat", lambda row: _yes(row.caps.suggestions)),
    ("Tokens of a chat", lambda row: _yes(row.caps.tokens)),
    ("The month's messages", lambda row: _yes(row.caps.usage)),
    ("Instructions of your own", lambda row: _yes(row.caps.settings)),
    ("Permissions of tools", lambda row: _yes(row.caps.tool_permissions)),
    ("Show a chat to your project", lambda row: _yes(row.caps.visibility)),
    ("Chats that may only look", lambda row: _yes(row.caps.read_only_chats)),
    ("A chat about a page, on a branch", lambda row: _yes(row.caps.context_path and row.caps.branches)),
)


def markdown() -> str:
    """The table."""
    lines = [
        f"| | {' | '.join(title for title, _, _ in COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for name, cell in ROWS:
        cells: list[str] = []
        for _, stands, note in COLUMNS:
            found = [cell(TABLE[stand]) for stand in stands]
            cells.append(found[0] if len(set(found)) == 1 else f"{found[0]} {note}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
