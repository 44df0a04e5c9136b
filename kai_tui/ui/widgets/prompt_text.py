"""The text of the prompt: chips and characters of several code points are one thing, every change is a step of undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from rich.text import Text
from textual import events
from textual.document._document import EditResult, Location, Selection
from textual.document._history import EditHistory

from kai_tui.ui.widgets.choice_keys import ChoiceKeys
from kai_tui.ui.widgets.clusters import clusters, know_clusters
from kai_tui.ui.widgets.draft import Draft, chip_at, is_editable, spans

know_clusters()


class Aside(NamedTuple):
    """What was being typed, whole, with the steps back from it."""

    draft: Draft
    selection: Selection
    history: EditHistory


class PromptHelper(Protocol):
    """Offers what may be meant by what is being typed, and hears the keys for it first."""

    def takes(self, event: events.Key | events.Paste) -> bool:
        """Whether a key or a paste is meant for what is offered."""
        ...

    def edited(self) -> None:
        """Something was typed or pasted here, or the cursor moved."""
        ...

    def left(self) -> None:
        """The prompt holds something else now, or the keys go elsewhere."""
        ...

    def moved(self) -> None:
        """The prompt has another place or size."""
        ...


class PromptText(ChoiceKeys):
    """What stands in the prompt, and how it is changed; keys are the composer's."""

    helper: PromptHelper | None = None
    _aside: Aside | None = None
    """What was being typed, while something else is shown."""
    # On the class, because the base's constructor validates the selection before ours has run.
    _chips: Mapping[str, str] = MappingProxyType({})

    @property
    def draft(self) -> Draft:
        """What is being typed, with its chips; not what is only looked at."""
        return self._aside.draft if self._aside is not None else Draft(self.text, self._chips)

    @property
    def text_to_send(self) -> str:
        """The whole prompt, every chip replaced by what it stands for."""
        return self.draft.text

    def put(self, draft: Draft, *, first_row: bool = False) -> None:
        """Put a prompt in the place of this one, as one step of undo."""
        if self.helper is not None:
            self.helper.left()
        draft = draft.beside(self._chips)
        self._chips = {**self._chips, **draft.chips}
        self._let_go()
        self.complete((0, 0), self.document.end, draft.shown)
        end = self.document.end
        self.move_cursor(self.navigator.get_location_end((0, 0)) if first_row else end)

    def preview(self, draft: Draft | None) -> None:
        """Show a prompt to be looked at; None: what was being typed is there again, unchanged."""
        aside = self._aside
        if draft is None:
            if aside is None:
                return
            self._aside = None
            self._chips = aside.draft.chips
            self.load_text(aside.draft.shown)
            self.history = aside.history
            self.selection = aside.selection
            return
        if aside is None:
            history = self.history
            self._aside = Aside(Draft(self.text, self._chips), self.selection, history)
            self.history = EditHistory(
                history.max_checkpoints, history.checkpoint_timer, history.checkpoint_max_characters
            )
        self._let_go()
        self._chips = draft.chips
        self.load_text(draft.shown)

    def complete(self, start: Location, end: Location, text: str) -> None:
        """Put `text` in the place of what was typed there. One step of undo."""
        self.history.checkpoint()
        self._replace_via_keyboard(text, start, end)
        self.history.checkpoint()

    def expand_chip(self) -> bool | None:
        """Put the paste under (or before) the cursor into the prompt as text, as one step of undo.

        None: there is none. False: it is too big to be edited here.
        """
        if self._aside is not None or self.read_only:
            return None
        row, column = self.cursor_location
        rows = [row, *range(row - 1, -1, -1), *range(row + 1, self.document.line_count)]
        for each in rows if self._chips else ():
            at = column if each == row else len(self.document[each])
            found = chip_at(self.document[each], at, self._chips)
            if found is None:
                continue
            text = self._chips[self.document[each][found[0] : found[1]]]
            if not is_editable(text):
                return False
            self.complete((each, found[0]), (each, found[1]), text)
            return True
        return None

    def get_cursor_line_start_location(self, smart_home: bool = False) -> Location:
        """The start of the row: a prompt is no source code, Home does not stop at the indentation."""
        return super().get_cursor_line_start_location()

    def action_delete_to_start_of_line(self) -> None:
        """Delete back to the start of the line, over all the rows it is wrapped to."""
        row, column = self.cursor_location
        if column == 0:
            super().action_delete_to_start_of_line()
        else:
            self._delete_via_keyboard((row, 0), (row, column))

    # Chips are deleted and jumped over as one: half a label would stand for nothing.

    def _validate_selection(self, selection: Selection) -> Selection:
        start, end = super()._validate_selection(selection)
        return Selection(self._beside_chip(start), self._beside_chip(end))

    def _beside_chip(self, location: Location) -> Location:
        row, column = location
        for left, right in self._spans(row):
            if left < column < right:
                before = self.selection.end
                if before <= (row, left):
                    return (row, right)
                if before >= (row, right):
                    return (row, left)
                return (row, left if column - left < right - column else right)
        return location

    def _spans(self, row: int) -> Sequence[tuple[int, int]]:
        """Parts of a line that are one thing for cursor and deletion: chips, and characters of several code points."""
        line: str = self.document[row]
        if line.isascii() and not self._chips:
            return ()
        return (*spans(line, self._chips), *clusters(line))

    def _whole_chips(self, start: Location, end: Location) -> tuple[Location, Location]:
        """A range widened so that it cuts no chip."""
        top, bottom = sorted((start, end))
        for left, right in self._spans(top[0]):
            if left < top[1] < right:
                top = (top[0], left)
        for left, right in self._spans(bottom[0]) if bottom[0] < self.document.line_count else ():
            if left < bottom[1] < right:
                bottom = (bottom[0], right)
        return top, bottom

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        return super()._delete_via_keyboard(*self._whole_chips(start, end))

    def _replace_via_keyboard(self, insert: str, start: Location, end: Location) -> EditResult | None:
        return super()._replace_via_keyboard(insert, *self._whole_chips(start, end))

    def get_line(self, line_index: int) -> Text:
        """A line as drawn, its chips marked."""
        line = super().get_line(line_index)
        for left, right in spans(self.document[line_index], self._chips):
            line.stylize(self.get_component_rich_style("composer--chip"), left, right)
        return line

    def find_matching_bracket(self, bracket: str, search_from: Location) -> None:
        """None: prose needs no bracket matching, and the search walks the whole text on every key."""
