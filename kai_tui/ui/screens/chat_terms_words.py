"""What the chat screen says about terms, branch and object of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from kai_tui.services.naming import assistant_name, is_kai
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action

if TYPE_CHECKING:
    from kai_tui.services.account import Account
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.widgets.chat_header import ChatHeader


def show_header(header: ChatHeader, title: str, workspace: Workspace, session: ChatSession | None) -> None:
    """Which chat, under which terms, with whom, where: the line over the conversation."""
    account = workspace.account
    agent = workspace.agents.of(session.chat_id if session is not None else None)
    header.show(
        title,
        read_only=is_read_only(workspace, session),
        switched=session is not None and session.read_only_switch,
        public=session is not None and session.known_terms.visibility == "public",
        assistant=agent.name if agent is not None else assistant_name(account),
        project="Sandbox" if account.kind == "sandbox" else account.label,
        branch=branch_words(account) if is_kai(account) else "",
        colour=account.colour,
    )


def branch_words(account: Account) -> str:
    """A number alone says nothing beside other names."""
    return f"branch {account.branch}" if account.branch.isdigit() else account.branch


def is_read_only(workspace: Workspace, session: ChatSession | None) -> bool:
    """Whether it may be claimed: it was chosen, and this Kai keeps to it."""
    caps = workspace.caps_of(session.chat_id) if session is not None else workspace.caps
    keeps = caps is None or caps.read_only_chats
    return session is not None and session.known_terms.read_only is True and keeps


def terms_lines(workspace: Workspace, session: ChatSession | None) -> list[tuple[str, str]]:
    """What holds for an empty chat, and how to choose it."""
    from kai_tui.conversation.safe_text import safe_line

    lines: list[tuple[str, str]] = []
    account, caps = workspace.account, workspace.caps
    if not is_kai(account):
        return []
    if account.branch_id is not None:
        lines.append((f"Kai works on the branch {safe_line(account.branch, 100)}.", "$text-warning"))
    if is_read_only(workspace, session):
        lines.append(("This chat is read-only: Kai may look, not change anything.", "$text-success"))
    if session is not None and session.read_only_switch:
        lines.append(("The read-only switch is on: what would change something is denied.", "$text-warning"))
    if session is not None and session.known_terms.visibility == "public":
        lines.append(("This chat is public: everybody in the project can read it.", "$text-warning"))
    if caps is not None and (caps.visibility or caps.read_only_chats):
        key = key_name(action("chat_terms").keys[0])
        lines.append((f"{key}: who can read this chat, and what Kai may do in it", "$text-muted"))
    return [(("\n\n" if number == 0 else "\n") + text, style) for number, (text, style) in enumerate(lines)]


def about_line(path: str, width: int) -> Content:
    """What the next messages are about, in one line; the end of a path says the most."""
    from rich.cells import cell_len

    from kai_tui.conversation.safe_text import safe_exact

    tail = " · Backspace on an empty prompt removes it"
    shown = safe_exact(path, one_line=True).text
    room = max(12, width - len("about ") - len(tail))
    if cell_len(shown) > room:
        if cell_len(shown) > max(12, width - len("about ") - len(" · Backspace removes it")):
            tail = " · Backspace removes it"
        room = max(12, width - len("about ") - len(tail))
        while cell_len(shown) > room - 1:
            shown = shown[1:]
        shown = f"…{shown}"
    return Content.assemble(("about ", "$text-muted"), (shown, "$text-accent"), (tail, "$text-muted"))
