"""Cells in which a writer says that nothing is there."""

from __future__ import annotations

import re
from typing import Final

BLANK: Final = frozenset(
    {"", "-", "–", "—", "−", "n/a", "N/A", "NA", "null", "NULL", "None", "none", "NaN", "nan", "∅"}
)
BLANK_PATTERN: Final = "|".join(re.escape(blank) for blank in sorted(BLANK))
"""The same for a regular expression."""
