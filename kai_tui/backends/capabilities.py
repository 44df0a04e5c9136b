"""What a remote assistant can do. Its own file: the screens ask before the first paint, when nothing else of
`base` is needed."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

ApprovalStyle: TypeAlias = Literal["none", "side-request", "continuation", "tool-result"]


class Capabilities(NamedTuple):
    """What a backend can do; the screen shows no dead keys (protocols/README.md §4)."""

    approval: ApprovalStyle
    history: Literal["server", "local"] = "server"
    delete: bool = True
    votes: bool = False
    usage: bool = False
    settings: bool = False
    tool_permissions: bool = False
    edits_input: bool = False
    """Whether an approval may carry a changed input or the answers to a tool's questions (kai.md §4.10)."""
    tool_results: bool = False
    """Whether a call that a reply left open may be answered with a tool result (kai.md §9.3)."""
    visibility: bool = False
    """Whether a chat can be shown to others of the project."""
    read_only_chats: bool = False
    """Whether a chat can be kept from tools that change things (`toolRestrictions`, kai.md §4.3)."""
    context_path: bool = False
    """Whether a message can be about a page of the web interface (`requestContext.path`)."""
    branches: bool = False
    tokens: bool = True
    """Whether it tells how many tokens an answer took."""
    suggestions: bool = False
    attachments: bool = False
    """Whether files can go with a message, by their address (`Outgoing.attachments`)."""
    restore: bool = False
    """Whether a deleted chat can be brought back (`Backend.restore`)."""
    takes_up: bool = False
    """Whether a reply that broke off can be asked for once more (`Backend.take_up`)."""
    delete_all: bool = False
    """Whether all chats can be deleted at once (`Backend.delete_all`)."""
