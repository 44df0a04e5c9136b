"""What each system can do, written down by hand (protocols/README.md §1, §4) and compared with what the program says.

A flag that silently turned off would silently turn off tests; so it is said here once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kai_tui.backends.base import Capabilities


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of server, or of agent on it."""

    caps: Capabilities
    text: Literal["tokens", "whole"] = "tokens"
    """Whether an answer comes word by word."""
    loss: Literal["keeps", "raises", "heals"] = "keeps"
    """What a connection that breaks in the middle of the answer comes to: what came is kept, nothing can be
    kept, or the answer is got another way."""
    stop: Literal["hang up", "post"] = "hang up"
    """How the server learns that nobody listens any more: `post` tells it besides."""
    signs_in_again: bool = False
    """A credential that is not known (any more) is replaced without asking anybody."""
    renews: bool = True
    """Whether another token can be typed in."""
    told: bool = True
    """Whether connecting finds a wrong credential out; else the first message does."""
    repeatable: bool = False
    """A question that failed left nothing behind and may be sent again: never "unsure"."""
    halves: bool = True
    """Whether the encoding can carry half a character."""
    tools: bool = True
    """Whether this kind of answer has room for tool calls."""
    stores_answers: bool = True
    """Whether the server keeps its answers, when it keeps chats."""
    tells_when_done: bool = False
    """Whether one can wait until the server is done with a chat."""
    mixed: bool = False
    """Chats of other kinds may be in the same account: what can be done is decided chat by chat."""
    agents: Literal["none", "optional", "required"] = "none"
    documents: bool = False


_AGENT = Capabilities(
    approval="side-request",
    history="server",
    delete=True,
    votes=True,
    usage=True,
    settings=True,
    tool_permissions=True,
    edits_input=True,
    tool_results=False,
    visibility=True,
    read_only_chats=True,
    context_path=True,
    branches=True,
    suggestions=True,
    attachments=False,
    restore=False,
)
_ASSISTANT = Capabilities(
    approval="continuation",
    history="server",
    delete=True,
    votes=True,
    tool_results=True,
    visibility=True,
    context_path=True,
    branches=True,
)
_IMBRACE = Capabilities(
    approval="continuation",
    history="server",
    delete=True,
    votes=True,
    tokens=False,
    suggestions=True,
    attachments=True,
    delete_all=True,
)
_MODEL = Capabilities(approval="none", history="local", delete=True, delete_all=True)
_ASSISTANT_UI = Capabilities(
    approval="tool-result", history="local", delete=True, tool_results=True, attachments=True
)
_KNOWRITHM = Capabilities(approval="none", history="server", delete=True, restore=True)
_KISS = Capabilities(approval="none", tokens=False, history="local", delete=True)

TABLE: dict[str, Row] = {
    "kai-agent": Row(_AGENT),
    "kai-assistant": Row(_ASSISTANT, told=False),
    "sandbox": Row(_AGENT),
    "imbrace": Row(_IMBRACE, documents=True, agents="required", tells_when_done=True),
    "imbrace-plain": Row(_IMBRACE, text="whole", halves=False, documents=True, agents="required", tools=False, stores_answers=False),
    "imbrace-model": Row(_MODEL, documents=True, agents="required", mixed=True),
    "aui-data": Row(_ASSISTANT_UI, stop="post", told=False),
    "aui-transport": Row(_ASSISTANT_UI, stop="post", told=False),
    "aui-openai": Row(_ASSISTANT_UI, stop="post", told=False, halves=False, tools=False),
    "aui-ui": Row(_ASSISTANT_UI, stop="post", told=False),
    "aui-plain": Row(_ASSISTANT_UI, stop="post", told=False, halves=False, tools=False),
    "aui-json": Row(_ASSISTANT_UI, text="whole", loss="raises", stop="post", told=False, halves=False, tools=False),
    "aui-state": Row(_ASSISTANT_UI, stop="post", told=False),
    "aui-messages": Row(_ASSISTANT_UI, stop="post", told=False),
    "knowrithm": Row(_KNOWRITHM, text="whole", loss="heals", documents=True, agents="required"),
    "knowrithm-polling": Row(_KNOWRITHM, text="whole", loss="heals", documents=True, agents="required"),
    "kiss": Row(
        _KISS,
        text="whole",
        loss="raises",
        signs_in_again=True,
        renews=False,
        repeatable=True,
        documents=True,
    ),
}  # fmt: skip
