"""What the assistant does in a turn, step by step.

A script is a generator: it yields a step, gets the results of the step's calls, and goes on. It must
decide by the conversation and those results alone. Then it can be played again from its beginning
with the results a stored message holds, which is how a turn goes on after an approval.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
Status: TypeAlias = Literal["done", "failed", "denied"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call the assistant wants to make."""

    tool: str
    input: JsonObject = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Step:
    """One step: thinking, then text, then calls. A step without calls ends the turn."""

    text: str = ""
    thought: str = ""
    calls: tuple[Call, ...] = ()
    parts: tuple[JsonObject, ...] = ()
    """Further chunks as they are (sources, files, data), after the text."""
    error: str | None = None
    """Break off with this error after the text."""
    speed: float = 1.0
    """How fast the text comes, against the usual."""
    wait: float = 0.0
    """Seconds to wait before the step, at the usual pace."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a call."""

    call: Call
    status: Status
    output: Any = None
    error: str = ""
    reason: str = ""
    """Why the user said no, if they gave a reason."""
    edited: bool = False
    """The user changed the input before it ran; `call.input` is what ran."""


Script: TypeAlias = Generator[Step, list[Result], None]
"""A turn of the assistant."""
