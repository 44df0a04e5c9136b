"""The hostile corpus (reliability.md §9): every case of `hostile/`, ours and those in KAI_TUI_FIXTURES."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fixture_cases import case_id, cases


@dataclass(frozen=True)
class HostileCase:
    """One case. Long strings are written out."""

    name: str
    kind: str
    """Its class: `terminal-control`, `look-alike`, …"""
    surface: str
    fields: dict[str, Any] = field(repr=False)
    path: Path = field(repr=False)

    @property
    def text(self) -> str:
        """What comes in, deltas joined. Empty for cases that are no text."""
        if "chunks" in self.fields:
            return "".join(self.fields["chunks"])
        text = self.fields.get("input", "")
        return text if isinstance(text, str) else ""

    @property
    def expect(self) -> dict[str, Any]:
        return self.fields.get("expect") or {}

    def strings(self, name: str) -> list[str]:
        """A list of the case: `must_show`, `must_show_codepoints`, `must_not_emit`, `must_not_show`."""
        return list(self.fields.get(name) or [])

    @property
    def must_flag(self) -> bool:
        return bool(self.fields.get("must_flag"))

    @property
    def is_false_alarm(self) -> bool:
        """Harmless text that has to stay as typed and must not be warned about."""
        return bool(self.fields.get("false_positive"))


def hostile_cases(*surfaces: str, kind: str | None = None) -> list[HostileCase]:
    """The cases of these surfaces (all when none is named), of one class when `kind` is given."""
    found = [_read(path) for path in cases("hostile", "*.json")]
    return [
        case
        for case in found
        if (not surfaces or case.surface in surfaces) and (kind is None or case.kind == kind)
    ]


def each_case(*surfaces: str, kind: str | None = None) -> pytest.MarkDecorator:
    """Run a test once for every case: `@each_case("prose", "title")`; the argument is `case`."""
    chosen = hostile_cases(*surfaces, kind=kind)
    return pytest.mark.parametrize("case", chosen, ids=[case_id(case.path) for case in chosen])


def unwrapped(text: str) -> str:
    """Text as `must_show` is compared with it: NFC, line breaks made by wrapping taken out by the caller."""
    return unicodedata.normalize("NFC", text)


def _read(path: Path) -> HostileCase:
    fields = _written_out(json.loads(path.read_text(encoding="utf-8")))
    return HostileCase(fields["name"], fields["class"], fields["surface"], fields, path)


def _written_out(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"$concat"}:
            return "".join(map(_written_out, value["$concat"]))
        if set(value) == {"$repeat"}:
            unit, count = value["$repeat"]
            return _written_out(unit) * count
        return {key: _written_out(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_written_out(item) for item in value]
    return value
