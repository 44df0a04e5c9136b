"""The rows behind an `@`: what the project has and what the chats have shown, by id or by name.

What is put in the place of the `@` word is the exact id, which is what assistants and tools take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from kai_tui.conversation.project_objects import ProjectObject, is_plain_id
from kai_tui.ui.completion.fuzzy import fit
from kai_tui.ui.widgets.popover import PopoverRow

if TYPE_CHECKING:
    from textual import events

    from kai_tui.ui.completion.desk import Way
    from kai_tui.ui.widgets.composer import Composer

MOST_ROWS = 100
_MENTION = re.compile(r"(?:^|(?<=[\s(\[{\"'`,;]))@([^\s@]{0,80})$")
"""An `@` at the start of a word, up to the cursor: an e-mail address has something before it."""
_ENOUGH = 20
"""With so many that have what was typed in one piece, scattered letters are not looked for."""
_MOST_CANDIDATES = 500


class Searched(NamedTuple):
    """Objects made ready to be searched on every key."""

    objects: Sequence[ProjectObject]
    haystacks: Sequence[str]

    @classmethod
    def of(cls, objects: Sequence[ProjectObject]) -> Searched:
        """Only those whose id can stand in a message as it is."""
        kept = [each for each in objects if all(is_plain_id(piece) for piece in each.id.split("/"))]
        return cls(kept, [f"{each.id}\n{each.name}".lower() for each in kept])


def mention(before: str) -> tuple[int, str] | None:
    """Where the `@` stands in what is before the cursor, and the word behind it."""
    found = _MENTION.search(before)
    return (found.end() - len(found[1]) - 1, found[1]) if found is not None else None


def found_objects(word: str, searched: Searched) -> list[tuple[ProjectObject, tuple[int, ...]]]:
    """What a word may mean, the likeliest first, with the characters of its id that were typed."""
    wanted = word.lower()
    if not wanted:
        return [(each, ()) for each in searched.objects[:MOST_ROWS]]
    numbers = [number for number, hay in enumerate(searched.haystacks) if wanted in hay]
    if len(numbers) < _ENOUGH and len(wanted) > 2:
        spread = re.compile(".*?".join(map(re.escape, wanted))).search
        known = set(numbers)
        numbers += [
            number
            for number, hay in enumerate(searched.haystacks)
            if number not in known and spread(hay) is not None
        ]
    ranked: list[tuple[float, int, ProjectObject, tuple[int, ...]]] = []
    for number in numbers[:_MOST_CANDIDATES]:
        each = searched.objects[number]
        by_id, by_name = fit(word, each.id), fit(word, each.name)
        score = max(by_id.score if by_id else 0.0, by_name.score - 5.0 if by_name else 0.0)
        if score > 0:
            ranked.append((score, number, each, by_id.places if by_id else ()))
    ranked.sort(key=lambda one: (-one[0], one[1]))
    return [(each, places) for _, _, each, places in ranked[:MOST_ROWS]]


class ObjectOffer:
    """Objects for the word behind the `@` at the cursor."""

    empty = ""
    step: int = 0
    hint = "↑↓ · Enter or Tab puts in the id · Esc"

    def __init__(
        self, composer: Composer, searched: Callable[[], Searched], title: Callable[[], str]
    ) -> None:
        self._composer = composer
        self._searched = searched
        self._title = title
        self._start = (0, 0)
        self._objects: Sequence[ProjectObject] = ()
        self.rows: Sequence[PopoverRow] = ()
        self.title = ""

    def follow(self) -> bool:
        """Other rows for the word as it is now."""
        if not self._composer.selection.is_empty:
            return False
        row, column = self._composer.cursor_location
        meant = mention(self._composer.document[row][:column])
        if meant is None:
            return False
        self._start = (row, meant[0])
        found = found_objects(meant[1], self._searched())
        self._objects = [each for each, _ in found]
        self.rows = [_row(each, marks) for each, marks in found]
        self.title = self._title()
        return True

    def take(self, number: int, way: Way) -> bool:
        """The id in the place of the word."""
        self._composer.complete(self._start, self._composer.cursor_location, self._objects[number].id)
        return True

    def moved(self, number: int) -> None:
        """Nothing to show beside the row."""

    def typed(self, event: events.Key | events.Paste) -> bool:
        """Everything that is typed goes to the prompt."""
        return False

    def dropped(self) -> None:
        """The text stays as it is."""


def _row(each: ProjectObject, marks: tuple[int, ...]) -> PopoverRow:
    last = each.id.rsplit(".", 1)[-1].rsplit("/", 1)[-1]
    said = not each.name or each.name in (last, last.removeprefix("c-"), each.id.partition(".")[2])
    name = "" if said else f" · {each.name}"
    return PopoverRow(each.id, f"{each.sort}{name}", _size(each), marks)


def _size(each: ProjectObject) -> str:
    if each.rows is not None:
        return f"{each.rows:,} row{'' if each.rows == 1 else 's'}"
    if each.size is None:
        return ""
    size = float(each.size)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"
