"""What a person changed in a call's input, place by place; and how that is said to an assistant that takes only words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal, cast

from kai_tui.conversation.edited_input import NotSendable, Path, is_secret, one_line, path_words
from kai_tui.conversation.sealed_secrets import has_seal, sealed, seals_as_dots

LONGEST_REASON: Final = 2_000
"""Characters of a reason: it becomes part of the chat."""
_MASK: Final = "••••••••"
_ITEMS_ALIGNED: Final = 500
"""Longer lists are compared place by place."""


@dataclass(frozen=True, slots=True)
class InputChange:
    """One place that differs. `path` is the one in the new input; of something removed the one in the old."""

    path: Path
    does: Literal["sets", "adds", "removes"]
    before: Any = None
    after: Any = None

    @property
    def secret(self) -> bool:
        """Whether a secret in clear is part of it."""
        return any(not same(masked(self.path, value), value) for value in (self.before, self.after))

    def words(self, longest: int) -> str:
        """`name: "reports" → "sales"`: secrets masked, values cut at `longest` characters with a sign. Raw."""
        name = path_words(self.path) or "the input"
        if self.does == "removes":
            return f"{name}: {self._said(self.before, longest)} removed"
        if self.does == "adds":
            return f"{name}: {self._said(self.after, longest)} added"
        return f"{name}: {self._said(self.before, longest)} → {self._said(self.after, longest)}"

    def _said(self, value: Any, longest: int) -> str:
        text = seals_as_dots(
            json.dumps(masked(self.path, value), ensure_ascii=False, separators=(", ", ": "))
        )
        return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same on the wire: 1, 1.0 and true are not."""
    return _canonical(one) == _canonical(other)


def changes(before: Any, after: Any) -> list[InputChange]:
    """Every place in which they differ, in the order of the new one. Empty only when they are the same."""
    return list(_changes((), before, after))


def masked(path: Path, value: Any) -> Any:
    """A value as it may be written down: secrets in clear are dots."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {name: masked((*path, name), item) for name, item in mapping.items()}
    if isinstance(value, list):
        return [masked((*path, number), item) for number, item in enumerate(cast("list[Any]", value))]
    return _MASK if value is not None and is_secret(path, value) else value


def correction(tool: str, before: Any, after: Any) -> str:
    """The reason of a No that asks for the same call with another input. Raw.

    Whole when it is short, else what changes. Raises NotSendable when it is too long for a reason, and when a changed
    value is a secret: a reason is part of the chat.
    """
    found = changes(before, after)
    if not found:
        raise NotSendable("Nothing is changed yet, so there is nothing to correct.")
    hidden = sealed(after)
    sealed_now = changes(sealed(before), hidden)
    if any(change.secret for change in found) or any(
        has_seal(value) for change in sealed_now for value in (change.before, change.after)
    ):
        raise NotSendable("A secret cannot go into a reason: it would stand in the chat.")
    whole = one_line(after)
    text = f"Not with this input. Call {tool} again with exactly this input: {whole}"
    if len(text) <= LONGEST_REASON and same(masked((), after), after) and not has_seal(hidden):
        return text
    lines = [f"- {_step(change)}" for change in found]
    text = "\n".join((f"Not with this input. Call {tool} again with the same input except for this:", *lines))
    if len(text) > LONGEST_REASON:
        raise NotSendable(
            f"Your changes take {len(text):,} characters, and a reason {LONGEST_REASON:,} at most: "
            "change less here, or deny with a reason in your own words."
        )
    return text


def _step(change: InputChange) -> str:
    name = path_words(change.path) or "the input"
    if change.does == "removes":
        return f"remove {name}"
    return f"{'add' if change.does == 'adds' else 'set'} {name} = {one_line(change.after)}"


def _changes(path: Path, before: Any, after: Any) -> Iterator[InputChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        old, new = cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after)
        for name, item in new.items():
            if name in old:
                yield from _changes((*path, name), old[name], item)
            else:
                yield InputChange((*path, name), "adds", after=item)
        for name, item in old.items():
            if name not in new:
                yield InputChange((*path, name), "removes", before=item)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(path, cast("list[Any]", before), cast("list[Any]", after))
    elif not same(before, after):
        yield InputChange(path, "sets", before, after)


def _items(path: Path, before: Sequence[Any], after: Sequence[Any]) -> Iterator[InputChange]:
    if len(before) == len(after) or max(len(before), len(after)) > _ITEMS_ALIGNED:
        steps = [("replace", 0, len(before), 0, len(after))]
    else:
        one, other = [_canonical(each) for each in before], [_canonical(each) for each in after]
        steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    for kind, start, end, at, till in steps:
        if kind == "equal":
            continue
        both = min(end - start, till - at)
        for number in range(both):
            yield from _changes((*path, at + number), before[start + number], after[at + number])
        for number in range(start + both, end):
            yield InputChange((*path, number), "removes", before=before[number])
        for number in range(at + both, till):
            yield InputChange((*path, number), "adds", after=after[number])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
