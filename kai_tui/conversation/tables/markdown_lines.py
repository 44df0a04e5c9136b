"""The lines of a markdown table cut into cells, as the transcript draws them and the viewer reads them."""

from __future__ import annotations

import re
from typing import Final

_CUT: Final = re.compile(r"(?<!\\)\|")
_WHOLE: Final = re.compile(r"(?:`[^`]*`|\\.|[^|`\\]|`)*\|?")


def delimiter_cells(line: str) -> list[str]:
    """The cells of the line below a markdown table's header: `---`, `:--:`."""
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def row_cells(line: str, count: int) -> list[str]:
    """The cells of one line of a markdown table, each still markdown; `count` of them (0: as many as there are).

    Pipes inside code stay in their cell where that gives the right number of cells.
    """
    line = line.strip().removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    cells = _CUT.split(line)
    if count and len(cells) > count:
        whole = [match.strip("|") for match in _WHOLE.findall(line)][:-1]
        cells = whole if len(whole) == count else [*cells[: count - 1], "|".join(cells[count - 1 :])]
    cells += [""] * (count - len(cells))
    return [cell.strip().replace("\\|", "|") for cell in cells]
