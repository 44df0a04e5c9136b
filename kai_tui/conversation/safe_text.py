"""The doors between foreign text and everything a person sees (design.md §3, reliability.md D1-D8, C7).

What a model, a tool, a server or a file wrote is foreign. It stays raw in the model and the store and
passes one of these functions at the last door before the screen, the clipboard, a file or a log:

- prose of a reply, reasoning, errors: `safe_prose`;
- code, SQL, tool output that is known to be code: `safe_code` (drops nothing in silence);
- titles, headlines, status lines: `safe_line`;
- what the user decides about (approvals, tool names, hosts, delete dialogs): `safe_exact`,
  `exact_value`, `exact_arguments`;
- the clipboard: `safe_copy`;
- logs and crash reports: `redact`.

Text that something decodes after it passed here (Markdown turns `&#x202e;` into a character and
percent-decodes addresses) must pass again where it was decoded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kai_tui.conversation.prose_text import Safe, safe_code, safe_copy, safe_line, safe_prose

if TYPE_CHECKING:
    from kai_tui.conversation.exact_arguments import ExactArgument, Pairs, exact_arguments, exact_value
    from kai_tui.conversation.exact_text import Exact, safe_exact
    from kai_tui.conversation.redact import redact

__all__ = [
    "Exact",
    "ExactArgument",
    "Pairs",
    "Safe",
    "exact_arguments",
    "exact_value",
    "redact",
    "safe_code",
    "safe_copy",
    "safe_exact",
    "safe_line",
    "safe_prose",
]

_LATER = {
    "Exact": "exact_text",
    "ExactArgument": "exact_arguments",
    "Pairs": "exact_arguments",
    "exact_arguments": "exact_arguments",
    "exact_value": "exact_arguments",
    "redact": "redact",
    "safe_exact": "exact_text",
}
"""What the first paint does not need: its patterns take 12 ms to compile, so it is loaded when asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kai_tui.conversation.{_LATER[name]}"), name)
