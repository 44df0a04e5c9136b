"""The style sheets as they were read for each theme: changing the theme reads none of them twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

from kai_tui.ui.themes import other

if TYPE_CHECKING:
    from textual.app import App
    from textual.theme import Theme

SLICE = 0.003
"""Seconds of reading ahead at once, about: a sheet is read to its end."""
PAUSE = 0.01
"""Seconds for keys and frames between."""
_KEPT = 1_000
"""Sheets of a theme: with fewer than there are, none would still be there when it is asked for again."""


class ThemeSheets(Stylesheet):
    """Textual 8.2 reads all sheets again on every change of theme, for 25 ms; only colours differ."""

    def reparse(self) -> None:
        fresh = self._reader(self._variables)
        fresh.source = dict(self.source)
        try:
            fresh.parse()
        except Exception:  # noqa: BLE001 - Textual's own way says what is wrong
            super().reparse()
            return
        self._rules = fresh.rules
        self._rules_map = None
        self._require_parse = False

    def read_with(self, variables: dict[str, str]) -> Iterator[None]:
        """Read every sheet as it is with these colours, one at a time."""
        fresh: Any = self._reader(variables)
        kept: Any = fresh._parse_cache
        mine: Any = self
        own: Any = mine._parse_cache if variables == self._variables else {}
        for read_from, (css, is_default, tie_breaker, scope) in list(self.source.items()):
            key = (css, read_from, is_default, tie_breaker, scope)
            if key in kept:
                continue
            if key in own:
                kept[key] = own[key]
                continue
            try:
                fresh._parse_rules(css, read_from, is_default, tie_breaker, scope)
            except Exception:  # noqa: BLE001 - who changes the theme is told
                return
            yield

    def _reader(self, variables: dict[str, str]) -> Stylesheet:
        """Reads with these colours, and knows what was read with them before."""
        caches: dict[frozenset[tuple[str, str]], Any] = self.__dict__.setdefault("_caches", {})
        fresh = Stylesheet(variables=variables)
        fresh._parse_cache = caches.setdefault(frozenset(variables.items()), LRUCache(_KEPT))
        return fresh


def read_ahead(app: App[Any]) -> None:
    """Read the sheets for the other theme, and keep those of this one, in slices between which keys come."""
    app.stylesheet.__class__ = ThemeSheets
    sheets = app.stylesheet
    following = app.get_theme(other(app.theme))
    if not isinstance(sheets, ThemeSheets) or following is None:
        return
    steps = chain.from_iterable(
        sheets.read_with(_variables(app, theme)) for theme in (app.current_theme, following)
    )

    def go_on() -> None:
        ends = time.perf_counter() + SLICE
        for _ in steps:
            if time.perf_counter() >= ends:
                app.set_timer(PAUSE, go_on)
                return

    go_on()


def _variables(app: App[Any], theme: Theme) -> dict[str, str]:
    """As `App.get_css_variables` has them for the theme that is shown."""
    return {
        **app.get_theme_variable_defaults(),
        **theme.to_color_system().generate(),
        **theme.variables,
    }
