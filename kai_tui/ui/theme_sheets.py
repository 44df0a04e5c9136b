"""The style sheets as they were read for each theme: changing the theme reads none of them twice."""

from __future__ import annotations

from typing import Any

from textual.css.stylesheet import Stylesheet


class ThemeSheets(Stylesheet):
    """Textual 8.2 reads all sheets again on every change of theme, for 25 ms; only colours differ."""

    def reparse(self) -> None:
        caches: dict[frozenset[tuple[str, str]], Any] = self.__dict__.setdefault("_caches", {})
        fresh = Stylesheet(variables=self._variables)
        read: Any = getattr(fresh, "_parse_cache")  # noqa: B009 - it has no type
        fresh._parse_cache = caches.setdefault(frozenset(self._variables.items()), read)
        fresh.source = dict(self.source)
        try:
            fresh.parse()
        except Exception:  # noqa: BLE001 - Textual's own way says what is wrong
            super().reparse()
            return
        self._rules = fresh.rules
        self._rules_map = None
        self._require_parse = False
