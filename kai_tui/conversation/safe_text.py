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

from kai_tui.conversation.prose_text import Safe, safe_code, safe_copy, safe_line, safe_prose
from kai_tui.conversation.redact import redact

__all__ = ["Safe", "redact", "safe_code", "safe_copy", "safe_line", "safe_prose"]
