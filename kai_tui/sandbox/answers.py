"""JSON answers of the sandbox."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from kai_tui.sandbox.project import to_json


class JsonAnswer(JSONResponse):
    """In plain ASCII: stored texts may hold halves of surrogate pairs, which UTF-8 cannot carry (kai.md §5)."""

    def render(self, content: Any) -> bytes:
        return to_json(content).encode("ascii")
