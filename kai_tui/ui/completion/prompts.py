"""Ctrl+R: earlier prompts by their words, the newest first, each shown whole in the prompt itself.

What was being typed stays aside: it is the draft that is kept, and it comes back with Esc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual import events

from kai_tui.ui.widgets.draft import Draft, plain
from kai_tui.ui.widgets.ordered_keys import typed_text
from kai_tui.ui.widgets.popover import PopoverRow

if TYPE_CHECKING:
    from kai_tui.ui.completion.desk import Way
    from kai_tui.ui.widgets.composer import Composer

SEARCHED = 20_000
"""Characters of a prompt that are looked at."""
LONGEST_QUERY = 200
_ROW = 200


class Earlier(NamedTuple):
    """One earlier prompt."""

    draft: Draft
    haystack: str


def newest_first(prompts: Sequence[Draft]) -> list[Earlier]:
    """Each prompt once, where it was sent last. `prompts`: the oldest first."""
    seen: set[str] = set()
    found: list[Earlier] = []
    for draft in reversed(prompts):
        text = draft.text
        if text not in seen:
            seen.add(text)
            found.append(Earlier(draft, text[:SEARCHED].lower()))
    return found


class PromptSearch:
    """What is typed is looked for; the prompt shows what was found."""

    def __init__(self, composer: Composer, prompts: Sequence[Draft]) -> None:
        """`prompts`: the oldest first."""
        self._composer = composer
        self._all = newest_first(prompts)
        self._found: list[Earlier] = []
        self._query = ""
        self.step: int = 0
        """Rows the cursor has to move: Ctrl+R once more goes on to the next older one."""
        self.rows: Sequence[PopoverRow] = ()
        self.title = ""
        self.hint = ""
        self.empty = ""
        self._look()

    def follow(self) -> bool:
        """The prompt is only looked at."""
        return True

    def take(self, number: int, way: Way) -> bool:
        """Into the prompt, not sent."""
        draft = self._found[number].draft
        self._composer.preview(None)
        self._composer.put(draft)
        return True

    def moved(self, number: int) -> None:
        """Show it whole."""
        self.hint = f"{number + 1} of {len(self._found)} · Ctrl+R older · Enter takes it · Esc"
        self._composer.preview(self._found[number].draft)

    def typed(self, event: events.Key | events.Paste) -> bool:
        """Everything that would change the prompt changes what is looked for."""
        if isinstance(event, events.Paste):
            self._ask(self._query + plain(event.text).partition("\n")[0])
            return True
        text = typed_text(event)
        if text is not None:
            self._ask(self._query + text)
        elif event.key == "backspace":
            self._ask(self._query[:-1])
        elif event.key == "ctrl+w":
            self._ask(self._query.rstrip().rpartition(" ")[0])
        elif event.key == "ctrl+u":
            self._ask("")
        elif event.key == "ctrl+r":
            self.step = 1
        else:
            # Other editing keys would change what is only shown.
            return self._composer.wants(event)
        return True

    def dropped(self) -> None:
        """What was being typed is there again."""
        self._composer.preview(None)

    def _ask(self, query: str) -> None:
        self._query = query[:LONGEST_QUERY]
        self._look()

    def _look(self) -> None:
        words = self._query.lower().split()
        self._found = [each for each in self._all if all(word in each.haystack for word in words)]
        self.rows = [_row(each, words) for each in self._found]
        self.title = f"earlier messages: {self._query}▏"
        self.empty = "No earlier message has these words."
        if not self._found:
            self.hint = "Esc"
            self._composer.preview(None)


def _row(earlier: Earlier, words: Sequence[str]) -> PopoverRow:
    text = earlier.draft.shown
    begin = 0
    if words:
        at = min((place for word in words if (place := earlier.haystack.find(word)) >= 0), default=0)
        if at > 40:
            begin = at - 20
    lines = text.count("\n") + 1
    shown = ("…" if begin else "") + text[begin : begin + _ROW].replace("\n", " ⏎ ")
    marks: set[int] = set()
    low = shown.lower()
    if len(low) == len(shown):
        for word in words:
            place = low.find(word)
            if place >= 0:
                marks.update(range(place, place + len(word)))
    return PopoverRow(shown, "", f"{lines} lines" if lines > 1 else "", tuple(sorted(marks)))
