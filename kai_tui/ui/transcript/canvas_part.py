"""The base of the transcript's parts: to the type checker the canvas, when it runs nothing.

Textual looks every widget class over when it is made; for each part that would come before the first paint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kai_tui.ui.transcript.canvas import Canvas as CanvasPart
else:

    class CanvasPart:
        """A group of what can be done in the transcript; `BrowsableCanvas` puts the groups in front of the canvas."""


__all__ = ["CanvasPart"]
