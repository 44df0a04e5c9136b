"""Textual's compositor, asked for less: only lines that changed are drawn, and only what shows of them.

Textual 8.2 renders every line of every widget that overlaps the box around all changes, the containers
behind them included: a token at the bottom and a clock at the top cost the whole screen, at every frame.
Private names of Textual are used here; the dependency is pinned to the minor version they were read in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from kai_tui.ui.terminal.frames import Chop, Front

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from textual.widget import Widget

Span = tuple[int, int, int]
"""Row, first column, column behind the last."""


class LeanCompositor(Compositor):
    """Draws what changed."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """The changed lines, or None when there are none."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        if not regions:
            return None
        height = self.size.height
        spans = [span for span in self._regions_to_spans(regions) if 0 <= span[0] < height]
        if not spans:
            return None
        chops = self._chops_of(spans)
        ends = [cut_set[1:] for cut_set in self.cuts]
        return ChopsUpdate(chops, spans, ends)

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        """Also the whole screen is drawn without what lies behind something else."""
        left, right = crop.column_span
        lines = range(max(0, crop.y), min(crop.bottom, len(self.cuts)))
        chops = self._chops_of([(y, left, right) for y in lines if is_rendered_line(y)])
        return cast("Sequence[Mapping[int, Strip]]", chops)

    def _chops_of(self, spans: Sequence[Span]) -> Sequence[Mapping[int, Strip | None]]:
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [{} for _ in cuts]
        wanted: dict[int, set[int]] = {}
        for y, left, right in spans:
            line = cuts[y]
            missing = wanted.setdefault(y, set())
            if not chops[y]:
                chops[y] = dict.fromkeys(line[:-1])
            missing.update(start for start, end in pairwise(line) if start < right and end > left)
        wanted = {y: missing for y, missing in wanted.items() if missing}
        # Front to back: who comes first is what is seen.
        for widget, (region, clip) in self.visible_widgets.items():
            if not wanted:
                break
            seen = region.intersection(clip)
            left, right = seen.column_span
            rows = [
                y
                for y in range(seen.y, seen.bottom)
                if y in wanted and any(left <= start < right for start in wanted[y])
            ]
            for y, strip in _drawn(widget, region, seen, rows):
                missing = wanted[y]
                inside = [cut for cut in cuts[y] if left <= cut <= right]
                widths = [cut - left for cut in inside[1:]]
                # A strip that divides into itself would hold itself in its cache, and live until a collection.
                parts = (strip,) if widths[0] == strip.cell_length else strip.divide(widths)
                for start, part in zip(inside, parts, strict=False):
                    if start in missing:
                        missing.discard(start)
                        chops[y][start] = part
                if not missing:
                    del wanted[y]
        return chops


def _drawn(widget: Widget, region: Region, seen: Region, rows: Sequence[int]) -> Iterator[tuple[int, Strip]]:
    """A widget's lines in these rows of the screen; rows that follow each other are asked for at once."""
    start = 0
    for index in range(1, len(rows) + 1):
        if index < len(rows) and rows[index] == rows[index - 1] + 1:
            continue
        top, count = rows[start], index - start
        crop = Region(seen.x - region.x, top - region.y, seen.width, count)
        yield from zip(range(top, top + count), widget.render_lines(crop), strict=False)
        start = index


class PaintsLittle:
    """Base of our screens. Not a node itself: Textual reads styles of the first one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._compositor = LeanCompositor()

    def _screen_resized(self, size: Size) -> None:
        """Its own layout tells a screen that it was resized: Textual would lay all of it out once more."""
        if size != self._compositor.size:
            super()._screen_resized(size)  # pyright: ignore


class _Least(CompositorUpdate):
    """An update that writes only what the terminal does not show yet."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, front: Front) -> None:
        self._update = update
        self._front = front

    def render_segments(self, console: Console) -> str:
        colours = console._color_system or ColorSystem.TRUECOLOR  # pyright: ignore[reportPrivateUsage] - as Textual does
        update = self._update
        if isinstance(update, LayoutUpdate):
            x, y = update.region.offset
            rows = ((y + number, x, strips) for number, strips in enumerate(update.strips))
            return self._front.whole(rows, colours)
        return self._front.changes(_chops(update), colours)


def least_update(update: RenderableType | None, front: Front) -> RenderableType | None:
    """What Textual wants to draw, so that no more of it is written than needed."""
    if isinstance(update, ChopsUpdate | LayoutUpdate):
        return cast("RenderableType", _Least(update, front))
    if update is not None:
        front.forget()
    return update


def _chops(update: ChopsUpdate) -> Iterator[Chop]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < right and end > left:
                yield y, x, strip
