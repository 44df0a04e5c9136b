"""The `storage` part of a configuration: which tables go in and out, against what is there now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from kai_tui.conversation.reviews import present_configs
from kai_tui.conversation.reviews.call import Fields
from kai_tui.conversation.reviews.draft import Draft, count
from kai_tui.conversation.reviews.review import Code, Grid, Present, Tone
from kai_tui.conversation.reviews.secret_values import short_json, shown_json

JsonObject: TypeAlias = dict[str, Any]
_SAID: Final = frozenset({"source", "destination", "incremental", "primary_key"})
_COLUMNS: Final = ("", "source", "destination", "how")
DIRECT_GRANT: Final = "direct-grant"


def show_replaced_storage(
    draft: Draft, storage: JsonObject, present: Present | None, *, new: bool = False
) -> None:
    """A mapping that takes the place of the present one; `new`: there is none yet."""
    if new:
        show_storage(draft, storage)
        return
    draft.warn("Replaces all of storage: mappings that are not listed here are gone afterwards.")
    body = present_configs.body(present.value) if present is not None else {}
    show_storage(draft, storage, body.get("storage"), known="storage" in body or "parameters" in body)


def show_storage(draft: Draft, storage: JsonObject, present: Any = None, *, known: bool = False) -> None:
    """The tables and files of a mapping; with `known`, what comes and goes against the `present` one."""
    before: JsonObject = cast("JsonObject", present) if isinstance(present, dict) else {}
    gone = 0
    for side, words in (("input", "Input"), ("output", "Output")):
        for what in ("tables", "files"):
            new, old = _rows(storage, side, what), _rows(before, side, what)
            if new or (known and old):
                grid, lost = _grid(f"{words} {what}", new, old if known else None)
                gone += lost
                draft.show(grid)
    rest = _rest(storage)
    if rest:
        draft.show(Code("Rest of storage", shown_json(rest), "json"))
    if not storage:
        draft.say("storage is empty: no tables go in or out any more.", "warning")
    if gone:
        draft.warn(
            f"{count(gone, 'mapping')} of the present storage {'is' if gone == 1 else 'are'} gone afterwards."
        )
    warn_of_direct_grants(draft, storage)


def warn_of_direct_grants(draft: Draft, storage: JsonObject) -> None:
    tables = [
        fields.text("destination") or fields.text("source")
        for side in ("input", "output")
        for fields in _items(storage, side, "tables")
        if fields.text("unload_strategy") == DIRECT_GRANT
    ]
    if tables:
        draft.warn(f"Direct write access ({DIRECT_GRANT}) to {', '.join(tables)}.")


def _items(storage: Mapping[str, Any], side: str, what: str) -> list[Fields]:
    part = Fields(storage).value(side)
    return Fields(part).objects(what)


def _rows(storage: Mapping[str, Any], side: str, what: str) -> list[tuple[str, str, str]]:
    return [_row(fields, side) for fields in _items(storage, side, what)]


def _row(fields: Fields, side: str) -> tuple[str, str, str]:
    source = fields.value("source")
    source = source if isinstance(source, str) else short_json(source)
    destination = fields.text("destination")
    how: list[str] = []
    if side == "output":
        how.append("adds rows" if fields.flag("incremental") else "replaces the table")
    elif fields.flag("incremental"):
        how.append("incremental")
    if key := fields.texts("primary_key"):
        how.append(f"key {', '.join(key)}")
    how += [
        f"{name.replace('_', ' ')} {short_json(value)}"
        for name, value in fields.unread().items()
        if name not in _SAID
    ]
    return source, destination, " · ".join(how)


def _grid(
    title: str, new: Sequence[tuple[str, str, str]], old: Sequence[tuple[str, str, str]] | None
) -> tuple[Grid, int]:
    """The table, and how many of the old rows have no successor."""
    if old is None:
        return Grid(title, _COLUMNS[1:], new), 0
    by_place = {_place(row): row for row in old}
    rows: list[tuple[str, ...]] = []
    tones: list[Tone] = []
    for row in new:
        before = by_place.pop(_place(row), None)
        mark, tone = ("+", "good") if before is None else ("", "plain") if before == row else ("~", "warning")
        how = row[2] if before is None or before == row else f"{row[2]} (now: {before[2] or 'nothing said'})"
        rows.append((mark, row[0], row[1], how))
        tones.append(cast("Tone", tone))
    for row in by_place.values():
        rows.append(("−", *row))
        tones.append("bad")
    return Grid(title, _COLUMNS, rows, tones), len(by_place)


def _place(row: tuple[str, str, str]) -> tuple[str, ...]:
    """What tells mappings apart; files may have neither source nor destination."""
    return row[:2] if row[0] or row[1] else row


def _rest(storage: JsonObject) -> JsonObject:
    """What is neither tables nor files."""
    rest: JsonObject = {}
    for key, value in storage.items():
        if key not in ("input", "output") or not isinstance(value, dict):
            rest[key] = value
            continue
        part = cast("JsonObject", value)
        other = {
            name: item
            for name, item in part.items()
            if item and (name not in ("tables", "files") or not _all_objects(item))
        }
        if other:
            rest[key] = other
    return rest


def _all_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in cast("list[Any]", value))
