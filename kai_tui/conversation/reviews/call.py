"""A call's arguments, read under any spelling, with a note of what was not understood.

Servers take several spellings (`configuration_id`, `configurationId`, `configuration-id`) and models send lists
as JSON text now and then (keboola-tools.md §1, §2). Whatever is not read by anybody is still shown in the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from kai_tui.conversation.json_text import BadJson, decode_json
from kai_tui.conversation.reviews.review import ObjectRef, Present, Presents, Wanted

_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s-]+")
REASONS: Final = ("change_description", "justification")


class Call:
    """One call of a tool. Reading never raises; `presents` are the values known by now."""

    def __init__(self, tool: str, input: Any, read_only: bool | None, presents: Presents) -> None:
        self.tool = tool
        self.input = input
        self.read_only = read_only
        self._presents = presents
        self.wishes: dict[Wanted, None] = {}
        """The present values that were asked for, known or not."""
        self.arguments = Fields(input)
        self.reason = next((said for name in REASONS if (said := self.arguments.text(name))), "")

    def present(self, what: Any, of: ObjectRef) -> Present | None:
        """A present value if it is known by now; notes that it would help."""
        wanted = Wanted(what, of)
        self.wishes[wanted] = None
        return self._presents.get(wanted)


class Fields:
    """An object's fields by any spelling. What is no object has none."""

    def __init__(self, value: Any) -> None:
        value = unpacked(value)
        self.is_object = isinstance(value, Mapping)
        self._by_name: dict[str, list[tuple[str, Any]]] = {}
        for key, item in cast("Mapping[Any, Any]", value).items() if isinstance(value, Mapping) else ():
            self._by_name.setdefault(plain_name(str(key)), []).append((str(key), item))
        self._read: set[str] = set()
        self.odd: list[str] = []
        """Fields whose value is of another kind than expected, or that come twice with different values."""

    def value(self, *names: str) -> Any:
        """The value under the first of these names that is there and is not null."""
        found: list[tuple[str, Any]] = []
        for name in names:
            self._read.add(name)
            found += [(key, item) for key, item in self._by_name.get(name, ()) if item is not None]
        if not found:
            return None
        for key, item in found[1:]:
            if not same(item, found[0][1]):
                self._note(key)
        return found[0][1]

    def has(self, *names: str) -> bool:
        """Whether one of these is given and is not null."""
        return self.value(*names) is not None

    def text(self, *names: str) -> str:
        """A text, or a whole number as text; empty where there is none."""
        value = self.value(*names)
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return decimal(value)
        if value is not None:
            self._note(names[0])
        return ""

    def flag(self, *names: str) -> bool | None:
        """True, false or not given."""
        value = self.value(*names)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is not None:
            self._note(names[0])
        return None

    def object(self, *names: str) -> dict[str, Any] | None:
        """An object, also as JSON text."""
        value = unpacked(self.value(*names))
        if isinstance(value, Mapping):
            return {str(key): item for key, item in cast("Mapping[Any, Any]", value).items()}
        if value is not None:
            self._note(names[0])
        return None

    def list(self, *names: str) -> list[Any] | None:
        """A list, also as JSON text; a single object or text counts as a list of one."""
        value = unpacked(self.value(*names))
        if isinstance(value, list | tuple):
            return list(cast("Sequence[Any]", value))
        if isinstance(value, Mapping) or (isinstance(value, str) and value):
            return [value]
        if value is not None and value != "":
            self._note(names[0])
        return None

    def texts(self, *names: str) -> list[str]:
        """A list of texts; other items are noted as odd and left out."""
        found: list[str] = []
        for item in self.list(*names) or []:
            if isinstance(item, str):
                found.append(item)
            elif isinstance(item, int) and not isinstance(item, bool):
                found.append(decimal(item))
            else:
                self._note(names[0])
        return found

    def objects(self, *names: str) -> list[Fields]:
        """A list of objects; other items are noted as odd and left out."""
        found: list[Fields] = []
        for item in self.list(*names) or []:
            fields = Fields(item)
            if fields.is_object:
                found.append(fields)
            else:
                self._note(names[0])
        return found

    def unread(self) -> dict[str, Any]:
        """What nobody asked for, under the names it came with."""
        return {
            key: item
            for name, items in self._by_name.items()
            if name not in self._read
            for key, item in items
            if item is not None and item != "" and item != [] and item != {}
        }

    def every(self) -> dict[str, Any]:
        """All fields under the names they came with."""
        return {key: item for items in self._by_name.values() for key, item in items}

    def _note(self, name: str) -> None:
        if name not in self.odd:
            self.odd.append(name)


def plain_name(key: str) -> str:
    """`configurationId`, `configuration-id` → `configuration_id`. Keys of secrets stay as they are."""
    return key if key.startswith("#") else "_".join(_WORD_ENDS.split(key)).lower()


def unpacked(value: Any) -> Any:
    """The value of a text that is JSON of an object or a list; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return decode_json(value)
        except BadJson:
            pass
    return value


def same(one: Any, other: Any) -> bool:
    """Equality that tells true from 1."""
    return type(one) is type(other) and one == other


def decimal(number: int) -> str:
    """A whole number as text, however long."""
    try:
        return str(number)
    except ValueError:
        return hex(number)
