"""The one event vocabulary: what every backend yields and what `fold` understands.

The terms are those of the AI SDK's UI message stream (protocols/kai.md §6), plus four of our own
(`Usage`, `Title`, `Status`, `Finish` with reasons of ours; protocols/README.md §3).
`Finish` comes exactly once per turn and last, also after a loss or a missing terminator.
A cancelled iterator cannot yield any more: whoever cancelled folds `Finish("cancelled")` itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

FinishReason: TypeAlias = Literal[
    "stop",
    "length",
    "tool-calls",
    "content-filter",
    "cancelled",
    "error",
    "lost",
    "other",
    "unknown",
    "elsewhere",
]
"""How an answer ended. `elsewhere`: not yet, another window of ours reads it; no server says that."""


@dataclass(frozen=True, slots=True)
class Start:
    """The answer begins; the server's id for it may come with it."""

    message_id: str | None = None
    metadata: Any = None


@dataclass(frozen=True, slots=True)
class StartStep:
    """A new model step."""


@dataclass(frozen=True, slots=True)
class FinishStep:
    """The step ends. Open blocks stay open: SDK 6 forgets them here and then breaks, SDK 7 does not."""


@dataclass(frozen=True, slots=True)
class ResetStep:
    """Throw away the parts of the current step (SDK 7)."""


@dataclass(frozen=True, slots=True)
class TextStart:
    id: str
    provider_metadata: Any = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    id: str
    delta: str
    provider_metadata: Any = None


@dataclass(frozen=True, slots=True)
class TextEnd:
    id: str
    provider_metadata: Any = None
    citations: Any = None
    """SDK 7."""


@dataclass(frozen=True, slots=True)
class ReasoningStart:
    id: str
    provider_metadata: Any = None


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    id: str
    delta: str
    provider_metadata: Any = None


@dataclass(frozen=True, slots=True)
class ReasoningEnd:
    id: str
    provider_metadata: Any = None


@dataclass(frozen=True, slots=True)
class ToolInputStart:
    tool_call_id: str
    tool_name: str
    fields: JsonObject
    """The chunk's optional fields as they came (`dynamic`, `title`, `inputEncoding`, …)."""


@dataclass(frozen=True, slots=True)
class ToolInputDelta:
    tool_call_id: str
    delta: str


@dataclass(frozen=True, slots=True)
class ToolInputAvailable:
    tool_call_id: str
    tool_name: str
    input: Any
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ToolInputError:
    tool_call_id: str
    tool_name: str
    input: Any
    error_text: str
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ToolApprovalRequest:
    """The server waits for the user's decision on this call (kai.md §9.1)."""

    tool_call_id: str
    approval_id: str
    fields: JsonObject
    """`signature`, `inputSchemaInput`, `approvalDescriptor`, … as they came."""


@dataclass(frozen=True, slots=True)
class ToolApprovalResponse:
    """SDK 7 echoes an answer. Never counts as the user's decision (reliability.md A10)."""

    approval_id: str
    approved: bool
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ToolOutputAvailable:
    tool_call_id: str
    output: Any
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ToolOutputError:
    tool_call_id: str
    error_text: str
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ToolOutputDenied:
    tool_call_id: str


@dataclass(frozen=True, slots=True)
class WholePart:
    """A part that comes complete: source, file, or an SDK 7 part we only keep."""

    part: JsonObject


@dataclass(frozen=True, slots=True)
class Data:
    """A `data-<name>` part. `transient` ones never enter the message."""

    type: str
    data: Any
    id: str | None
    transient: bool
    part: JsonObject
    """The whole chunk, as it enters the message."""


@dataclass(frozen=True, slots=True)
class MessageMetadata:
    metadata: Any


@dataclass(frozen=True, slots=True)
class Abort:
    """The server gave up the answer; no finish chunk will come."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Error:
    """An error inside the stream; more may follow (kai.md §6)."""

    text: str
    code: str | None = None


UsageSource: TypeAlias = Literal["data", "step", "finish"]
"""Which chunk said it. The three may say the same tokens: see `usage.StreamTokens`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, summed over the chat by whoever listens (kai.md §10)."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    source: UsageSource = "data"
    id: str | None = None
    """Of a `data-usage` chunk that has one: a later one with this id replaces it."""


@dataclass(frozen=True, slots=True)
class Title:
    """The server named the chat."""

    title: str


@dataclass(frozen=True, slots=True)
class Status:
    """Something to say while waiting; never part of the transcript."""

    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A chunk nobody knows or that broke the rules: kept for the details view, no effect."""

    why: str
    raw: Any


@dataclass(frozen=True, slots=True)
class Finish:
    """The turn is over. Exactly one per turn, always last."""

    reason: FinishReason
    raw_reason: str | None = None
    """What the server called it, when it said."""
    metadata: Any = None
    detail: str | None = None
    """For `lost`, `error` and an answer the server gave up: one sentence for the user. Raw text."""
    stored: bool | None = None
    """False: the server keeps nothing of this answer, although it keeps chats (imbrace.md §5)."""


Event: TypeAlias = (
    Start
    | StartStep
    | FinishStep
    | ResetStep
    | TextStart
    | TextDelta
    | TextEnd
    | ReasoningStart
    | ReasoningDelta
    | ReasoningEnd
    | ToolInputStart
    | ToolInputDelta
    | ToolInputAvailable
    | ToolInputError
    | ToolApprovalRequest
    | ToolApprovalResponse
    | ToolOutputAvailable
    | ToolOutputError
    | ToolOutputDenied
    | WholePart
    | Data
    | MessageMetadata
    | Abort
    | Error
    | Usage
    | Title
    | Status
    | Skipped
    | Finish
)
