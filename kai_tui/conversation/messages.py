"""The one message model: an id, a role, metadata and parts.

Every part keeps the wire's own fields whole, unknown ones included, so that an approval can be
answered with exactly what came (protocols/kai.md §9.1). The classes only give them names.
Text is raw here; it is made safe at the doors of design.md §3 (`safe_text.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast

from kai_tui.conversation.events import Finish, JsonObject
from kai_tui.conversation.growing_text import GrowingText
from kai_tui.conversation.growing_text import mend_surrogates as mend_surrogates
from kai_tui.conversation.json_text import copy_json
from kai_tui.conversation.streaming_input import StreamingInput

Role: TypeAlias = Literal["user", "assistant", "system"]
BlockState: TypeAlias = Literal["streaming", "done"]

ToolState: TypeAlias = Literal[
    "input-streaming",
    "input-available",
    "approval-requested",
    "approval-responded",
    "output-available",
    "output-error",
    "output-denied",
]


class Part:
    """One part of a message: the wire's fields under our names."""

    __slots__ = ("_fields",)

    def __init__(self, fields: JsonObject) -> None:
        """Takes the dictionary over."""
        self._fields = fields

    @property
    def fields(self) -> JsonObject:
        """The wire's fields. Written only by `fold`; a growing text is not among them."""
        return self._fields

    @property
    def type(self) -> str:
        """The wire's `type`; an empty string when the part has none."""
        kind = self._fields.get("type")
        return kind if isinstance(kind, str) else ""

    def to_wire(self) -> Any:
        """A copy of the part as JSON."""
        return copy_json(self.fields)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.to_wire()!r})"


class GrowingPart(Part):
    """A part whose text arrives in deltas. Appending costs the delta, not the text."""

    __slots__ = ("_text", "append")

    def __init__(self, fields: JsonObject) -> None:
        fields = dict(fields)
        text = fields.pop("text", "")
        super().__init__(fields)
        self._text = GrowingText(text if isinstance(text, str) else "")
        self.append: Final = self._text.append
        """Add a delta; half a surrogate pair at its end waits for its other half."""

    @property
    def text(self) -> str:
        """The whole text so far, without a waiting half of a surrogate pair."""
        return self._text.text

    def __len__(self) -> int:
        """Length of `text` in characters; cheap."""
        return len(self._text)

    def since(self, start: int) -> str:
        """`text[start:]`, cheap when little was added since: how the screen reads deltas."""
        return self._text.since(start)

    @property
    def waiting(self) -> str:
        """Half of a surrogate pair that waits for its other half; nearly always nothing."""
        return self._text.waiting

    @property
    def done(self) -> bool:
        """False while the server still writes this block."""
        return self._fields.get("state") != "streaming"

    def to_wire(self) -> JsonObject:
        wire = super().to_wire()
        wire["text"] = self._text.raw
        return wire


class TextPart(GrowingPart):
    """Prose, in markdown."""

    __slots__ = ()


class ReasoningPart(GrowingPart):
    """What the model thought."""

    __slots__ = ()


class ToolPart(Part):
    """A tool call through its whole life (states: protocols/kai.md §8)."""

    __slots__ = ("_arriving",)

    def __init__(self, fields: JsonObject) -> None:
        super().__init__(fields)
        self._arriving: StreamingInput | None = None

    @property
    def fields(self) -> JsonObject:
        """The wire's fields, with as much of a streaming input as can be read."""
        if self._arriving is not None:
            self._arriving.write_to(self._fields)
        return self._fields

    def grow_input(self, delta: str) -> None:
        """Add a piece of the input's text; it is read only when somebody looks."""
        if self._arriving is None:
            self._arriving = StreamingInput.of(self._fields)
        self._arriving.append(delta)

    def stop_growing(self) -> JsonObject:
        """The input's text ended; the fields with what could be read of it."""
        fields = self.fields
        self._arriving = None
        return fields

    @property
    def tool_name(self) -> str:
        if self.type == "dynamic-tool":
            name = self._fields.get("toolName")
            return name if isinstance(name, str) else ""
        return self.type.removeprefix("tool-")

    @property
    def tool_call_id(self) -> str:
        call_id = self._fields.get("toolCallId")
        return call_id if isinstance(call_id, str) else ""

    @property
    def state(self) -> ToolState:
        state = self._fields.get("state")
        return cast("ToolState", state if isinstance(state, str) else "input-streaming")

    @property
    def title(self) -> str | None:
        title = self._fields.get("title")
        return title if isinstance(title, str) else None

    @property
    def has_input(self) -> bool:
        """Whether any input arrived; it may still be unfinished (`state`)."""
        return "input" in self.fields

    @property
    def input(self) -> Any:
        return self.fields.get("input")

    @property
    def raw_input(self) -> Any:
        """The input's own text while it streams or when it was invalid."""
        return self.fields.get("rawInput")

    @property
    def output(self) -> Any:
        return self._fields.get("output")

    @property
    def error_text(self) -> str | None:
        text = self._fields.get("errorText")
        return text if isinstance(text, str) else None

    @property
    def preliminary(self) -> bool:
        return self._fields.get("preliminary") is True

    @property
    def approval(self) -> Mapping[str, Any] | None:
        """`id`, and once answered `approved` and `reason`; further fields as the server sent them."""
        approval = self._fields.get("approval")
        return cast("Mapping[str, Any]", approval) if isinstance(approval, dict) else None

    @property
    def approval_id(self) -> str | None:
        approval = self.approval
        found = approval.get("id") if approval is not None else None
        return found if isinstance(found, str) else None

    @property
    def settled(self) -> bool:
        """True when nothing more can happen to the call."""
        return self.state in ("output-error", "output-denied") or (
            self.state == "output-available" and not self.preliminary
        )


def same_call(part: Part, call: ToolPart) -> bool:
    """Whether a part is this call: the same object, or read once more from the same text."""
    return part is call or (
        isinstance(part, ToolPart) and part.tool_call_id == call.tool_call_id and part.fields == call.fields
    )


class SourcePart(Part):
    """`source-url` or `source-document`."""

    __slots__ = ()


class FilePart(Part):
    """A file: `mediaType`, `url` (often a data: URL), `filename?`. Never fetched by itself."""

    __slots__ = ()


class DataPart(Part):
    """`data-<name>`: anything the server wants to say beside the text."""

    __slots__ = ()


class StepStart(Part):
    """Marks the start of a model step."""

    __slots__ = ()


class OtherPart(Part):
    """A part of a kind we do not know; kept whole, even when it is no object."""

    __slots__ = ("raw",)

    def __init__(self, fields: JsonObject, raw: Any = None) -> None:
        super().__init__(fields)
        self.raw = raw

    def to_wire(self) -> Any:
        return copy_json(self.raw) if self.raw is not None else super().to_wire()


_KINDS: Final[dict[str, type[Part]]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "dynamic-tool": ToolPart,
    "source-url": SourcePart,
    "source-document": SourcePart,
    "file": FilePart,
    "step-start": StepStart,
}


def part_from_wire(raw: Any) -> Part:
    """The part for one element of a wire message's `parts`; never raises. Copies what it keeps."""
    if not isinstance(raw, dict):
        return OtherPart({}, copy_json(raw))
    fields = copy_json(cast("JsonObject", raw))
    kind = fields.get("type")
    if not isinstance(kind, str):
        return OtherPart(fields)
    make = _KINDS.get(kind)
    if make is None:
        make = ToolPart if kind.startswith("tool-") else DataPart if kind.startswith("data-") else OtherPart
    return make(fields)


class Message:
    """One message of a chat. Mutable while its turn runs, and only by `fold`."""

    __slots__ = ("errors", "extra", "faults", "finish", "id", "metadata", "parts", "role")

    def __init__(
        self,
        id: str = "",
        role: Role = "assistant",
        parts: Iterable[Part] = (),
        metadata: Any = None,
        extra: JsonObject | None = None,
    ) -> None:
        self.id = id
        self.role: Role = role
        self.parts: list[Part] = list(parts)
        self.metadata = metadata
        self.extra: JsonObject = extra if extra is not None else {}
        """Fields of the wire message beside id, role, parts and metadata (`createdAt`, …)."""
        self.finish: Finish | None = None
        """How its turn ended; None while it runs and for messages read from a server."""
        self.errors: list[str] = []
        """Texts of `error` events."""
        self.faults: list[str] = []
        """Broken rules of the protocol that were skipped; for the details view."""

    @classmethod
    def from_wire(cls, raw: Mapping[str, Any]) -> Message:
        """Read a UIMessage; odd shapes become what can be kept of them."""
        role = raw.get("role")
        parts: Any = raw.get("parts")
        id_: Any = raw.get("id")
        return cls(
            id=id_ if isinstance(id_, str) else "",
            role=role if role in ("user", "assistant", "system") else "assistant",
            parts=[part_from_wire(part) for part in cast("list[Any]", parts)]
            if isinstance(parts, list)
            else [],
            metadata=copy_json(raw.get("metadata")),
            extra={
                key: copy_json(value)
                for key, value in raw.items()
                if key not in ("id", "role", "parts", "metadata")
            },
        )

    @classmethod
    def user(cls, id: str, text: str, *, about: str | None = None) -> Message:
        """A message the user typed; `about`: the page of the web interface it is about (kai.md §4.3)."""
        metadata = {"hidden": False, "requestContext": {"path": about}} if about else None
        return cls(id=id, role="user", parts=[TextPart({"type": "text", "text": text})], metadata=metadata)

    def to_wire(self) -> JsonObject:
        """The AI SDK's UIMessage JSON; absent values are left out."""
        wire: JsonObject = {"id": self.id, "role": self.role, **copy_json(self.extra)}
        if self.metadata is not None:
            wire["metadata"] = copy_json(self.metadata)
        wire["parts"] = [part.to_wire() for part in self.parts]
        return wire

    def reopened(self) -> Message:
        """A copy that a new turn may go on with: the same content, not finished."""
        message = Message.from_wire(self.to_wire())
        message.errors = list(self.errors)
        message.faults = list(self.faults)
        return message

    @property
    def text(self) -> str:
        """All prose of the message, blocks apart by an empty line."""
        return "\n\n".join(part.text for part in self.parts if isinstance(part, TextPart) and len(part))

    @property
    def about(self) -> str | None:
        """The page of the web interface a user's message is about (`metadata.requestContext.path`). Raw."""
        metadata: Any = self.metadata
        context = cast("JsonObject", metadata).get("requestContext") if isinstance(metadata, dict) else None
        path = cast("JsonObject", context).get("path") if isinstance(context, dict) else None
        return path if isinstance(path, str) and path else None

    def tool_calls(self) -> list[ToolPart]:
        """Its tool calls, in order."""
        return [part for part in self.parts if isinstance(part, ToolPart)]

    def settled_calls(self) -> Sequence[str]:
        """Ids of its tool calls with which nothing more can happen."""
        return [part.tool_call_id for part in self.tool_calls() if part.settled]

    def calls_any(self, call_ids: Container[str]) -> bool:
        """Whether one of its tool calls has one of these ids. Cheap to ask of every message of a chat."""
        return any(part.tool_call_id in call_ids for part in self.tool_calls())

    def may_call(self) -> bool:
        """Whether it may have tool calls; only a No is certain."""
        return True

    def mentions(self, *words: str) -> bool:
        """Whether one of these words, in plain ASCII, may stand anywhere in its JSON; only a No is certain.

        For walks over a whole chat: messages that are not read yet (`kept_message.py`) stay so.
        """
        return True

    def may_hold(self, looks: Callable[[bytes], bool]) -> bool:
        """Whether something may stand in it, by what `looks` says of its JSON; only a No is certain.

        For the same walks: here it is read already, and whoever asks may as well look.
        """
        return True

    def __repr__(self) -> str:
        return f"Message({self.to_wire()!r})"
