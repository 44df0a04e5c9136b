"""Shows what a streamed state says as a reply: compares it with what was shown, and tells the difference.

The server says how its state changes, not what happened (assistant-ui.md §11). A text that only grows
becomes deltas; when something shown is taken back, the step is thrown away and shown anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from kai_tui.backends.assistant_ui.parts import PartWriter
from kai_tui.backends.assistant_ui.state import (
    MAX_INDEX_DIGITS,
    CannotApply,
    Path,
    StateTree,
    messages_in,
    plain,
)
from kai_tui.backends.assistant_ui.state_items import (
    Call,
    Item,
    Prose,
    Result,
    Whole,
    facts_of,
    items_of,
    speaker,
)
from kai_tui.conversation.chunks import usage_of
from kai_tui.conversation.events import (
    Error,
    Event,
    JsonObject,
    ResetStep,
    Skipped,
    Start,
    StartStep,
    Status,
    Usage,
)
from kai_tui.conversation.growing_text import GrowingText, mend_surrogates

MAX_RESETS: Final = 50
"""How often a server may take back what it said; after that the reply is not followed any further."""
MAX_SKIPPED: Final = 20
"""Operations that could not be applied, named for the details view."""

_TOO_OFTEN: Final = "The server rewrote its reply too often. What it says now is kept, but not shown."
_OWN_DATA: Final = "The server works on data of its own."


@dataclass(slots=True)
class _Shown:
    """An item as it is on the screen."""

    item: Item
    block: str = ""
    text: str = ""
    """What was handed on of a text, unless that is a growing one."""
    source: GrowingText | None = None
    """The growing one, of which `length` characters were handed on."""
    length: int = 0

    def so_far(self) -> str:
        return self.text if self.source is None else self.source.text[: self.length]


class StateView:
    """The reply inside a state. `tree` holds the state as it was sent with the request."""

    def __init__(self, tree: StateTree, writer: PartWriter) -> None:
        self._tree = tree
        self._writer = writer
        before = messages_in(tree.root) or ()
        self._old = len(before)
        self._results: dict[str, Any] = {
            item.call_id: _comparable(item)
            for message in before
            for item in items_of(message)
            if isinstance(item, Result)
        }
        self._first: int | None = None
        """Index of the first message of this reply, once there is one."""
        self._messages: dict[int, list[_Shown]] = {}
        self._answered: dict[int, set[str]] = {}
        """The calls each message gave a result for."""
        self._live: dict[int, _Shown] = {}
        """Texts that are appended to and shown as far as they go, by identity."""
        self._begun = self._started = self._said_status = False
        self._alone = True
        self._resets = self._skipped = 0
        self._usage: dict[int, Usage] = {}
        self._quiet = self._frozen = False
        self.reason: str | None = None
        """Why the model stopped, when the state says so."""
        self.speaks = False
        """Whether the state is of a shape that can be shown."""
        self.used = False
        """Whether the server streams a state at all."""

    @property
    def begun(self) -> bool:
        """Whether anything of the state is shown."""
        return self._begun

    def others_speak(self, *, prose: bool) -> None:
        """Parts come beside the state. When text or calls came first, the state is not shown a second time."""
        self._alone = False
        self._quiet = self._quiet or (prose and not self._begun)

    def update(self, operations: Any) -> list[Event]:
        """Apply a batch; what became visible by it."""
        self.used = True
        events: list[Event] = []
        touched: set[int] | None = set()
        batch = cast("list[Any]", operations) if isinstance(operations, list) else [operations]
        for operation in batch:
            try:
                kind, path = self._tree.apply(operation)
            except CannotApply as error:
                self._skipped += 1
                if self._skipped <= MAX_SKIPPED:
                    events.append(Skipped(f"a state operation: {error}", operation))
                continue
            if kind == "append-text":
                live = self._live.get(id(self._tree.at(path)))
                if live is not None and not self._frozen:
                    events += self._write_on(live)  # the quick way for a token
                    continue
            touched = _touch(touched, path)
        if touched is None or touched:
            events += self._look(touched)
        return events

    def rest(self, said: str) -> list[Event]:
        """At the end of a reply that came as parts: what only the state says. `said`: the parts' text."""
        messages = messages_in(self._tree.root)
        if not self._quiet or messages is None:
            return []
        self._find_first(messages)
        events: list[Event] = []
        for index in range(len(messages) if self._first is None else self._first, len(messages)):
            for item in items_of(messages[index]):
                if isinstance(item, Result):
                    events += self._result(item)
                elif isinstance(item, Prose) and item.kind == "text":
                    text = item.text if isinstance(item.text, str) else item.text.raw
                    if text.strip() and text.strip() not in said:
                        events += self._writer.append("text", text)
        return events

    def _look(self, touched: set[int] | None) -> list[Event]:
        """Compare the messages that were touched (None: all) with what is shown."""
        messages = messages_in(self._tree.root)
        if messages is None:
            if self._said_status or self.speaks or not self._alone:
                return []
            self._said_status = True
            return [Status(_OWN_DATA)]
        self.speaks = True
        if self._quiet or self._frozen:
            return []
        self._find_first(messages)
        events = self._begin()
        first = len(messages) if self._first is None else self._first
        if touched is None or not isinstance(self._tree.root["messages"], list):
            touched = set(range(len(messages)))
        gone = any(index >= len(messages) or index < first for index in self._messages)
        for index in sorted(touched):
            if gone or index >= len(messages):
                continue
            if index < first:
                for item in items_of(messages[index]):
                    if isinstance(item, Result):
                        events += self._result(item)
                continue
            more = self._show(index, messages[index])
            gone = more is None
            events += more or ()
        return [*events, *self._show_anew(messages)] if gone else events

    def _find_first(self, messages: Sequence[Any]) -> None:
        """Where this reply begins: after what was there before, and after the user's own message."""
        if self._first is not None and self._first <= len(messages):
            return
        self._first = None
        last = max((at for at, each in enumerate(messages) if speaker(each) == "user"), default=-1)
        start = max(min(self._old, len(messages)), last + 1)
        if any(speaker(each) in ("assistant", "tool") for each in messages[start:]):
            self._first = start

    def _begin(self) -> list[Event]:
        """A step of its own, so that only it can be thrown away."""
        if self._begun or self._first is None:
            return []
        self._begun = True
        return [StartStep()]

    def _show(self, index: int, message: Any, *, keep: bool = False) -> list[Event] | None:
        """What a message shows more than before. None when something was taken back, unless that is to be kept."""
        events = self._facts(index, message)
        shown = self._messages.setdefault(index, [])
        items = items_of(message)
        answered = {item.call_id for item in items if isinstance(item, Result)}
        followed = any(later > index and each for later, each in self._messages.items())
        new = sum(not isinstance(item, Result) for item in items) - len(shown)
        if not keep and ((new > 0 and followed) or self._answered.get(index, set()) - answered):
            return None
        self._answered[index] = answered
        at = 0
        for item in items:
            if isinstance(item, Result):
                events += self._result(item)
                continue
            more = self._go_on(shown[at], item) if at < len(shown) else None
            if more is None:
                if at < len(shown) and not keep:
                    return None
                shown[at : at + 1] = [_Shown(item)]
                more = self._show_first(shown[at])
            events += more
            at += 1
        if at < len(shown):
            if not keep:
                return None
            del shown[at:]
        return events

    def _facts(self, index: int, message: Any) -> list[Event]:
        if speaker(message) != "assistant":
            return []
        message_id, counts, reason = facts_of(message)
        events: list[Event] = []
        if not self._started:
            self._started = True
            if message_id:
                events.append(Start(message_id))
        self.reason = reason or self.reason
        usage = usage_of(_ai_sdk_counts(plain(counts))) if isinstance(counts, dict) else None
        if usage is not None and self._usage.get(index) != usage:
            self._usage[index] = usage
            events.append(Usage(usage.input, usage.output, usage.total, id=f"state-{index}"))
        return events

    def _show_first(self, shown: _Shown) -> list[Event]:
        item = shown.item
        if isinstance(item, Whole):
            return self._writer.whole(item.part)
        events: list[Event] = []
        if isinstance(item, Prose):
            shown.block, started = self._writer.open(item.kind)
            events.append(started)
        elif isinstance(item, Call):
            events += self._writer.begin_call(item.id, item.name)
        return [*events, *(self._go_on(shown, item) or ())]

    def _go_on(self, shown: _Shown, item: Item) -> list[Event] | None:
        """What an item on the screen became; None when it is another one, or took something back."""
        before, shown.item = shown.item, item
        if isinstance(item, Prose):
            same = isinstance(before, Prose) and before.kind == item.kind
            return self._grow(shown, item.text) if same else None
        if isinstance(item, Call):
            if not isinstance(before, Call) or (before.id, before.name) != (item.id, item.name):
                return None
            if item.text is None:
                return (
                    self._writer.set_arguments(item.id, plain(item.value)) if item.value or item.whole else []
                )
            events = self._grow(shown, item.text)
            if events is not None and item.whole:
                events += self._writer.end_arguments(item.id)
            return events
        return [] if before == item else None

    def _grow(self, shown: _Shown, text: str | GrowingText) -> list[Event] | None:
        """The rest of a text that begins with what is shown of it; None when it does not."""
        if text is shown.source:
            return self._write_on(shown)
        there = shown.so_far()
        now = text.text if isinstance(text, GrowingText) else _settled(text)
        if not now.startswith(there):
            return None
        if shown.source is not None:
            self._live.pop(id(shown.source), None)
        if isinstance(text, GrowingText):
            shown.source, shown.text = text, ""
            self._live[id(text)] = shown
        else:
            shown.source, shown.text = None, now
        shown.length = len(now)
        return self._hand_on(shown, now[len(there) :])

    def _write_on(self, shown: _Shown) -> list[Event]:
        assert shown.source is not None
        delta = shown.source.since(shown.length)
        shown.length = len(shown.source)
        return self._hand_on(shown, delta)

    def _hand_on(self, shown: _Shown, delta: str) -> list[Event]:
        if not delta:
            return []
        if isinstance(shown.item, Call):
            return self._writer.add_arguments(shown.item.id, delta)
        return [self._writer.add(shown.block, delta)]

    def _result(self, item: Result) -> list[Event]:
        now = _comparable(item)
        if self._results.get(item.call_id) == now:
            return []
        self._results[item.call_id] = now
        return self._writer.result(
            item.call_id,
            plain(item.value),
            failed=item.failed,
            artifact=plain(item.artifact),
            preliminary=item.preliminary,
        )

    def _show_anew(self, messages: Sequence[Any]) -> list[Event]:
        """Throw the step away and show all of it again; where other parts are in it, what was said stays."""
        self._resets += 1
        if self._resets > MAX_RESETS:
            self._frozen = True
            return [Error(_TOO_OFTEN)]
        anew = self._alone
        events: list[Event] = []
        first = len(messages) if self._first is None else self._first
        if anew:
            events.append(ResetStep())
            # Outcomes of calls in this step go with it; those of earlier replies' calls stay.
            self._results = {
                call_id: outcome
                for call_id, outcome in self._results.items()
                if not self._writer.knows(call_id)
            }
            self._writer.forget()
            self._live.clear()
            self._messages.clear()
            self._answered.clear()
        self._messages = {at: shown for at, shown in self._messages.items() if first <= at < len(messages)}
        for index in range(first, len(messages)):
            events += self._show(index, messages[index], keep=True) or ()
        return events


def _touch(touched: set[int] | None, path: Path) -> set[int] | None:
    """The messages a batch changed, by index; None for all of them."""
    if touched is None or (path and path[0] != "messages"):
        return touched
    if len(path) < 2 or not path[1].isascii() or not path[1].isdigit() or len(path[1]) > MAX_INDEX_DIGITS:
        return None
    return {*touched, int(path[1])}


def _settled(text: str) -> str:
    """A text as a growing one shows it: half a surrogate pair at its end waits."""
    if text.isascii():
        return text
    text = mend_surrogates(text)
    return text[:-1] if "\ud800" <= text[-1] <= "\udbff" else text


def _comparable(item: Result) -> tuple[Any, ...]:
    return (plain(item.value), item.failed, plain(item.artifact), item.preliminary)


def _ai_sdk_counts(counts: JsonObject) -> JsonObject:
    """LangChain's names of token counts as the AI SDK's."""
    names = {"input_tokens": "inputTokens", "output_tokens": "outputTokens", "total_tokens": "totalTokens"}
    return {names.get(key, key): value for key, value in counts.items()}
