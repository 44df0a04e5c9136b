"""What screens' tests need not pay for: words typed key by key with a wait for each, style sheets read anew, handlers
looked for anew.

All are Textual's own code in another order of magnitude: `Pilot.press` waits for an idle process twice after
every key, every app parses the same rules, a tenth of what it costs to start one, and every message is looked up in
each of a widget's forty classes, a fifteenth of what a test costs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from textual import events
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.message import Message
from textual.message_pump import MessagePump

_press_keys = App._press_keys
_parse_rules = Stylesheet._parse_rules
_get_dispatch_methods = MessagePump._get_dispatch_methods
_handlers: dict[tuple[type, str], Sequence[tuple[type, Any]]] = {}
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


def parse_rules_once(
    self: Stylesheet,
    css: str,
    read_from: Any,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    """Rules of the same text under the same theme are parsed once in a process."""
    known = (css, read_from, is_default_rules, tie_breaker, scope)
    key = (frozenset(self._variables.items()), *known)
    if key not in _parsed:
        _parsed[key] = _parse_rules(self, css, read_from, is_default_rules, tie_breaker, scope)
    self._parse_cache[known] = _parsed[key]
    return _parsed[key]


def handlers_found_once(
    self: MessagePump, method_name: str, message: Message
) -> Iterable[tuple[type, Callable[[Message], Awaitable[object]]]]:
    """The same handlers in the same order; of classes without `@on` they are looked for once."""
    key = (self.__class__, method_name)
    found = _handlers.get(key)
    if found is None:
        mro = self.__class__.__mro__
        if any(
            "_decorated_handlers" in each.__dict__ and each.__dict__["_decorated_handlers"] for each in mro
        ):
            found = ()
        else:
            by_class = (
                (each, each.__dict__.get(f"_{method_name}") or each.__dict__.get(method_name)) for each in mro
            )
            found = [(each, method) for each, method in by_class if method is not None]
        _handlers[key] = found
    if found == ():
        yield from _get_dispatch_methods(self, method_name, message)
        return
    for each, method in found:
        if message._no_default_action:
            break
        yield each, method.__get__(self, each)


App._press_keys = press_words_at_once
Stylesheet._parse_rules = parse_rules_once
MessagePump._get_dispatch_methods = handlers_found_once
