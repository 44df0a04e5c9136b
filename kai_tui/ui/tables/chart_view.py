"""A chart of one or two columns; which ones, and how, is changed by key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.tables.charts import TOGETHER, Chart, Ink, Together, Way, chart_of, ways_for
from kai_tui.conversation.tables.data_table import DataTable, Kind
from kai_tui.conversation.tables.kinds import is_number
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.tables.lines import FactLine
from kai_tui.ui.widgets.one_line import Fact

AT_ONCE = 2_000
"""Rows that are drawn before the next key; more in a thread."""
_INKS: dict[Ink, str] = {
    "bar": "$text-accent",
    "negative": "$text-error",
    "axis": "$text-muted",
    "label": "$text-muted",
    "value": "$text",
}
_WAYS: dict[Way, str] = {
    "histogram": "how often",
    "line": "line",
    "bars": "bars",
    "counts": "counts",
    "dots": "dots",
}
_NAME = 30


class ChartView(Ask[None]):
    """Draws; changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "other('up', -1)", show=False),
        Binding("down,j", "other('up', 1)", show=False),
        Binding("left,h", "other('along', -1)", show=False),
        Binding("right,l", "other('along', 1)", show=False),
        Binding("w,space", "way", show=False),
        Binding("m", "together", show=False),
        Binding("c,ctrl+c", "copy", show=False),
        Binding("q,g,enter", "leave", show=False),
    ]
    DEFAULT_CSS = """
    ChartView .dialog { width: 96%; height: 94%; padding: 0 1; }
    ChartView #chart-columns { height: 1; }
    ChartView #chart-body { height: 1fr; scrollbar-size: 1 1; overflow-x: auto; }
    ChartView #chart-lines { width: auto; height: auto; }
    ChartView #chart-note { height: auto; color: $text-muted; }
    ChartView #chart-keys { color: $text-muted; }
    """

    def __init__(
        self,
        table: DataTable,
        kinds: Sequence[Kind],
        columns: Sequence[int],
        of_rows: int,
        copy: Callable[[str, str], None],
    ) -> None:
        """`table`: the rows that are drawn, of so many. `columns`: the ones to begin with, at most two. `copy` takes a text and what it is."""
        super().__init__(name="table-chart")
        self._table, self._kinds = table, tuple(kinds)
        self._of = of_rows
        self._copy = copy
        numbers = [at for at in columns if is_number(self._kinds[at])]
        others = [at for at in columns if at not in numbers[:1]]
        self._up: int | None = numbers[0] if numbers else None
        self._along: int | None = others[0] if others else None
        self._way: Way | None = None
        self._together: Together = "sum"
        self._chart: Chart | str = ""
        self._drawn_in = Size(0, 0)
        self._keys = FactLine(id="chart-keys")
        self._body = VerticalScroll(id="chart-body", can_focus=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Chart")
            count = len(self._table.rows)
            of = f"{count:,} of " if count != self._of else ""
            rows = f"{of}{self._of:,} {'row' if self._of == 1 else 'rows'}"
            box.border_subtitle = Content(rows)
            yield Static(id="chart-columns", markup=False)
            with self._body:
                yield Static(id="chart-lines", markup=False)
            yield Static(id="chart-note", markup=False)
            yield self._keys

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    @property
    def columns(self) -> list[int]:
        """What is drawn: what goes along first."""
        return [at for at in (self._along, self._up) if at is not None]

    def _ways(self) -> tuple[Way, ...]:
        return ways_for(self._kinds, self.columns)

    def _draw(self) -> None:
        size = self._body.size
        if not self.standing or size.width <= 0:
            return
        self.run_worker(self._drawn, group="chart", exclusive=True, exit_on_error=False)

    async def _drawn(self) -> None:
        self._drawn_in = self._body.size
        width, height = self._body.size.width - 1, self._body.size.height

        def work() -> Chart | str:
            return chart_of(
                self._table,
                self._kinds,
                self.columns,
                width,
                height,
                way=self._way,
                together=self._together,
                cells=cell_len,
            )

        self._chart = await asyncio.to_thread(work) if len(self._table.rows) > AT_ONCE else work()
        if self.standing:
            self._show(self._chart)

    def _show(self, chart: Chart | str) -> None:
        title, note = ("Chart", chart) if isinstance(chart, str) else (chart.title, chart.note)
        self.query_one(".dialog").border_title = Content(title)
        self.query_one("#chart-lines", Static).update(_content(chart))
        self.query_one("#chart-note", Static).update(Content(note))
        self.query_one("#chart-columns", Static).update(self._choices())
        grouped = isinstance(chart, Chart) and chart.grouped
        keys = [("↑ ↓ numbers", 5), ("← → along", 5)]
        keys += [("w other way", 4)] if len(self._ways()) > 1 else []
        keys += [(f"m {self._together}", 3)] if grouped else []
        keys += [("c copy", 2), ("Esc back", 6)]
        self._keys.show([Fact(words, "", weight) for words, weight in keys])
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """What is said below it may have taken a line of it, or given one back."""
        if self._body.size != self._drawn_in:
            self._draw()

    def _choices(self) -> Content:
        def name(column: int | None, none: str) -> str:
            if column is None:
                return none
            return safe_line(self._table.columns[column], _NAME) or f"column {column + 1}"

        way = self._way if self._way in self._ways() else next(iter(self._ways()), None)
        parts: list[tuple[str, str]] = [
            ("↕ ", "$text-muted"),
            (name(self._up, "rows"), "bold $text-accent"),
            ("   ↔ ", "$text-muted"),
            (name(self._along, "nothing"), "bold $text-accent"),
        ]
        if way is not None:
            parts += [("   ", ""), (_WAYS[way], "$text-muted")]
        return Content.assemble(*parts)

    # Keys

    def action_other(self, which: str, by: int) -> None:
        """Another column; none is one of them."""
        if which == "up":
            choices = [
                None,
                *(at for at, kind in enumerate(self._kinds) if is_number(kind) and at != self._along),
            ]
            self._up = _next(choices, self._up, by)
        else:
            choices = [
                None,
                *(at for at, kind in enumerate(self._kinds) if kind != "empty" and at != self._up),
            ]
            self._along = _next(choices, self._along, by)
        if not self.columns:
            self.action_other(which, by)
            return
        self._way = None
        self._draw()

    def action_way(self) -> None:
        """Draw it another way."""
        ways = self._ways()
        if len(ways) > 1:
            now = self._way if self._way in ways else ways[0]
            self._way = ways[(ways.index(now) + 1) % len(ways)]
            self._draw()

    def action_together(self) -> None:
        """Put rows of one name together another way."""
        if isinstance(self._chart, Chart) and self._chart.grouped:
            self._together = TOGETHER[(TOGETHER.index(self._together) + 1) % len(TOGETHER)]
            self._draw()

    def action_copy(self) -> None:
        """Copy the chart as text."""
        if isinstance(self._chart, Chart):
            lines = ["".join(text for text, _ in line).rstrip() for line in self._chart.lines]
            note = [self._chart.note] if self._chart.note else []
            self._copy("\n".join([self._chart.title, *lines, *note]), "the chart")


def _next(choices: Sequence[int | None], now: int | None, by: int) -> int | None:
    at = choices.index(now) if now in choices else 0
    return choices[(at + by) % len(choices)]


def _content(chart: Chart | str) -> Content:
    if isinstance(chart, str):
        return Content("")
    return Content("\n").join(
        Content.assemble(*((text, _INKS[ink]) for text, ink in line)) for line in chart.lines
    )
