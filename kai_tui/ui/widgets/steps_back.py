"""A text area in which a step back over many lines ends well."""

from __future__ import annotations

from textual.widgets import TextArea


class StepsBack(TextArea):
    """Textual 8.2.8 crashes when undo takes away the lines the cursor is in and the scrollbar goes with them."""

    def _recompute_cursor_offset(self) -> None:
        # It is asked for in the middle of the step, when the cursor's line may be gone; and again at its end.
        if self.cursor_location[0] < self.wrapped_document.document.line_count:
            super()._recompute_cursor_offset()
