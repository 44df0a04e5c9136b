"""Undo of a long paste, with the cursor behind it, in every text field of several lines."""

from __future__ import annotations

import pytest
from textual.document._edit import Edit

from kai_tui.ui.modals.question_field import QuestionField
from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.instructions_editor import InstructionsEditor
from tests.ui.widgets.widget_apps import running


@pytest.mark.parametrize("kind", [Composer, InstructionsEditor, QuestionField])
async def test_a_step_back_over_many_lines_and_forward_again(kind: type) -> None:
    area = kind(id="area")
    rows = "row\n" * 200
    async with running(area, size=(40, 12)) as (_, pilot):
        area.edit(Edit("one line", (0, 0), (0, 0), maintain_selection_offset=False))
        area.history.checkpoint()
        area.edit(Edit(rows, (0, 8), (0, 8), maintain_selection_offset=False))
        await pilot.pause()
        area.undo()
        await pilot.pause()
        assert area.text == "one line"
        area.redo()
        await pilot.pause()
        assert area.text == f"one line{rows}"
        assert area.cursor_location == (200, 0)
