"""What keys do in the table viewer: one list for its bindings, its footer and its help."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType

from kai_tui.ui.action_words import key_name


class TableKey(NamedTuple):
    """One thing a key does in the viewer."""

    action: str
    keys: tuple[str, ...]
    """Textual's names; the first one is shown."""
    help: str
    hint: str = ""
    """A word for the footer; empty: not there."""
    weight: int = 0
    """The lower, the sooner the footer leaves it out."""
    shown: str = ""
    """Instead of the keys' names, in the help."""


KEYS: tuple[tuple[str, tuple[TableKey, ...]], ...] = (
    (
        "Look",
        (
            TableKey("open_cell", ("enter",), "The whole cell; JSON is laid out.", "cell", 8),
            TableKey("record", ("r",), "The row as a record: names and values below each other.", "record", 5),
            TableKey("sort", ("s",), "Sort by this column: up, down, as it came.", "sort", 7),
            TableKey(
                "filter",
                ("slash", "f"),
                "Show only rows with these words; or amount > 100. Tab: this column only.",
                "filter",
                8,
            ),
            TableKey("chart", ("g",), "A chart of this column, or of two.", "chart", 4),
            TableKey("widen(4)", ("plus", "equals_sign"), "This column wider.", shown="+ -"),
            TableKey("widen(-4)", ("minus",), ""),
            TableKey("fit_width", ("w",), "This column as wide as what is in sight needs, and back."),
        ),
    ),
    (
        "Move",
        (
            TableKey("go(-1, 0)", ("up", "k"), "To the next cell.", shown="← ↑ ↓ → h j k l"),
            TableKey("go(1, 0)", ("down", "j"), ""),
            TableKey("go(0, -1)", ("left", "h"), ""),
            TableKey("go(0, 1)", ("right", "l"), ""),
            TableKey("page(-1)", ("pageup",), "A window up or down.", shown="PgUp PgDn"),
            TableKey("page(1)", ("pagedown", "space"), ""),
            TableKey("edge('left')", ("home",), "To the first or the last column.", shown="Home End"),
            TableKey("edge('right')", ("end",), ""),
            TableKey("edge('top')", ("ctrl+home",), "To the first or the last row.", shown="Ctrl+Home Ctrl+End"),
            TableKey("edge('bottom')", ("ctrl+end",), ""),
            TableKey("sideways(-1)", ("ctrl+left",), "A window to the side.", shown="Ctrl+← Ctrl+→"),
            TableKey("sideways(1)", ("ctrl+right",), ""),
            TableKey("nudge(-1)", ("less_than_sign",), "One character to the side.", shown="< >"),
            TableKey("nudge(1)", ("greater_than_sign",), ""),
        ),
    ),
    (
        "Mark",
        (
            TableKey("go(-1, 0, True)", ("shift+up",), "Mark cells.", shown="Shift+arrows"),
            TableKey("go(1, 0, True)", ("shift+down",), ""),
            TableKey("go(0, -1, True)", ("shift+left",), ""),
            TableKey("go(0, 1, True)", ("shift+right",), ""),
            TableKey("page(-1, True)", ("shift+pageup",), ""),
            TableKey("page(1, True)", ("shift+pagedown",), ""),
            TableKey("edge('left', True)", ("shift+home",), ""),
            TableKey("edge('right', True)", ("shift+end",), ""),
            TableKey("edge('top', True)", ("ctrl+shift+home",), ""),
            TableKey("edge('bottom', True)", ("ctrl+shift+end",), ""),
            TableKey("marking", ("v",), "Start marking, where Shift+arrows do not come through."),
            TableKey("mark('rows')", ("x",), "Mark the row."),
            TableKey("mark('columns')", ("X",), "Mark the column."),
            TableKey("mark('all')", ("A", "ctrl+a"), "Mark all.", ),
        ),
    ),
    (
        "Take along",
        (
            TableKey("copy", ("c", "ctrl+c"), "Copy what is marked (else the cell), as TSV.", "copy", 6),
            TableKey("copy_menu", ("y",), "Copy cell, row, column, marked or table: TSV, CSV, JSON, markdown.", "copy as", 3),
            TableKey("save", ("e",), "Save to a file: CSV, JSON or Parquet-ready CSV.", "save", 4),
            TableKey("ask", ("a",), "Put what is marked into the prompt, to ask about it. Nothing is sent.", "ask", 6),
        ),
    ),
    (
        "Leave",
        (
            TableKey("help", ("question_mark", "f1"), "These keys.", "keys", 9),
            TableKey("leave", ("escape",), "Back: marks first, then the filter, then the table.", "back", 10),
            TableKey("close", ("q",), "Close the table."),
        ),
    ),
)  # fmt: skip

ALL_KEYS: tuple[TableKey, ...] = tuple(key for _, keys in KEYS for key in keys)


def bindings() -> list[BindingType]:
    """For the viewer's screen."""
    return [Binding(",".join(key.keys), key.action, key.hint or key.action, show=False) for key in ALL_KEYS]


def names_of(key: TableKey) -> str:
    """The keys as people write them."""
    return key.shown or ", ".join(key_name(name) for name in key.keys)


def footer() -> list[tuple[str, str, int]]:
    """Key, word and weight of what the footer names."""
    return [(key_name(key.keys[0]), key.hint, key.weight) for key in ALL_KEYS if key.hint]
