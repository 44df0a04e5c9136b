"""The most useful keys for what the reading cursor is on, for the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import action
from kai_tui.ui.transcript.linking import is_for_links
from kai_tui.ui.transcript.naming import is_laid_out, may_be_laid_out

if TYPE_CHECKING:
    from kai_tui.ui.transcript.stops import Stop

_OPENED = frozenset({"card", "thought", "note", "question"})


def reading_keys(
    stop: Stop | None, *, jumping: bool, on_link: bool, links: bool, selected: bool
) -> tuple[tuple[str, str], ...]:
    """Key and word, the most important first."""
    if jumping:
        return (("letters", "go there"), ("Esc", "back"))
    keys: list[tuple[str, str]] = []
    if selected:
        keys.append(("c", "copy selection"))
    elif on_link:
        keys += [("Enter", "open link"), ("Tab", "next")]
    elif stop is not None:
        keys += _of(stop, links=links)
    keys += [(_key("jump_mode"), "jump"), (_key("browse"), "write")]
    return tuple(keys)


def _of(stop: Stop, *, links: bool) -> list[tuple[str, str]]:
    keys: list[tuple[str, str]] = []
    kind = stop.kind
    if kind == "choice":
        keys.append(("Enter", "say it"))
    elif links and is_for_links(stop):
        keys.append(("Enter", "open link"))
    elif kind == "table":
        keys.append(("Enter", "open"))
    elif kind == "more":
        keys.append(("Enter", "show"))
    elif kind in _OPENED and stop.unit.opens():
        keys.append(("Enter", "open or close"))
    keys.append(("c", "copy"))
    if kind == "code" and (is_laid_out(stop) or may_be_laid_out(stop)):
        keys.append((_key("lay_out_sql"), "as it was" if is_laid_out(stop) else "lay out"))
    if kind in ("code", "table", "raw"):
        keys.append((_key("save_block"), "save"))
    if kind == "card" and stop.unit.has_rows:
        keys.append((_key("open_table"), "table"))
    if links and not is_for_links(stop):
        keys.append(("Tab", "links"))
    message = stop.block.message
    if (
        message is not None
        and message.role == "assistant"
        and kind in ("paragraph", "heading", "list", "quote", "raw")
    ):
        keys.append((_key("raw_markdown"), "as it is meant" if kind == "raw" else "markdown"))
    return keys


def _key(name: str) -> str:
    return key_name(action(name).keys[0])
