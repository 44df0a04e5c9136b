"""The command palette: every action of the registry, found by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import Action, Scope, for_palette
from kai_tui.ui.screens.base import KaiScreen


class ActionProvider(Provider):
    """Offers what the screen under the palette can do."""

    def _offered(self) -> list[Action]:
        scopes = cast("tuple[Scope, ...]", getattr(self.screen, "scopes", ()))
        return [item for item in for_palette(("app", *scopes)) if self._allowed(item)]

    def _target(self, item: Action) -> str:
        return f"app.{item.name}" if item.scope == "app" else f"screen.{item.name}"

    def _allowed(self, item: Action) -> bool:
        node = self.app if item.scope == "app" else self.screen
        screen = self.screen
        if isinstance(screen, KaiScreen) and screen.denies(item.name):
            return False
        return node.check_action(item.name, ()) is True

    def _label(self, item: Action) -> str:
        label_of = cast("Callable[[Action], str] | None", getattr(self.app, "label_of", None))
        return label_of(item) if label_of is not None else item.label

    def _shown(self, item: Action) -> Content:
        label = self._label(item)
        if not item.keys:
            return Content(label)
        return Content.assemble(label, (f"  {key_name(item.keys[0])}", "$text-muted not bold"))

    async def discover(self) -> Hits:
        for item in self._offered():
            yield DiscoveryHit(
                self._shown(item),
                partial(self.app.run_action, self._target(item), self.screen),
                text=self._label(item),
                help=item.help,
            )

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for item in self._offered():
            score = max(matcher.match(self._label(item)), matcher.match(item.help) * 0.5)
            if score > 0:
                yield Hit(
                    score,
                    self._shown(item),
                    partial(self.app.run_action, self._target(item), self.screen),
                    text=self._label(item),
                    help=item.help,
                )
