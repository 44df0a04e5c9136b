"""What the README says works with which system is what the suite finds."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kai_tui.backends.base import Capabilities
from kai_tui.backends.systems import SYSTEMS, system_of
from tests.contract.table import TABLE
from tests.contract.works_with import COLUMNS, NO, ROWS, markdown

README = Path(__file__).parents[2] / "README.md"
TABLE_OF_SYSTEMS = re.compile(r"(<!-- systems -->\n).*?(<!-- /systems -->)", re.DOTALL)
NOT_FOR_USERS = {"tool_results"}
"""Capabilities of which nobody has to know: how an answer travels, not what one can do."""


def test_snapshot_of_the_systems_is_the_table() -> None:
    """`make snapshots` writes the table anew."""
    text = README.read_text(encoding="utf-8")
    wanted = TABLE_OF_SYSTEMS.sub(lambda found: f"{found[1]}{markdown()}\n{found[2]}", text)
    if os.environ.get("KAI_TUI_RENEW_SNAPSHOTS") == "1":
        README.write_text(wanted, encoding="utf-8")
        return
    assert TABLE_OF_SYSTEMS.search(text)
    assert text == wanted


def test_every_stand_is_in_one_column_and_every_system_has_one() -> None:
    assert [stand for _, stands, _ in COLUMNS for stand in stands] == list(TABLE)
    titles = [title for title, _, _ in COLUMNS]
    for kind in SYSTEMS:
        try:
            system = system_of(kind)
        except ModuleNotFoundError:
            continue  # its folder is not there yet
        assert system.title in titles


def test_every_capability_changes_a_row() -> None:
    """A flag that no row shows would be one that nobody is told of."""
    told: set[str] = set()
    for flag in Capabilities._fields:
        for row in TABLE.values():
            for name, cell in ROWS:
                if cell(row) != cell(_other(row, flag)):
                    told.add(flag)
                    assert name
    assert set(Capabilities._fields) - told == NOT_FOR_USERS


def _other(row, name: str):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    now = getattr(row.caps, name)
    if isinstance(now, bool):
        other: object = not now
    elif name == "history":
        other = "local" if now == "server" else "server"
    else:
        other = "none" if now != "none" else "continuation"
    return replace(row, caps=row.caps._replace(**{name: other}))


def test_no_row_is_the_same_for_nobody() -> None:
    for name, cell in ROWS:
        assert any(cell(row) != NO for row in TABLE.values()) or name == "Files with a message"
