"""What screens' tests need not pay for: words typed key by key with a wait for each, and style sheets read anew.

Both are Textual's own code in another order of magnitude: `Pilot.press` waits for an idle process twice after
every key, and every app parses the same rules, a tenth of what it costs to start one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import events
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_press_keys = App._press_keys
_parse_rules = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


async def press_words_at_once(self: App[Any], keys: Iterable[str]) -> None:
    """A letter with another one behind it comes in as from a fast typist; every other key is waited for."""
    pressed = list(keys)
    for key, following in zip(pressed, [*pressed[1:], ""], strict=True):
        if len(key) == len(following) == 1 and key.isalnum():
            event = events.Key(key, key)
            event.set_sender(self)
            assert self._driver is not None
            self._driver.send_message(event)
        else:
            await _press_keys(self, [key])


def parse_rules_once(self: Stylesheet, css: str, read_from: Any, *rest: Any, **more: Any) -> list[RuleSet]:
    """Rules of the same text under the same theme are parsed once in a process."""
    key = (frozenset(self._variables.items()), css, read_from, rest, *more.items())
    if key not in _parsed:
        _parsed[key] = _parse_rules(self, css, read_from, *rest, **more)
    return _parsed[key]


App._press_keys = press_words_at_once
Stylesheet._parse_rules = parse_rules_once
