"""Whether a call's input can be decided about at all (reliability.md A4), and whether nothing in it hides.

One check for the dialog and for everything that decides without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from kai_tui.conversation.exact_arguments import ExactArgument, Pairs, exact_arguments
from kai_tui.conversation.exact_text import safe_exact


def why_not_approvable(
    value: Any, has_input: bool, arguments: Sequence[ExactArgument] | None = None
) -> str | None:
    """Why this input cannot be approved by anybody: one sentence; None when it can.

    `arguments`: those of `exact_arguments(value)` where somebody has them already.
    """
    if not has_input:
        return "The arguments were not received, so this cannot be approved."
    if not isinstance(value, Mapping | Pairs):
        return "The arguments are not names and values, so this cannot be approved."
    known = cast("Mapping[str, Any] | Pairs", value)
    shown = exact_arguments(known) if arguments is None else arguments
    flags = [flag for argument in shown for flag in argument.value.flags]
    doubled = isinstance(known, Pairs) and bool(known.duplicates)
    if doubled or any(flag.endswith("comes more than once") for flag in flags):
        return "A name comes more than once in the arguments, so this cannot be approved."
    if any(flag.startswith("nested deeper") for flag in flags):
        return "The arguments are nested too deeply to be shown, so this cannot be approved."
    return None


def nothing_hides(tool: str, value: Any, has_input: bool) -> bool:
    """Whether tool and input are what they look like: no character that cannot be seen, nothing flagged,
    and nothing that keeps the input from being approved."""
    if why_not_approvable(value, has_input) is not None:
        return False
    name = safe_exact(tool, one_line=True)
    shown = [name, *(each for one in exact_arguments(value) for each in (one.key, one.value))]
    return not any(exact.hidden or exact.flags for exact in shown)
