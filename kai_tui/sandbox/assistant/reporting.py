"""How the assistant tells what became of a call, truthfully."""

from __future__ import annotations

from kai_tui.sandbox.assistant.script import Result
from kai_tui.sandbox.assistant.writing import sentence


def refused(result: Result) -> str:
    """Why a call did nothing."""
    if result.status == "denied":
        reason = f" (“{' '.join(result.reason.split())}”)" if result.reason else ""
        return f"You said no{reason}, so I did not do it. Nothing was changed."
    return f"That did not work: {sentence(result.error)} Nothing was changed."


def told(result: Result, done: str) -> str:
    """`done` when it was done, else why not."""
    if result.status != "done":
        return refused(result)
    return f"{done} (You changed the call before it ran.)" if result.edited else done


def unread(result: Result) -> str:
    """A reading call that brought nothing."""
    if result.status == "denied":
        reason = f" (“{' '.join(result.reason.split())}”)" if result.reason else ""
        return f"You did not let me look{reason}, so I cannot say."
    return f"I could not look that up: {sentence(result.error)}"
