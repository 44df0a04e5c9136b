"""The input of a call while somebody edits it: what stands at each place, what is changed, what is no value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from kai_tui.conversation.edited_input import (
    InputField,
    NotSendable,
    Path,
    field_text,
    fields,
    read_field,
    read_input,
    replaced,
)
from kai_tui.conversation.input_changes import InputChange, changes, same
from kai_tui.conversation.json_text import copy_json
from kai_tui.ui.modals.input_rows import InputRow, State


class EditedValues:
    """`asked` never changes; `value` is the input as edited so far, always whole."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self.asked: dict[str, Any] = copy_json(asked)
        self.value: dict[str, Any] = copy_json(asked)
        self.fields: list[InputField] = fields(self.value)
        self._wrong: dict[Path, str] = {}
        """Texts that are no value, by where they stand."""

    @property
    def wrong(self) -> list[int]:
        """The numbers of the values that cannot be sent as they stand."""
        return [number for number, field in enumerate(self.fields) if field.path in self._wrong]

    @property
    def changed(self) -> bool:
        """Whether leaving would lose something."""
        return bool(self._wrong) or not same(self.asked, self.value)

    @property
    def first(self) -> int:
        """Where to begin: rather at what is said than at the id of what it is said of."""
        for number, field in enumerate(self.fields):
            name = next((step for step in reversed(field.path) if isinstance(step, str)), "")
            if not name.lower().endswith("id") and not field.secret:
                return number
        return 0

    def changes(self) -> list[InputChange]:
        """What differs from what was asked."""
        return changes(self.asked, self.value)

    def text(self, number: int) -> str:
        """What stands at a place, as it is edited."""
        field = self.fields[number]
        return self._wrong.get(field.path, field_text(field))

    def why_not(self, number: int) -> str:
        """Why what stands there is no value; empty when it is one. Raw."""
        field = self.fields[number]
        if field.path not in self._wrong:
            return ""
        try:
            read_field(field, self._wrong[field.path])
        except NotSendable as error:
            return str(error)
        return ""

    def put(self, number: int, text: str) -> None:
        """Another text stands there. One that is no value is kept as a text, and the value stays what it was."""
        field = self.fields[number]
        try:
            value = read_field(field, text)
        except NotSendable:
            self._wrong[field.path] = text
            return
        self._wrong.pop(field.path, None)
        self._set(number, value)

    def flip(self, number: int) -> None:
        """Yes becomes no."""
        self._set(number, not self.fields[number].value)

    def put_json(self, text: str) -> None:
        """All of it anew. Raises NotSendable, and stays what it was then."""
        self.value = read_input(text)
        self.fields = fields(self.value)
        self._wrong.clear()

    def row(self, number: int) -> InputRow:
        """What the list says of a value."""
        field, text = self.fields[number], self.text(number)
        state: State = (
            "wrong" if field.path in self._wrong else "same" if self._as_asked(field) else "changed"
        )
        return InputRow(field, text, state)

    def rows(self) -> list[InputRow]:
        """All of them."""
        return [self.row(number) for number in range(len(self.fields))]

    def _set(self, number: int, value: Any) -> None:
        field = self.fields[number]
        self.value = replaced(self.value, field.path, value)
        self.fields[number] = InputField(field.path, field.kind, value)

    def _as_asked(self, field: InputField) -> bool:
        inside: Any = self.asked
        for step in field.path:
            if isinstance(inside, Mapping):
                if step not in inside:
                    return False
            elif not (isinstance(inside, list) and isinstance(step, int)) or step >= len(
                cast("list[Any]", inside)
            ):
                return False
            inside = cast("Any", inside)[step]
        return same(field.value, inside)
